"""IAM: tags of users and roles, whose keys are the same in any case, and those that moto lacks.

Source: IAM User Guide, "Rules for tagging in IAM and AWS STS": "If you have tagged a user with the
Department=finance tag and you add the department=hr tag, it replaces the first tag."
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.sandbox.iam_pagination import page
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.iam import holder_of
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"


def tag(_state: SandboxState, call: Call) -> Any:
    """TagRole and TagUser: a new tag takes the place of one whose key differs in case only."""
    _remove(call, (given["Key"] for given in call.parameters["Tags"]))
    return TO_MOTO


def untag(_state: SandboxState, call: Call) -> Any:
    """UntagRole and UntagUser."""
    _remove(call, call.parameters["TagKeys"])
    return TO_MOTO


def _remove(call: Call, keys: Iterable[str]) -> None:
    kind, _, holder = holder_of(call)
    if holder is None:
        return
    wanted = {key.lower() for key in keys}
    if kind == "role":
        holder.tags = [held for held in holder.tags if held["Key"].lower() not in wanted]
    else:
        names = [held["Key"] for held in holder.tags or [] if held["Key"].lower() in wanted]
        iam(call.caller.account_id).tagger.untag_resource_using_names(holder.arn, names)


# The entities whose tags moto does not keep: the parameter that names one, how it is found among
# the account's, and AWS's words where there is none.
_Find = Callable[[Any], dict[str, Any]]
_OTHERS: dict[str, tuple[str, _Find, str]] = {
    "MFADevice": (
        "SerialNumber",
        lambda own: own.virtual_mfa_devices,
        "VirtualMFADevice with serial number {} doesn't exist.",
    ),
    "SAMLProvider": (
        "SAMLProviderArn",
        lambda own: {held.arn: held for held in own.saml_providers.values()},
        "Manifest not found for arn {}",
    ),
    "ServerCertificate": (
        "ServerCertificateName",
        lambda own: {held.cert_name: held for held in own.certificates.values()},
        "The Server Certificate with name {} cannot be found.",
    ),
}


_CREATED = {
    "CreateSAMLProvider": "SAMLProvider",
    "CreateVirtualMFADevice": "MFADevice",
}


def _other(kind: str, change: Callable[[dict[str, str], Call], None]) -> Operation:
    """Make an operation on the tags of such an entity."""
    parameter, find, text = _OTHERS[kind]

    def done(_state: SandboxState, call: Call) -> dict[str, Any]:
        name = call.parameters[parameter]
        held = find(iam(call.caller.account_id)).get(name)
        if held is None:
            raise ServiceError("NoSuchEntity", text.format(name), 404)
        tags = {one["Key"]: one["Value"] for one in getattr(held, "tags", [])}
        change(tags, call)
        held.tags = [{"Key": key, "Value": value} for key, value in tags.items()]
        return page("Tags", held.tags, call) if call.operation.startswith("List") else {}

    return done


def _add(tags: dict[str, str], call: Call) -> None:
    tags |= {given["Key"]: given["Value"] for given in call.parameters["Tags"]}


def _take(tags: dict[str, str], call: Call) -> None:
    for key in call.parameters["TagKeys"]:
        tags.pop(key, None)


def _tag_created(_state: SandboxState, call: Call, _headers: Any) -> None:
    """Keep the tags that such an entity is created with: the newest of its kind."""
    find = _OTHERS[_CREATED[call.operation]][1]
    held = list(find(iam(call.caller.account_id)).values())[-1]
    held.tags = call.parameters.get("Tags", [])


OPERATIONS: dict[str, Operation] = {
    **{
        operation: _other(kind, change)
        for kind in _OTHERS
        for operation, change in (
            (f"Tag{kind}", _add),
            (f"Untag{kind}", _take),
            (f"List{kind}Tags", lambda tags, call: None),
        )
    },
    **dict.fromkeys(("TagRole", "TagUser"), tag),
    **dict.fromkeys(("UntagRole", "UntagUser"), untag),
}
AFTER = dict.fromkeys(_CREATED, _tag_created)
