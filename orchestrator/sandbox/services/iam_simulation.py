"""IAM: the policy simulator, with boundary and the organization's policies.

Source: IAM API Reference, SimulatePrincipalPolicy, SimulateCustomPolicy, EvaluationResult,
GetContextKeysForCustomPolicy; answers recorded on AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from orchestrator.sandbox.iam_pagination import page
from orchestrator.sandbox.identity_policy import check_identity
from orchestrator.sandbox.organization_policies import SERVICE as SERVICE_CONTROL
from orchestrator.sandbox.organization_policies import decide_for_account, is_member
from orchestrator.sandbox.policy import (
    AccessRequest,
    Decision,
    Document,
    PolicySet,
    as_list,
    decide,
    decide_all,
)
from orchestrator.sandbox.policy_grammar import conditions
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import PARTITION, SandboxState, default_version, iam, role
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_SOURCE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(role|user|group)(/(?:.*/)?)([\w+=,.@-]+)")
_ARN = re.compile(r"\*|arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_ACTION = re.compile(r"[\w-]+:\w+")
_OWNER = re.compile(r"arn:[^:]+:iam::\d{12}:root")
_VARIABLE = re.compile(r"\$\{([^},*?$]+)")
Texts = list[tuple[str, str]]  # the id of each policy, and its text


@dataclass(frozen=True)
class Simulated:
    """What a simulation decides by.

    Attributes:
        texts: the policies of the identity.
        boundary: its permissions boundary; empty without one.
        known: the context keys that the identity itself has.
        account_id: whose organization counts; empty for none.
        resource: the policy that each resource has; empty without one.
        caller: the ARN of the identity, which the resource's policy may name.
    """

    texts: Texts
    boundary: Texts
    known: dict[str, str] = field(default_factory=dict)
    account_id: str = ""
    resource: Texts = field(default_factory=list)
    caller: str = ""


def simulate_principal(_state: SandboxState, call: Call) -> dict[str, Any]:
    """SimulatePrincipalPolicy: every action on every resource, also by further policies."""
    given = call.parameters
    account_id, kind, name, holder = _holder(call)
    texts = [*_texts_of(account_id, kind, name, holder), *_inputs(given, "PolicyInputList")]
    boundary = _inputs(given, "PermissionsBoundaryPolicyInputList")
    arn = getattr(holder, "permissions_boundary_arn", None)
    if not boundary and arn in iam(account_id).managed_policies:
        held = iam(account_id).managed_policies[arn]
        boundary = [(held.name, default_version(held))]
    known = {"aws:username": name, "aws:userid": holder.id} if kind == "user" else {}
    caller = given.get("CallerArn", given["PolicySourceArn"])
    resource = _resource_policy(given)
    return _simulate(call, Simulated(texts, boundary, known, account_id, resource, caller))


def simulate_custom(_state: SandboxState, call: Call) -> dict[str, Any]:
    """SimulateCustomPolicy: by the policies that are given, and no others."""
    texts = _inputs(call.parameters, "PolicyInputList")
    boundary = _inputs(call.parameters, "PermissionsBoundaryPolicyInputList")
    resource, caller = _resource_policy(call.parameters), call.parameters.get("CallerArn", "")
    return _simulate(call, Simulated(texts, boundary, resource=resource, caller=caller))


def context_keys_of_custom(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetContextKeysForCustomPolicy: the keys that policies refer to."""
    return _context_keys(_inputs(call.parameters, "PolicyInputList"))


