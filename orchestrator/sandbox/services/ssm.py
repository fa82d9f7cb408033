"""Systems Manager: change templates and their review; other documents are moto's.

A change template is a document of type ``Automation.ChangeTemplate``. It has to be approved by
somebody else than its author before a change request can be made from it. Sources: Systems Manager
API Reference, CreateDocument, UpdateDocumentMetadata, DescribeDocument; Service Authorization
Reference; user guide, "Change Manager". Which review status a new template has is not documented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation, Permission
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "ssm"
CHANGE_TEMPLATE = "Automation.ChangeTemplate"
_OF_DOCUMENTS = {
    *("CreateDocument", "DeleteDocument", "DescribeDocument", "GetDocument", "UpdateDocument"),
    *("ListDocumentMetadataHistory", "ListDocumentVersions", "UpdateDocumentDefaultVersion"),
    "UpdateDocumentMetadata",
}
_REVIEWS = {"SendForReview": "PENDING", "Approve": "APPROVED", "Reject": "REJECTED"}


@dataclass
class Review:
    """The review of one version of a change template; ``author`` and ``reviewer`` are ARNs."""

    author: str
    status: str = "NOT_REVIEWED"
    reviewer: str = ""
    comment: list[dict[str, str]] = field(default_factory=list)
    time: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


Key = tuple[str, str, str, str]  # account id, region, name, version


def reviews(state: SandboxState) -> dict[Key, Review]:
    """Get the reviews of change templates."""
    return state.of_service("ssm documents", dict)


def documents(call: Call) -> dict[str, Any]:
    """Get moto's documents of the caller's account by name."""
    from moto.ssm.models import ssm_backends  # takes a second to load

    found: dict[str, Any] = ssm_backends[call.caller.account_id][call.region]._documents
    return found


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield the permission on a document, with its type as a condition key."""
    name = call.parameters.get("Name", call.parameters.get("ResourceId", ""))
    if call.operation not in _OF_DOCUMENTS and call.parameters.get("ResourceType") != "Document":
        return
    found = documents(call).get(name)
    kind = found.get_default_version().document_type if found else None
    context = {"ssm:DocumentType": call.parameters.get("DocumentType") or kind or "Command"}
    yield Permission(f"ssm:{call.operation}", document_arn(call, name), context)


def document_arn(call: Call, name: str) -> str:
    """Get the ARN of a document; AWS's own belong to no account."""
    owner = "" if name.startswith("AWS-") else call.caller.account_id
    return f"arn:{PARTITION}:ssm:{call.region}:{owner}:document/{name}"


def create(state: SandboxState, call: Call) -> Any:
    """CreateDocument: change templates, which moto does not know."""
    given = call.parameters
    if given.get("DocumentType") != CHANGE_TEMPLATE:
        return TO_MOTO
    from moto.ssm.models import ssm_backends

    if given["Name"] in documents(call):
        raise ServiceError("DocumentAlreadyExists", "The specified document already exists.")
    _check(given["Content"])
    backend = ssm_backends[call.caller.account_id][call.region]
    made = backend.create_document(
        content=given["Content"],
        requires=given.get("Requires", []),
        attachments=given.get("Attachments", []),
        name=given["Name"],
        version_name=given.get("VersionName", ""),
        document_type="Automation",
        document_format=given.get("DocumentFormat", "JSON"),
        target_type=given.get("TargetType", ""),
        tags=given.get("Tags", []),
    )
    made.get_default_version().document_type = CHANGE_TEMPLATE
    reviews(state)[_key(call, "1")] = Review(call.caller.principal_arn)
    return {"DocumentDescription": _described(state, call, made)}


def _check(content: str) -> None:
    """Check what a change template needs: an approval, and runbooks that it may start."""
    try:
        document = json.loads(content)
        approvals = [step for step in document["mainSteps"] if step["action"] == "aws:approve"]
        fits = document["schemaVersion"] == "0.3" and approvals and document["executableRunBooks"]
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise ServiceError(
            "InvalidDocumentContent", "The content for the change template is not valid."
        )


def describe(state: SandboxState, call: Call) -> Any:
    """DescribeDocument, with the review of a change template."""
    found = documents(call).get(call.parameters["Name"])
    if found is None or found.get_default_version().document_type != CHANGE_TEMPLATE:
        return TO_MOTO
    return {"Document": _described(state, call, found)}


