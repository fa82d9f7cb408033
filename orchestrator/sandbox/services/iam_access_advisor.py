"""IAM: which services an entity's policies let it use, and when it used them: never.

Source: IAM API Reference, GenerateServiceLastAccessedDetails, GetServiceLastAccessedDetails,
ListPoliciesGrantingServiceAccess; IAM User Guide, "Refine permissions using last accessed
information" (what was used appears after hours).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from moto.core.utils import get_service_model

from orchestrator.sandbox.policy import as_list, parse_policy
from orchestrator.sandbox.services import Operation, find
from orchestrator.sandbox.state import SandboxState, default_version, iam, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_Jobs = dict[str, tuple[str, str, datetime]]  # account and entity by the job's id, and its start


def generate(state: SandboxState, call: Call) -> dict[str, Any]:
    """GenerateServiceLastAccessedDetails: of a role, user, group or policy."""
    list(_policies(call.caller.account_id, call.parameters["Arn"]))
    job_id = str(uuid.uuid4())
    now = datetime.now(timezone.utc)
    _jobs(state)[job_id] = (call.caller.account_id, call.parameters["Arn"], now)
    return {"JobId": job_id}


def get_details(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetServiceLastAccessedDetails: the services that the entity may use, none of them used."""
    job_id = call.parameters["JobId"]
    account_id, arn, started = _jobs(state).get(job_id, ("", "", datetime.now(timezone.utc)))
    if account_id != call.caller.account_id:
        raise ServiceError("NoSuchEntity", f"Job {job_id} cannot be found.", 404)
    texts = [text for _, text in _policies(account_id, arn)]
    used = [
        {
            "ServiceName": get_service_model(name).metadata["serviceFullName"],
            "ServiceNamespace": name,
            "TotalAuthenticatedEntities": 0,
        }
        for name in sorted(find())
        if any(_grants(text, name) for text in texts)
    ]
    return {
        "JobStatus": "COMPLETED",
        "JobType": "SERVICE_LEVEL",
        "JobCreationDate": started,
        "JobCompletionDate": started,
        "ServicesLastAccessed": used,
        "IsTruncated": False,
    }


def list_granting(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListPoliciesGrantingServiceAccess: those with an Allow for the service, by service."""
    policies = list(_policies(call.caller.account_id, call.parameters["Arn"]))
    return {
        "PoliciesGrantingServiceAccess": [
            {
                "ServiceNamespace": name,
                "Policies": [shown for shown, text in policies if _grants(text, name)],
            }
            for name in call.parameters["ServiceNamespaces"]
        ],
        "IsTruncated": False,
    }


def _policies(account_id: str, arn: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield how each policy of an entity is named, and its text.

    Raises:
        ServiceError: NoSuchEntity.
    """
    kind, _, name = arn.rpartition(":")[2].rpartition("/")
    kind, own, holders = kind.partition("/")[0], iam(account_id), list[Any]()
    if kind == "role":
        holders = [role(account_id, name)]
    elif kind == "user":
        groups = [g for g in own.groups.values() if any(u.name == name for u in g.users)]
        holders = [own.users.get(name), *groups]
    elif kind == "group":
        holders = [own.groups.get(name)]
    elif kind == "policy" and arn in own.managed_policies:
        yield _managed(own.managed_policies[arn]), default_version(own.managed_policies[arn])
        return
    if not holders or holders[0] is None or holders[0].arn != arn:
        raise ServiceError("NoSuchEntity", f"ARN {arn} does not exist.", 404)
    for holder in holders:
        of = {"EntityType": kind.upper() if holder is holders[0] else "GROUP"}
        for policy, text in holder.policies.items():
            inline = {"PolicyName": policy, "PolicyType": "INLINE", "EntityName": holder.name}
            yield {**inline, **of}, text
        for policy in holder.managed_policies.values():
            yield _managed(policy), default_version(policy)


def _managed(policy: Any) -> dict[str, str]:
    return {"PolicyName": policy.name, "PolicyType": "MANAGED", "PolicyArn": policy.arn}


def _grants(text: str, namespace: str) -> bool:
    """Whether a policy allows an action of a service."""
    allowed = [s for s in as_list(parse_policy(text)["Statement"]) if s["Effect"] == "Allow"]
    actions = [action for s in allowed for action in as_list(s.get("Action", "*"))]
    return any(action.partition(":")[0].lower() in ("*", namespace) for action in actions)


def _jobs(state: SandboxState) -> _Jobs:
    return state.of_service("iam access advisor", dict)


OPERATIONS: dict[str, Operation] = {
    "GenerateServiceLastAccessedDetails": generate,
    "GetServiceLastAccessedDetails": get_details,
    "ListPoliciesGrantingServiceAccess": list_granting,
}
