"""Read roles from a plan (as applied last, as AWS has them, as planned), and compare them.

The values are Terraform's own (``terraform show -json``); only managed policies are read from AWS.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from orchestrator.app.context import AccountContext
from orchestrator.detection import stackset_template
from orchestrator.model.effects import Boundaries, Repair, RoleChange, role_change
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.addresses import MODULE, managed_policy
from orchestrator.model.module_contract.inputs import Inputs, module_inputs
from orchestrator.model.module_contract.octo_names import (
    ADDITIONAL,
    CUR_ROLE,
    EXECUTION_BOUNDARY,
    EXECUTOR_ROLE,
    PRINCIPAL,
    READING_ROLES,
)
from orchestrator.model.module_contract.outputs import APPLIED_INPUTS
from orchestrator.model.observed import Document, Role
from orchestrator.model.policy import Policy, allowed, document, equivalent, matches
from orchestrator.model.policy.abilities import Powers, allowed_by
from orchestrator.terraform.plan import Plan, ResourceValues
from orchestrator.terraform.state import STACKSET

_ROLE, _POLICY = "aws_iam_role", "aws_iam_role_policy"
_MANAGED, _ATTACHMENT = "aws_iam_policy", "aws_iam_role_policy_attachment"
_ACCOUNT = "ACCOUNT"  # stands for each linked account's own id
_OF_POLICIES = (
    *("assume_role_policy", "inline_policy", "managed_policy_arns", "permissions_boundary"),
    "tags_all",
)
_LATER = "(known after apply)"
_WEAKER_TRUST = f"{CUR_ROLE} trusts {PRINCIPAL} without sts:ExternalId"
_Side = Callable[[ResourceValues], Mapping[str, Any] | None]
# A resource's values: as applied last, in AWS, as planned; None where it does not exist.
_applied: _Side = operator.attrgetter("applied")
before_of: _Side = operator.attrgetter("before")
after_of: _Side = operator.attrgetter("after")


@dataclass(frozen=True)
class PlannedRoles:
    """The roles of one plan at three times: as applied last, as AWS has them, as planned."""

    context: AccountContext
    plan: Plan

    def _of_type(self, *types: str) -> Iterator[ResourceValues]:
        return (r for r in self.plan.resources if r.type in types)

    def roles(self, since: _Side) -> list[RoleChange]:
        """Compare each role of the account at an earlier time with the planned one."""
        before, after = self._roles(since), self._roles(after_of)
        boundaries = self._boundaries(before, after)
        return [
            role_change(self._read(before.get(name)), after.get(name), boundaries)
            for name in sorted(before.keys() | after.keys())
        ]

    def linked_roles(self, since: _Side) -> list[RoleChange]:
        """Compare each role of the StackSet's template at an earlier time with the planned one."""
        found = []
        for stackset in self._of_type(STACKSET):
            (before, own), (after, made) = (self._template(stackset, s) for s in (since, after_of))
            for name in sorted(before.keys() | after.keys()):
                boundaries = {**own, **made}
                found.append(
                    role_change(before.get(name), after.get(name), boundaries, in_linked=True)
                )
        return found

    def consents(self) -> list[str]:
        """List the lines that ``accept`` needs, compared with what was applied last."""
        if not self._agreed_roles():
            return []  # a first registration, or one that was interrupted, is asked for as a whole
        now = module_inputs(self.context.registration)
        then = self._inputs_applied()
        own = _asked(now, then, now.features, then.features if then else now.features)
        linked_then = then.linked_features if then else now.linked_features
        linked = _asked(now, then, now.linked_features, linked_then)
        lines = [line for change in self._unagreed() for line in _unasked(change, own).consents]
        if any(r.applied for r in self._of_type(STACKSET)):
            changes = self.linked_roles(_applied)
            lines += [line for change in changes for line in _unasked(change, linked).consents]
        if self.context.registration.cur_role_trust == "principal_only":  # names just this
            lines = [line for line in lines if line != _WEAKER_TRUST]
        return list(dict.fromkeys(lines))

    def _inputs_applied(self) -> Inputs | None:
        """Return the settings that were applied last; None if an older version did not note it.

        The features are those of the roles' own output, which an interrupted apply leaves as it was
        until the roles exist; the settings' output is written by it.
        """
        outputs = self.plan.outputs_applied
        if not isinstance(outputs.get(APPLIED_INPUTS), Mapping):
            return None
        applied = {**outputs[APPLIED_INPUTS], "features": outputs["api_access"]["features"]}
        names = ("features", "stackset_features", "execution_actions", "additional_actions")
        if "execution" not in (*applied["features"], *(applied.get("stackset_features") or ())):
            applied["execution_actions"] = None  # noted, but the roles of execution do not exist
        given = {name: tuple(applied[name]) for name in names if applied.get(name) is not None}
        account = self.context.registration.account_id
        return Inputs(account_id=account, cur_s3_bucket_name="", **given)  # type: ignore[arg-type]

    def _agreed_roles(self) -> dict[str, Mapping[str, Any]]:
        """Return the roles of the last apply's outputs: consented to, whether they exist or not."""
        access = self.plan.outputs_applied.get("api_access")
        if not isinstance(access, Mapping):
            return {}
        cur = self.plan.outputs_applied.get("cur") or {}
        roles = [access, *access.get("feature_roles", ()), *filter(None, [cur.get("role")])]
        return {role["role_name"]: role for role in roles}

    def _unagreed(self) -> Iterator[RoleChange]:
        """Compare each role with what was applied last, or was consented to and interrupted."""
        agreed, before, after = self._agreed_roles(), self._roles(_applied), self._roles(after_of)
        boundaries = self._boundaries(before, after)
        for name in sorted(before.keys() | after.keys()):
            was, then = before.get(name), after.get(name)
            if name == CUR_ROLE and name not in agreed:
                continue  # the report's part of a registration was never completed
            if name in agreed and then is not None:
                consented = agreed[name].get("inline_policies", {})
                inline = {f"{n} (consented)": document(text) for n, text in consented.items()}
                was = was or replace(then, inline={})
                was = replace(was, inline={**was.inline, **inline})
            yield role_change(was, then, boundaries)

    def repairs(self) -> Iterator[Repair]:
        """List what was changed outside Terraform and is set back."""
        applied, found, after = (self._roles(side) for side in (_applied, before_of, after_of))
        for name, was in applied.items():
            now, then = found.get(name), after.get(name)
            if now is None and then is not None:
                yield Repair("is created again: it was deleted outside Terraform", name)
            elif now is not None and then is not None:
                yield from _role_repairs(was, self._read(now) or now, then)
        for resource in self.plan.resources:
            names = _drifted(resource)
            role = ""
            if resource.type == _ROLE:  # its policies have sentences of their own
                names = [name for name in names if name not in _OF_POLICIES]
                role = str((resource.after or {}).get("name") or "")
            if names and resource.type != _POLICY and "exclusive" not in resource.type:
                what = f"changed outside Terraform, set back: {', '.join(names)}"
                yield Repair(what, role, address=resource.address)

    def _roles(self, side: _Side) -> dict[str, Role]:
        found = {}
        for resource in self._of_type(_ROLE):
            values = side(resource)
            if values is None:
                continue
            name = str(values["name"])
            inline = {}
            for policy in self._of_type(_POLICY):
                attached = side(policy)
                if attached and attached.get("role") == name and attached.get("policy"):
                    inline[str(attached["name"])] = document(attached["policy"])
            managed = self._attached(name, side)
            if side is before_of:  # what the account has besides is in the role itself
                for one in values.get("inline_policy") or ():
                    inline[str(one["name"])] = document(one["policy"])
                managed = dict.fromkeys(values.get("managed_policy_arns") or ())
            boundary = values.get("permissions_boundary")
            if side is after_of and "permissions_boundary" in resource.unknown:
                boundary = _LATER
            found[name] = Role(
                name,
                str(values.get("arn") or ""),
                trust=document(values.get("assume_role_policy") or "{}"),
                inline=inline,
                managed=managed,
                boundary=boundary or None,
            )
        return found

    def _attached(self, role: str, side: _Side) -> dict[str, Document | None]:
        """Return the managed policies of the plan that are attached to a role, by ARN.

        The ARN of one that is to be created is known later: its name stands for it.
        """
        found: dict[str, Document | None] = {}
        for attachment in self._of_type(_ATTACHMENT):
            values = side(attachment)
            if values and values.get("role") == role:
                name = managed_policy(attachment.address.removeprefix(MODULE))
                found[values.get("policy_arn") or name] = self._managed(side).get(name)
        return found

    def _managed(self, side: _Side) -> dict[str, Document]:
        """Return the plan's managed policies, by name."""
        policies = filter(None, map(side, self._of_type(_MANAGED)))
        return {str(p["name"]): document(p["policy"]) for p in policies if p.get("policy")}

    def _read(self, role: Role | None) -> Role | None:
        """Add the documents of the policies that are attached to a role."""
        if role is None or not role.managed:
            return role
        return replace(role, managed=self.context.cloud.read_policies(role.managed))

    def _boundaries(self, *roles: Mapping[str, Role]) -> Boundaries:
        own: dict[str, Document | None] = {}
        for resource in self._of_type(_MANAGED):
            for values in filter(None, (resource.before, resource.after)):
                if values.get("policy") and values.get("name") == EXECUTION_BOUNDARY:
                    own[str(values.get("arn") or _LATER)] = document(values["policy"])
        named = {r.boundary for side in roles for r in side.values() if r.boundary}
        others = named - own.keys() - {_LATER}
        return {**own, **(self.context.cloud.read_policies(others) if others else {})}

    def _template(
        self, stackset: ResourceValues, side: _Side
    ) -> tuple[dict[str, Role], dict[str, Document]]:
        values = side(stackset)
        if not values or not values.get("template_body"):
            return {}, {}
        parameters = {**(values.get("parameters") or {}), "AWS::AccountId": _ACCOUNT}
        return stackset_template.roles(values["template_body"], parameters, "aws")