def context_keys_of_principal(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetContextKeysForPrincipalPolicy: with those of an identity's own policies."""
    texts = _texts_of(*_holder(call))
    return _context_keys([*texts, *_inputs(call.parameters, "PolicyInputList")])


def _context_keys(texts: Texts) -> dict[str, Any]:
    found = [key for _, text in texts for s in _statements(text) for key in _keys_of(s)]
    unique = {key.lower(): key for key in reversed(found)}
    return {"ContextKeyNames": sorted(unique.values())}


def _holder(call: Call) -> tuple[str, str, str, Any]:
    """Get the identity that a simulation is about: account, kind, name and moto's object."""
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
    return account_id, kind, name, holder


def _inputs(given: dict[str, Any], name: str) -> Texts:
    """Get the policies of a parameter, by the ids that results call them."""
    texts = [(f"{name}.{number}", text) for number, text in enumerate(given.get(name, []), 1)]
    for _, text in texts:
        try:
            decide([_document(text)], AccessRequest("iam:GetUser", "*"))
            _context_keys([("", text)])
            check_identity(text, with_version=False)
        except ServiceError as error:
            raise ServiceError("InvalidInput", error.message) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ServiceError("InvalidInput", f"Invalid Policy: {text}") from None
    return texts


def _resource_policy(given: dict[str, Any]) -> Texts:
    text, caller = given.get("ResourcePolicy"), given.get("CallerArn")
    owner = given.get("ResourceOwner")
    if owner and not _OWNER.fullmatch(owner):
        raise ServiceError("InvalidInput", f"'{owner}' is not a valid as a Resource Owner.")
    if caller and ":user/" not in caller:
        raise ServiceError("InvalidInput", f"Invalid Caller Arn: {caller}")
    if text and caller is None and "PolicySourceArn" not in given:
        raise ServiceError("InvalidInput", "CallerArn is required for resource-policy simulation.")
    return [("ResourcePolicy", text)] if text else []


def _simulate(call: Call, simulated: Simulated) -> dict[str, Any]:
    given = call.parameters
    for action in given["ActionNames"]:
        if not _ACTION.fullmatch(action):
            raise ServiceError("InvalidInput", f"Invalid Action: {action}")
    for resource in given.get("ResourceArns") or []:
        if not _ARN.fullmatch(resource):
            text = f"ResourceNames are not in a valid ARN format: {resource}."
            raise ServiceError("InvalidInput", text)
    context: dict[str, str | list[str]] = {**simulated.known}
    for entry in given.get("ContextEntries", []):
        values = [str(value) for value in entry["ContextKeyValues"]]
        is_list = "List" in entry["ContextKeyType"]
        if values:
            context[entry["ContextKeyName"]] = values if is_list else values[0]
    results = []
    for action in given["ActionNames"]:
        for resource in given.get("ResourceArns") or ["*"]:
            names = [name for name in (simulated.caller, _root_of(simulated.caller)) if name]
            request = AccessRequest(action, resource, context, {"AWS": names})
            result = _decided(simulated, request)
            if "ResourceArns" in given:
                result["ResourceSpecificResults"] = [_for_resource(result)]
                if resource != "*":  # the missing keys are said of the resource
                    result["MissingContextValues"] = []
            results.append(result)
    return page("EvaluationResults", results, call)


def _decided(simulated: Simulated, request: AccessRequest) -> dict[str, Any]:
    texts, boundary = simulated.texts, simulated.boundary
    identity: list[Document] = [_document(text) for _, text in texts]
    resource = next((_document(text) for _, text in simulated.resource), None)
    decided = decide_all(PolicySet(identity, resource=resource), request, same_account=True)
    decisions: list[Decision] = [decided]
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "MatchedStatements": [
            m for id_, text in [*texts, *simulated.resource] for m in _matched(id_, text, request)
        ],
        "MissingContextValues": _missing([*texts, *boundary], request),
        "EvalDecisionDetails": {},
    }
    if simulated.account_id and is_member(simulated.account_id):
        found = decide_for_account(SERVICE_CONTROL, simulated.account_id, request).decision
        decisions.append(found)
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": found == "allowed"}
    if boundary:
        found = decide([_document(text) for _, text in boundary], request)
        decisions.append(found)
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": found == "allowed"
        }
    kinds = ("explicitDeny", "implicitDeny", "allowed")
    return {**result, "EvalDecision": next(kind for kind in kinds if kind in decisions)}


def _root_of(arn: str) -> str:
    account_id = arn.split(":")[4] if arn.count(":") > 4 else ""
    return f"arn:{PARTITION}:iam::{account_id}:root" if account_id else ""


def _for_resource(result: dict[str, Any]) -> dict[str, Any]:
    specific = {
        "EvalResourceName": result["EvalResourceName"],
        "EvalResourceDecision": result["EvalDecision"],
        "MatchedStatements": result["MatchedStatements"],
        "MissingContextValues": result["MissingContextValues"],
    }
    if "PermissionsBoundaryDecisionDetail" in result:
        specific["PermissionsBoundaryDecisionDetail"] = result["PermissionsBoundaryDecisionDetail"]
    return specific


def _missing(texts: Texts, request: AccessRequest) -> list[str]:
    """List the context keys that the statements about an action need and that are not given."""
    given = {key.lower() for key in request.context}
    missing: dict[str, str] = {}
    for statement in (one for _, text in texts for one in _statements(text)):
        keys = {key.lower(): key for key in _keys_of(statement) if key.lower() not in given}
        without = {name: value for name, value in statement.items() if name != "Condition"}
        if keys and decide([{"Statement": {**without, "Effect": "Allow"}}], request) == "allowed":
            missing = {**keys, **missing}
    return sorted(missing.values())


def _keys_of(statement: Any) -> Iterator[str]:
    """Name the context keys of a statement: of its conditions, and its policy variables."""
    yield from (key for _, key, _ in conditions(statement))
    values: Iterable[Any] = (v for _, _, values in conditions(statement) for v in values)
    for text in (*as_list(statement.get("Resource", [])), *values):
        yield from (name.strip() for name in _VARIABLE.findall(str(text)))


@lru_cache(maxsize=512)
def _document(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document


def _statements(text: str) -> list[Any]:
    return as_list(_document(text)["Statement"])


def _texts_of(account_id: str, kind: str, name: str, holder: Any) -> Texts:
    """Get the policies of an identity, and of a user's groups, by their ids in results."""
    inline = [(f"{kind}_{holder.name}_{key}", text) for key, text in holder.policies.items()]
    texts = inline + [(m.name, default_version(m)) for m in holder.managed_policies.values()]
    if kind == "user":
        for group in iam(account_id).groups.values():
            if any(member.name == name for member in group.users):
                texts += _texts_of(account_id, "group", group.name, group)
    return texts


def _matched(id_: str, text: str, request: AccessRequest) -> list[dict[str, Any]]:
    """List the statements of a policy that match, with their place in its text."""
    document, found = _document(text), []
    position = text.index("{", text.index('"Statement"'))
    for statement in as_list(document["Statement"]):
        start = text.index("{", position)
        position = json.JSONDecoder().raw_decode(text, start)[1]
        only = {**document, "Statement": [statement]}
        names = "Principal" in statement or "NotPrincipal" in statement
        if decide([only], request, resource_policy=names) != "implicitDeny":
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


OPERATIONS: dict[str, Operation] = {
    "GetContextKeysForCustomPolicy": context_keys_of_custom,
    "GetContextKeysForPrincipalPolicy": context_keys_of_principal,
    "SimulateCustomPolicy": simulate_custom,
    "SimulatePrincipalPolicy": simulate_principal,
}