def _described(state: SandboxState, call: Call, found: Any) -> dict[str, Any]:
    described: dict[str, Any] = found.describe()
    review = reviews(state).get(_key(call, described["DocumentVersion"]), Review(""))
    reviewed = {"ReviewedTime": review.time, "Status": review.status, "Reviewer": review.reviewer}
    return {
        **described,
        "Author": review.author,
        "ReviewStatus": review.status,
        "ReviewInformation": [reviewed] if review.reviewer else [],
    }


def update(state: SandboxState, call: Call) -> Any:
    """UpdateDocument: a new version of a change template is not reviewed."""
    found = documents(call).get(call.parameters["Name"])
    if found is not None and found.get_default_version().document_type == CHANGE_TEMPLATE:
        _check(call.parameters["Content"])
        version = str(int(found.latest_version) + 1)
        reviews(state)[_key(call, version)] = Review(call.caller.principal_arn)
    return TO_MOTO


def keep_type(_state: SandboxState, call: Call, _headers: Any) -> None:
    """Give the new version of a change template its type, which moto does not know."""
    found = documents(call).get(call.parameters["Name"])
    if found is not None and found.get_default_version().document_type == CHANGE_TEMPLATE:
        found.get_latest_version().document_type = CHANGE_TEMPLATE


def review(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateDocumentMetadata: a review, which nobody makes of a template of their own."""
    given = call.parameters
    found = documents(call).get(given["Name"])
    if found is None:
        raise ServiceError("InvalidDocument", "The specified document does not exist.")
    version = given.get("DocumentVersion", found.default_version)
    held = reviews(state).get(_key(call, version))
    if held is None:
        raise ServiceError("InvalidDocumentOperation", "The document cannot be reviewed.")
    action = given["DocumentReviews"]["Action"]
    if action in ("Approve", "Reject") and held.author == call.caller.principal_arn:
        raise ServiceError("InvalidDocumentOperation", "The author of a document cannot review it.")
    held.comment = given["DocumentReviews"].get("Comment", held.comment)
    if action in _REVIEWS:
        held.status, held.time = _REVIEWS[action], datetime.now(timezone.utc)
        held.reviewer = call.caller.arn if action != "SendForReview" else ""
    return {}


def is_approved(state: SandboxState, call: Call, name: str, version: str) -> bool:
    """Whether a version of a change template is approved."""
    held = reviews(state).get((call.caller.account_id, call.region, name, version))
    return held is not None and held.status == "APPROVED"


def _key(call: Call, version: str) -> Key:
    return call.caller.account_id, call.region, call.parameters["Name"], version


def forget(state: SandboxState, call: Call, _headers: Any) -> None:
    """Forget the reviews of a deleted document."""
    held = reviews(state)
    place = (call.caller.account_id, call.region, call.parameters["Name"])
    for key in [key for key in held if key[:3] == place]:
        del held[key]


def check(_state: SandboxState, call: Call) -> None:
    """Refuse a relative path or name, and a value that is too long or does not match its pattern.

    Raises:
        ServiceError: ValidationException, ParameterPatternMismatchException.
    """
    if call.operation == "GetParametersByPath" and call.parameters["Path"][:1] != "/":
        raise ServiceError("ValidationException", _NO_PATH)
    if call.operation != "PutParameter":
        return
    given, tier = call.parameters, call.parameters.get("Tier", "Standard")
    if len(given["Value"]) > _LONGEST and tier == "Standard":
        raise ServiceError("ValidationException", _TOO_LONG)
    if "/" in given["Name"][1:] and not given["Name"].startswith(("/", "arn:")):
        text = "Parameter name must be a fully qualified name."
        raise ServiceError("ValidationException", text)
    pattern = given.get("AllowedPattern")
    if pattern and not re.search(pattern, given["Value"]):
        text = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        raise ServiceError("ParameterPatternMismatchException", text)


_LONGEST = 4096
_TOO_LONG = (
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a"
    " larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more"
    " information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "parameter-store-advanced-parameters.html"
)
_NO_PATH = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with"
    ' a forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must'
    " use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore)."
    " Special characters are not allowed. All sub-paths, if specified, must use the forward slash"
    ' symbol "/". Valid example: /get/parameters2-/by1./path0_.'
)


def managed_instances(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """DescribeInstanceInformation: no instance runs the agent."""
    return {"InstanceInformationList": []}


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the change templates."""
    for account_id, region, name, version in reviews(state):
        yield f"change template {account_id}/{region}/{name}/{version}"


AFTER = {"DeleteDocument": forget, "UpdateDocument": keep_type}
OPERATIONS: dict[str, Operation] = {
    "CreateDocument": create,
    "DescribeDocument": describe,
    "DescribeInstanceInformation": managed_instances,
    "UpdateDocument": update,
    "UpdateDocumentMetadata": review,
}