def _role_repairs(applied: Role, found: Role, after: Role) -> Iterator[Repair]:
    """Compare a role with what was applied last."""
    say = partial(Repair, role=found.name)
    for name in sorted(found.inline.keys() - applied.inline.keys() - after.inline.keys()):
        allowed = allowed_by(found.inline[name])
        yield say(f"inline policy {name} is removed: put there outside Terraform", allowed=allowed)
    for arn in sorted(found.managed.keys() - after.managed.keys()):
        policy = found.managed[arn]
        allowed = allowed_by(policy) if policy else ()
        yield say(f"managed policy {arn} is detached: attached outside Terraform", allowed=allowed)
    for name, policy in sorted(applied.inline.items()):
        if name in after.inline and name not in found.inline:
            yield say(f"inline policy {name} is put back: removed outside Terraform")
        elif name in after.inline and not equivalent(policy, found.inline[name]):
            yield say(f"inline policy {name} is set back: changed outside Terraform")
    if not equivalent(applied.trust, found.trust):
        yield say("the trust policy is set back: changed outside Terraform")
    if applied.boundary != found.boundary and found.boundary != after.boundary:
        yield say("the permissions boundary is set back: changed outside Terraform")


def _drifted(resource: ResourceValues) -> list[str]:
    """Name the attributes that were changed outside Terraform, and that the plan changes back."""
    if resource.action != "update" or not (resource.applied and resource.before and resource.after):
        return []
    was, now, then = resource.applied, resource.before, resource.after
    return sorted(
        name
        for name in then
        if name not in resource.unknown
        and was.get(name) != now.get(name)
        and now.get(name) != then[name]
    )


