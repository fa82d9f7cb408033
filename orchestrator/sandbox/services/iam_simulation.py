"""IAM: SimulatePrincipalPolicy, with boundary and the organization's policies.

Source: IAM API Reference, EvaluationResult; answers recorded on AWS.
"""

from __future__ import annotations

import json
import re
from typing import Any

from orchestrator.sandbox.organization_policies import SERVICE as SERVICE_CONTROL
from orchestrator.sandbox.organization_policies import decide_for_account, is_member
from orchestrator.sandbox.policy import AccessRequest, as_list, decide
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, default_version, iam, identity_policies, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_SOURCE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(role|user|group)(/(?:.*/)?)([\w+=,.@-]+)")
Texts = list[tuple[str, str]]  # the id of each policy, and its text


def simulate(_state: SandboxState, call: Call) -> dict[str, Any]:
    """SimulatePrincipalPolicy: every action on every resource."""
    arn = call.parameters["PolicySourceArn"]
    source = _SOURCE.fullmatch(arn)
    if not source:
        raise ServiceError("InvalidInput", f"Invalid Entity Arn: {arn}")
    account_id, kind, _, name = source.groups()
    own = iam(account_id)
    holder = (
        role(account_id, name)
        if kind == "role"
        else (own.users if kind == "user" else own.groups).get(name)
    )
    if account_id != call.caller.account_id or holder is None:
        raise ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
    texts = _texts(kind, holder)
    if kind == "user":
        for group in own.groups.values():
            if any(member.name == name for member in group.users):
                texts += _texts("group", group)
    boundary = identity_policies(account_id, kind, name)[1] if kind != "group" else []
    context = {
        entry["ContextKeyName"]: values if "List" in entry["ContextKeyType"] else values[0]
        for entry in call.parameters.get("ContextEntries", [])
        if (values := [str(value) for value in entry["ContextKeyValues"]])
    }
    results = []
    for action in call.parameters["ActionNames"]:
        for resource in call.parameters.get("ResourceArns") or ["*"]:
            request = AccessRequest(action, resource, context)
            result = _decided(account_id, texts, boundary, request)
            if "ResourceArns" in call.parameters:
                result["ResourceSpecificResults"] = [_for_resource(result)]
            results.append(result)
    return _page(results, call)


def _decided(
    account_id: str, texts: Texts, boundary: list[Any], request: AccessRequest
) -> dict[str, Any]:
    decision = decide([json.loads(text) for _, text in texts], request)
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "MatchedStatements": [m for id_, text in texts for m in _matched(id_, text, request)],
        "MissingContextValues": [],
        "EvalDecisionDetails": {},
    }
    if is_member(account_id):
        by_organization = decide_for_account(SERVICE_CONTROL, account_id, request).decision
        allowed = by_organization == "allowed"
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
        if not allowed and decision != "explicitDeny":
            decision = by_organization
    if boundary:
        by_boundary = decide(boundary, request)
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": by_boundary == "allowed"
        }
        if decision == "allowed":
            decision = by_boundary
    return {**result, "EvalDecision": decision}


def _for_resource(result: dict[str, Any]) -> dict[str, Any]:
    specific = {
        "EvalResourceName": result["EvalResourceName"],
        "EvalResourceDecision": result["EvalDecision"],
        "MatchedStatements": result["MatchedStatements"],
        "MissingContextValues": [],
    }
    if "PermissionsBoundaryDecisionDetail" in result:
        specific["PermissionsBoundaryDecisionDetail"] = result["PermissionsBoundaryDecisionDetail"]
    return specific


def _texts(kind: str, holder: Any) -> Texts:
    inline = [(f"{kind}_{holder.name}_{name}", text) for name, text in holder.policies.items()]
    managed = [(m.name, default_version(m)) for m in holder.managed_policies.values()]
    return inline + managed


def _matched(id_: str, text: str, request: AccessRequest) -> list[dict[str, Any]]:
    """List the statements of a policy that match, with their place in its text."""
    statements = as_list(json.loads(text)["Statement"])
    found = []
    position = text.index("{", text.index('"Statement"'))
    for statement in statements:
        start = text.index("{", position)
        position = json.JSONDecoder().raw_decode(text, start)[1]
        if decide([{"Statement": [statement]}], request) != "implicitDeny":
            found.append(
                {
                    "SourcePolicyId": id_,
                    "SourcePolicyType": "IAM Policy",
                    "StartPosition": _place(text, start + 1),
                    "EndPosition": _place(text, position),
                }
            )
    return found


def _place(text: str, offset: int) -> dict[str, int]:
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - before.rfind("\n")}


def _page(results: list[dict[str, Any]], call: Call) -> dict[str, Any]:
    size = int(call.parameters.get("MaxItems") or 100)
    start = int(call.parameters.get("Marker") or 0)
    page: dict[str, Any] = {
        "EvaluationResults": results[start : start + size],
        "IsTruncated": start + size < len(results),
    }
    if page["IsTruncated"]:
        page["Marker"] = str(start + size)
    return page


OPERATIONS: dict[str, Operation] = {"SimulatePrincipalPolicy": simulate}
