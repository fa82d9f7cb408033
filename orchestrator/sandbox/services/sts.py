"""STS: sessions of roles, authorized by the role's trust policy; the rest is moto's.

Source: IAM User Guide, "Cross-account policy evaluation logic", "Role chaining"; STS API
Reference, AssumeRole, GetSessionToken, GetFederationToken.
"""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.iam.models import AccessKey
from moto.sts.models import sts_backends
from moto.sts.utils import random_session_token

from orchestrator.sandbox.authorization import identity_verdict
from orchestrator.sandbox.identity_policy import check_identity, load_aws_managed
from orchestrator.sandbox.organization_policies import RESOURCE, decide_for_account
from orchestrator.sandbox.organization_policies import SERVICE as SERVICE_CONTROL
from orchestrator.sandbox.policy import (
    AccessRequest,
    Document,
    PolicySet,
    decide,
    decide_all,
    parse_policy,
)
from orchestrator.sandbox.request_context import context_of, tags_of_holder
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import (
    PARTITION,
    Caller,
    SandboxState,
    Session,
    default_version,
    iam,
    identity_policies,
    role,
)
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "sts"
ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)")
HOUR = 3600
_OF_ACCOUNT = 0x7FFFFFFFFF80  # the bits of an access key's id that encode its account
_MOST_CHARACTERS = 2048  # of a session policy
_NOTHING: Document = {"Statement": []}  # a federated user without a policy may do nothing


def assume_role(state: SandboxState, call: Call) -> dict[str, Any]:
    """AssumeRole: the trust policy must name the caller and its conditions must hold.

    From another account the caller's own policies must allow it too; in the same account either
    the trust policy names the caller itself, or it names the account and they allow it.
    """
    arn, target = target_of(call)
    _check_tags(call)
    context = _context(call, target)
    request = AccessRequest("sts:AssumeRole", arn, context, {"AWS": call.caller.names})
    needed = [request]
    if call.parameters.get("Tags"):
        needed.append(replace(request, action="sts:TagSession"))
    if call.parameters.get("SourceIdentity"):
        needed.append(replace(request, action="sts:SetSourceIdentity"))
    refused = next((r for r in needed if target is None or not _trusts(target, call, r)), None)
    if refused is not None:
        raise ServiceError(
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: {refused.action}"
            f" on resource: {arn}{_reason(call, target, refused)}",
            403,
        )
    duration = int(call.parameters.get("DurationSeconds") or HOUR)
    if call.caller.kind == "role" and duration > HOUR:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by"
            " role chaining",
        )
    return session_of(state, call, target, duration)


def target_of(call: Call) -> tuple[str, Any]:
    """Get the ARN and moto's role; None if there is none of exactly that path and name.

    Raises:
        ServiceError: ValidationError, it is no ARN of a role.
    """
    arn = call.parameters["RoleArn"]
    match = ROLE_ARN.fullmatch(arn)
    if not match:
        raise ServiceError("ValidationError", f"{arn} is invalid")
    target = role(match[1], match[2])
    return arn, target if target is not None and target.arn == arn else None


