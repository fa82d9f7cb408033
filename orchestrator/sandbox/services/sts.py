"""STS: AssumeRole, authorized by the role's trust policy; the rest is moto's.

Source: IAM User Guide, "Cross-account policy evaluation logic"; STS API Reference, AssumeRole.
"""

from __future__ import annotations

import re
from typing import Any

from moto.sts.models import sts_backends

from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import PARTITION, Caller, SandboxState, identity_policies, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "sts"
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)")


def assume_role(state: SandboxState, call: Call) -> dict[str, Any]:
    """AssumeRole: the trust policy must name the caller and its conditions must hold.

    From another account the caller's own policies must allow it too; in the same account either
    the trust policy names the caller itself, or it names the account and they allow it.
    """
    arn = call.parameters["RoleArn"]
    match = _ROLE_ARN.fullmatch(arn)
    if not match:
        raise ServiceError("ValidationError", f"{arn} is invalid")
    account_id, name = match.groups()
    target = role(account_id, name)
    request = AccessRequest("sts:AssumeRole", arn, _context(call), {"AWS": call.caller.names})
    if target is None or not _trusts(target, call, account_id, request):
        raise ServiceError(
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole"
            f" on resource: {arn}",
            403,
        )
    session = call.parameters["RoleSessionName"]
    duration = int(call.parameters.get("DurationSeconds") or 3600)
    if duration > int(target.max_session_duration or 3600):
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    made = sts_backends[account_id][PARTITION].assume_role(
        region_name=call.region,
        role_session_name=session,
        role_arn=arn,
        policy=call.parameters.get("Policy"),
        duration=duration,
        external_id=call.parameters.get("ExternalId"),
    )
    state.sessions[made.access_key_id] = Caller(
        account_id, f"arn:{PARTITION}:sts::{account_id}:assumed-role/{name}/{session}", "role", name
    )
    return {
        "Credentials": {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": made.session_token,
            "Expiration": made.expiration,
        },
        "AssumedRoleUser": {"AssumedRoleId": made.user_id, "Arn": made.arn},
        "PackedPolicySize": 6,
    }


def _context(call: Call) -> dict[str, str]:
    context = {"aws:PrincipalAccount": call.caller.account_id, "aws:PrincipalArn": call.caller.arn}
    if "ExternalId" in call.parameters:
        context["sts:ExternalId"] = call.parameters["ExternalId"]
    return context


def _trusts(target: Any, call: Call, account_id: str, request: AccessRequest) -> bool:
    trust = parse_policy(target.assume_role_policy_document)
    if decide([trust], request, resource_policy=True) != "allowed":
        return False
    policies, boundary = identity_policies(
        call.caller.account_id, call.caller.kind, call.caller.name
    )
    by_identity = decide(policies, request)
    if boundary and by_identity == "allowed":
        by_identity = decide(boundary, request)
    if by_identity == "explicitDeny":
        return False
    itself = AccessRequest(
        request.action, request.resource, request.context, {"AWS": [call.caller.arn]}
    )
    named = decide([trust], itself, resource_policy=True) == "allowed"
    return by_identity == "allowed" or (account_id == call.caller.account_id and named)


OPERATIONS: dict[str, Operation] = {"AssumeRole": assume_role}
