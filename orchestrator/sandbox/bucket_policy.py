"""Validate a bucket policy as PutBucketPolicy does, and decide whether it is public.

Source: S3 User Guide, "Bucket policies", "The meaning of public"; IAM User Guide, "Global condition
context keys"; real error texts. ``bucket_policy_actions.tsv`` is the Service Authorization
Reference's (``make access-levels``): the actions on buckets and objects with their condition keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.sandbox import policy_grammar, principals
from orchestrator.sandbox.policy import as_list, like
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import ServiceError

_MOST_BYTES = 20 * 1024
_SYNTAX = "Invalid policy syntax."
_TABLE = Path(__file__).with_name("bucket_policy_actions.tsv")
# The keys that every action has; one that ends in a slash is followed by the key of a tag.
_KEYS_OF_ALL = {
    *("s3:accessgrantsinstancearn", "s3:accesspointnetworkorigin", "s3:accesspointtag/"),
    *("s3:authtype", "s3:buckettag/", "s3:dataaccesspointaccount", "s3:dataaccesspointarn"),
    *("s3:resourceaccount", "s3:signatureage", "s3:signatureversion", "s3:tlsversion"),
    "s3:x-amz-content-sha256",
    *("aws:assumedroot", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"),
    *("aws:chatbotsourcearn", "aws:currenttime", "aws:ec2instancesourceprivateipv4"),
    *("aws:ec2instancesourcevpc", "aws:epochtime", "aws:federatedprovider"),
    *("aws:ismcpserviceaction", "aws:multifactorauthage", "aws:multifactorauthpresent"),
    *("aws:principalaccount", "aws:principalarn", "aws:principalisawsservice"),
    *("aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename"),
    *("aws:principalservicenameslist", "aws:principaltag/", "aws:principaltype", "aws:referer"),
    *("aws:requestedregion", "aws:requesttag/", "aws:resourceaccount", "aws:resourceorgid"),
    *("aws:resourceorgpaths", "aws:resourcetag/", "aws:securetransport", "aws:sourceaccount"),
    *("aws:sourcearn", "aws:sourceidentity", "aws:sourceip", "aws:sourceorgid"),
    *("aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpcarn"),
    *("aws:sourcevpce", "aws:tagkeys", "aws:tokenissuetime", "aws:useragent", "aws:userid"),
    *("aws:username", "aws:viaawsmcpservice", "aws:viaawsservice", "aws:vpceaccount"),
    *("aws:vpceorgid", "aws:vpceorgpaths", "aws:vpcsourceip"),
    *("codebuild:buildarn", "codebuild:projectarn", "ec2:roledelivery", "ec2:sourceinstancearn"),
    *("glue:credentialissuingservice", "glue:roleassumedby", "identitystore:userid"),
    *("lambda:sourcefunctionarn", "ssm:sourceinstancearn"),
}
# A condition on one of these keys with fixed values makes a statement not public.
_FIXED_KEYS = {
    *("aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner"),
    *("aws:sourceaccount", "aws:userid", "aws:principalorgid", "aws:principalorgpaths"),
    *("aws:principalarn", "aws:principalaccount", "s3:dataaccesspointarn"),
    *("s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
}


def parse(state: SandboxState, bucket: str, text: str) -> dict[str, Any]:
    """Parse a bucket policy.

    Raises:
        ServiceError: MalformedPolicy, with S3's words.
    """
    if not text.startswith("{"):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    try:
        document: dict[str, Any] = policy_grammar.load(text)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    if len(json.dumps(document, separators=(",", ":")).encode()) > _MOST_BYTES:
        raise _malformed(
            "Normalized policy document exceeds the maximum allowed size of 20480 bytes"
        )
    for problem in policy_grammar.problems(document, syntax=_SYNTAX, with_resources=True):
        raise _malformed(problem)
    for statement in as_list(document["Statement"]):
        for problem in _problems(state, bucket, statement):
            raise _malformed(problem)
    return document


def _problems(state: SandboxState, bucket: str, statement: Any) -> Iterator[str]:
    if not all(principals.exists(state, kind, name) for kind, name in principals.named(statement)):
        yield "Invalid principal in policy"
    actions = [str(a) for a in as_list(statement.get("Action", statement.get("NotAction")))]
    if not all(_matched(action) for action in actions):
        yield "Policy has invalid action"
    resources = [str(r) for r in as_list(statement.get("Resource", statement.get("NotResource")))]
    arn = f"arn:{PARTITION}:s3:::{bucket}"
    if not all(
        r.startswith("arn:") and (like(r, arn) or like(r, f"{arn}/{_key(r)}")) for r in resources
    ):
        yield "Policy has invalid resource"
    yield from _of_keys(statement, actions)
    if "Action" in statement and "Resource" in statement:
        of_bucket = any(like(r, arn) for r in resources)
        of_objects = any("/" in r or r.endswith("*") for r in resources)
        for action in actions:
            kinds = {_actions()[name][0] for name in _matched(action)}
            if not (("object" in kinds and of_objects) or ("bucket" in kinds and of_bucket)):
                yield "Action does not apply to any resource(s) in statement"


def _of_keys(statement: Any, actions: list[str]) -> Iterator[str]:
    """Check that the condition keys exist, and that every action that is named has them."""
    keys = [key.lower() for _, key, _ in policy_grammar.conditions(statement)]
    keys = [key.partition("/")[0] + "/" * ("/" in key) for key in keys if "." not in key]
    known = _KEYS_OF_ALL.union(*(own for _, own in _actions().values()))
    if not known.issuperset(keys):
        yield "Policy has an invalid condition key"
    for name in (name for action in actions if "*" not in action for name in _matched(action)):
        if not _KEYS_OF_ALL.union(_actions()[name][1]).issuperset(keys):
            yield "Conditions do not apply to combination of actions and resources in statement"


def _key(resource: str) -> str:
    return resource.partition("/")[2].replace("*", "x").replace("?", "x")


def _matched(action: str) -> list[str]:
    service, _, name = action.partition(":")
    if action == "*":
        return [*_actions()]
    if service.lower() != "s3":
        return []
    return [known for known in _actions() if like(name, known, ignore_case=True)]


@cache
def _actions() -> dict[str, tuple[str, frozenset[str]]]:
    """Read the table: the resource (``bucket`` or ``object``) and own keys of each action."""
    rows = (line.split("\t") for line in _TABLE.read_text(encoding="utf-8").splitlines()[1:])
    return {name: (kind, frozenset(" ".join(keys).lower().split())) for name, kind, *keys in rows}


def is_public(document: dict[str, Any]) -> bool:
    """Whether a policy grants access to everybody, in S3's meaning of public."""
    return any(
        statement["Effect"] == "Allow" and _names_everybody(statement) and not _is_fixed(statement)
        for statement in as_list(document["Statement"])
    )


def _names_everybody(statement: Any) -> bool:
    principal = statement.get("Principal")
    return (
        "NotPrincipal" in statement
        or principal == "*"
        or (isinstance(principal, dict) and "*" in as_list(principal.get("AWS", [])))
    )


def _is_fixed(statement: Any) -> bool:
    for operator, keys in statement.get("Condition", {}).items():
        if "Not" in operator or operator.endswith("IfExists"):
            continue
        for key, values in keys.items():
            if key.lower() in _FIXED_KEYS and all(_has_fixed_owner(v) for v in as_list(values)):
                return True
    return False


def _has_fixed_owner(value: Any) -> bool:
    """Whether a value is fixed; of an ARN, the account."""
    parts = str(value).split(":", 5)
    of_arn = len(parts) == 6 and parts[0] == "arn"
    return "*" not in (parts[4] if of_arn and parts[4] else str(value)) and str(value) not in (
        "0.0.0.0/0",
        "::/0",
    )


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicy", message)