def session_of(state: SandboxState, call: Call, target: Any, duration: int) -> dict[str, Any]:
    """Make a session of a role, of a duration in seconds: its credentials and its ARN.

    Raises:
        ServiceError: ValidationError, the role's sessions are shorter; or a policy is not valid.
    """
    given, session = call.parameters, call.parameters["RoleSessionName"]
    if duration > int(target.max_session_duration or HOUR):
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    account_id = target.account_id
    made = sts_backends[account_id][PARTITION].assume_role(
        region_name=call.region,
        role_session_name=session,
        role_arn=target.arn,
        policy=given.get("Policy"),
        duration=duration,
        external_id=given.get("ExternalId"),
    )
    arn = f"arn:{PARTITION}:sts::{account_id}:assumed-role/{target.name}/{session}"
    caller = Caller(
        account_id,
        arn,
        "role",
        target.name,
        target.path,
        tuple(_session_policies(account_id, given)),
        (*call.caller.transitive_tags, *map(str.lower, given.get("TransitiveTagKeys", []))),
        session_context=_session_context(call),
    )
    state.sessions[made.access_key_id] = Session(
        caller, made.secret_access_key, made.session_token, time.time() + duration
    )
    answer: dict[str, Any] = {
        "Credentials": {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": made.session_token,
            "Expiration": made.expiration,
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{target.id}:{session}", "Arn": arn},
    }
    if given.get("Policy") or given.get("PolicyArns") or given.get("Tags"):
        answer["PackedPolicySize"] = 6
    if "SourceIdentity" in given:
        answer["SourceIdentity"] = given["SourceIdentity"]
    return answer


def _reason(call: Call, target: Any | None, request: AccessRequest) -> str:
    """Say what the caller's own policies lack; empty if the role does not trust it."""
    trusts = target is not None and decide(
        [parse_policy(target.assume_role_policy_document)], request, resource_policy=True
    )
    verdict = identity_verdict(call.caller, request)
    if trusts != "allowed" or verdict.decision == "allowed":
        return ""
    return verdict.reason(request.action)


def _session_context(call: Call) -> dict[str, str | list[str]]:
    """The condition keys of a new session: its tags, and how and when it was begun."""
    given, before = call.parameters, call.caller.session_context
    kept = (f"aws:principaltag/{key}" for key in call.caller.transitive_tags)
    context: dict[str, str | list[str]] = {
        **{name: value for name, value in before.items() if name.lower() in set(kept)},
        **{f"aws:PrincipalTag/{tag['Key']}": tag["Value"] for tag in given.get("Tags", [])},
        "aws:MultiFactorAuthPresent": "true" if "TokenCode" in given else "false",
        "aws:TokenIssueTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if identity := given.get("SourceIdentity") or before.get("aws:SourceIdentity"):
        context["aws:SourceIdentity"] = identity
    return context


def _session_policies(account_id: str, given: dict[str, Any]) -> list[Document]:
    documents = []
    for entry in given.get("PolicyArns", []):
        load_aws_managed(account_id, entry["arn"])
        held = iam(account_id).managed_policies.get(entry["arn"])
        if held is None:
            raise ServiceError("InvalidParameterValue", f"Policy {entry['arn']} is not found.")
        documents.append(parse_policy(default_version(held)))
    if given.get("Policy"):
        if len(given["Policy"]) > _MOST_CHARACTERS:
            share = len(given["Policy"]) * 100 // _MOST_CHARACTERS
            raise ServiceError(
                "PackedPolicyTooLarge",
                f"Packed policy consumes {share}% of allotted space, please use smaller policy.",
            )
        try:
            documents.append(parse_policy(given["Policy"]))
        except ValueError:
            raise ServiceError(
                "MalformedPolicyDocument", "This policy contains invalid Json"
            ) from None
        check_identity(given["Policy"], with_version=False)
    return documents


def _check_tags(call: Call) -> None:
    keys = [tag["Key"].lower() for tag in call.parameters.get("Tags", [])]
    if len(keys) != len(set(keys)):
        raise ServiceError(
            "InvalidParameterValue",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        )
    if {key.lower() for key in call.parameters.get("TransitiveTagKeys", [])} - set(keys):
        raise ServiceError(
            "InvalidParameterValue",
            "The specified transitive tag key must be included in the requested tags.",
        )
    if {*keys} & {*call.caller.transitive_tags}:
        raise ServiceError(
            "InvalidParameterValue",
            "One of the specified transitive tag keys can't be set because it conflicts with a"
            " transitive tag key from the calling session.",
        )


def _context(call: Call, target: Any) -> dict[str, str | list[str]]:
    """The condition keys of AssumeRole; those of the resource are of the role's account."""
    context = context_of(call, target.account_id if target is not None else "")
    if target is not None:
        for key, value in tags_of_holder(target.account_id, target).items():
            context[f"aws:ResourceTag/{key}"] = context[f"iam:ResourceTag/{key}"] = value
    if "TokenCode" in call.parameters:
        context["aws:MultiFactorAuthPresent"] = "true"
    return context


def _trusts(target: Any, call: Call, request: AccessRequest) -> bool:
    """Decide by the organization, the role's trust policy, which must allow, and the caller's."""
    caller = call.caller
    if decide_for_account(RESOURCE, target.account_id, request).decision != "allowed":
        return False
    if decide_for_account(SERVICE_CONTROL, caller.account_id, request).decision != "allowed":
        return False
    policies, boundary = identity_policies(caller.account_id, caller.kind, caller.name)
    decision = decide_all(
        PolicySet(
            policies,
            boundary,
            parse_policy(target.assume_role_policy_document),
            session=list(caller.session_policies),
            resource_decides=True,
        ),
        request,
        same_account=target.account_id == caller.account_id,
    )
    return decision == "allowed"


def get_caller_identity(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetCallerIdentity."""
    caller = call.caller
    if ":federated-user/" in caller.arn:
        unique = f"{caller.account_id}:{caller.arn.rpartition('/')[2]}"
    elif caller.kind == "role":
        held = role(caller.account_id, caller.name)
        unique = f"{held.id if held else 'AROA'}:{caller.arn.rpartition('/')[2]}"
    else:
        held = iam(caller.account_id).users.get(caller.name)
        unique = str(held.id) if held else caller.account_id
    return {"Account": caller.account_id, "Arn": caller.arn, "UserId": unique}


def get_access_key_info(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetAccessKeyInfo: the account of any key, since a key's id encodes its account."""
    key_id = call.parameters["AccessKeyId"]
    holder = state.caller(key_id)
    try:
        number = int.from_bytes(base64.b32decode(key_id[4:20])[:6], "big")
    except ValueError:
        number = 0
    return {"Account": holder.account_id if holder else f"{(number & _OF_ACCOUNT) >> 7:012}"}


def get_session_token(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetSessionToken: temporary keys of the same user."""
    if call.caller.kind != "user" or call.caller.has_mfa is not None:
        raise ServiceError(
            "AccessDenied", "Cannot call GetSessionToken with session credentials", 403
        )
    caller = replace(
        call.caller,
        has_mfa="TokenCode" in call.parameters,
        session_context=_session_context(call),
    )
    return {"Credentials": keys_of(state, call, caller, 12 * HOUR)}


def get_federation_token(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetFederationToken: what the user may do, limited by a policy."""
    caller, name = call.caller, call.parameters["Name"]
    if caller.kind != "user" or caller.has_mfa is not None:
        raise ServiceError(
            "AccessDenied", "Cannot call GetFederationToken with session credentials", 403
        )
    arn = f"arn:{PARTITION}:sts::{caller.account_id}:federated-user/{name}"
    policies = tuple(_session_policies(caller.account_id, call.parameters)) or (_NOTHING,)
    federated = replace(
        caller,
        arn=arn,
        session_policies=policies,
        has_mfa=False,
        session_context=_session_context(call),
    )
    return {
        "Credentials": keys_of(state, call, federated, 12 * HOUR),
        "FederatedUser": {"FederatedUserId": f"{caller.account_id}:{name}", "Arn": arn},
        "PackedPolicySize": 0,
    }


def keys_of(state: SandboxState, call: Call, caller: Caller, default: int) -> dict[str, Any]:
    """Make temporary keys of a caller; ``default``: for how many seconds if the call says none."""
    key = AccessKey(user_name=None, prefix="ASIA", account_id=caller.account_id)
    seconds = int(call.parameters.get("DurationSeconds") or default)
    token = random_session_token()
    state.sessions[key.access_key_id] = Session(
        caller, key.secret_access_key, token, time.time() + seconds
    )
    return {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": token,
        "Expiration": datetime.now(timezone.utc) + timedelta(seconds=seconds),
    }


def decode_message(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """DecodeAuthorizationMessage: no service of the sandbox encodes its denials."""
    raise ServiceError(
        "InvalidAuthorizationMessageException", "The specified authorization message is invalid."
    )


OPERATIONS: dict[str, Operation] = {
    "DecodeAuthorizationMessage": decode_message,
    "GetAccessKeyInfo": get_access_key_info,
    "GetCallerIdentity": get_caller_identity,
    "GetFederationToken": get_federation_token,
    "GetSessionToken": get_session_token,
    "AssumeRole": assume_role,
}