def _asked(
    now: Inputs, then: Inputs | None, features: Collection[str], before: Collection[str]
) -> dict[str, Powers]:
    """Return by role the powers that octo.yaml asks for now and did not at the last apply.

    Args:
        now: the settings.
        then: those of the last apply.
        features: those of the roles in question: the account's own, or its linked accounts'.
        before: theirs at the last apply.
    """
    if then is None:
        return {}
    new = [name for name in features if name not in before]
    executed = then.execution_actions if "execution" in before else ()
    actions = tuple(sorted({*now.execution_actions} - {*executed}))
    reads = sorted({*now.additional_actions} - {*then.additional_actions})
    inputs = replace(now, execution_actions=actions, additional_actions=())
    named = documents.role_policies(inputs, new, partition="*", account_id="*")
    for role in READING_ROLES if reads else ():
        statement = {"Effect": "Allow", "Action": reads, "Resource": "*"}
        named.setdefault(role, {})[ADDITIONAL] = {"Statement": [statement]}
    if actions and "execution" in features:
        statements = documents.execution_statements(inputs, "*", "*")
        named.setdefault(EXECUTOR_ROLE, {})["actions"] = {"Statement": statements}
    return {role: Powers(tuple(map(Policy, found.values()))) for role, found in named.items()}


def _unasked(change: RoleChange, asked: Mapping[str, Powers]) -> RoleChange:
    """Remove what settings in octo.yaml ask for from a role's change; leave what they do not."""
    powers = asked.get(change.name)
    if powers is None:
        return change
    gained = []
    for ability in change.abilities.gained:
        rest = [p for p in ability.patterns if not _names(powers, p)]
        if rest:
            gained.append(replace(ability, patterns=tuple(rest)))
    abilities = replace(change.abilities, gained=tuple(gained))
    trust = replace(change.trust, gained=()) if change.fate == "created" else change.trust
    return replace(change, abilities=abilities, trust=trust)


def _names(powers: Powers, action: str) -> bool:
    """Tell whether policies name an action, on whatever resource."""
    patterns = (pattern for policy in powers.policies for pattern in allowed(policy.document))
    return any(matches(action, pattern) for pattern in patterns)
