"""Predict what an organization's policies deny in linked accounts; nothing is changed.

Each policy is read once, and each distinct chain of policies is evaluated once, however many
accounts have it; twice only where a policy names accounts or places in the organization.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from orchestrator.aws import control_policies
from orchestrator.aws.errors import explained
from orchestrator.aws.session import Aws
from orchestrator.model.control_policies import (
    RESOURCE,
    SERVICE,
    ControlPolicies,
    Kind,
    Level,
)
from orchestrator.model.guardrail import Exempted, Obstacle, Phase
from orchestrator.model.linked_calls import EXECUTION_ROLE, LinkedCalls, Place
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.organization import Member, Organization
from orchestrator.model.partition import partition_of_region
from orchestrator.model.policy import Decision, Layers, Policy, Request, objections
from orchestrator.model.registration import Registration
from orchestrator.model.words import listed

_EVERYTHING = Policy({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
_ANYBODY = Policy({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}})
# Digits beside a wildcard that may be a part of an account id, which is between colons or alone.
_PART_OF_ID = re.compile(r'(?<=[":*?])\d+(?=[*?])|(?<=[*?])\d+(?=[":*?])')
_NUMERIC = re.compile(r"\"(?:\w+:)?Numeric")  # comparisons: each account is then evaluated
_SHOWN = 5
# An obstacle's phase, certainty, policies and statement.
_Key = tuple[Phase, bool, tuple[str, ...], int, str]


@dataclass(frozen=True)
class Guardrails:
    """What the organization's policies deny.

    Attributes:
        obstacles: those that cut accounts off first.
        denied: the actions that the caller lacked to read all policies.
        policies: how many policies there are, besides AWS's own.
        chains: how many distinct chains of policies were evaluated.
    """

    obstacles: tuple[Obstacle, ...] = ()
    denied: tuple[str, ...] = ()
    policies: int = 0
    chains: int = 0
    accounts: int = 0

    @property
    def cut_off(self) -> list[str]:
        """The accounts that certainly have no role, or one that Octo cannot assume."""
        return sorted({a for one in self.obstacles if one.cuts_off for a in one.accounts})

    def of(self, accounts: Collection[str]) -> Iterator[tuple[Obstacle, list[str]]]:
        """Yield the obstacles of some accounts, with those that each concerns."""
        wanted = set(accounts)
        for obstacle in self.obstacles:
            if concerned := [a for a in obstacle.accounts if a in wanted]:
                yield obstacle, concerned


def describe(obstacle: Obstacle, accounts: Collection[str]) -> str:
    """Say what is denied, where and by what, in one clause."""
    verb = "is" if obstacle.certain else "may be"
    actions = ", ".join(obstacle.actions[:_SHOWN])
    more_actions = ", ..." if len(obstacle.actions) > _SHOWN else ""
    what = {
        Phase.DEPLOYMENT: f"the deployment ({actions}{more_actions})",
        Phase.ACCESS: "Octo's AssumeRole",
        Phase.CALLS: f"a part of what Octo reads ({actions}{more_actions})",
        Phase.CHANGES: f"a later change or removal of the role ({actions}{more_actions})",
    }[obstacle.phase]
    where = listed(sorted(accounts), _SHOWN)
    keys = f", which depends on {', '.join(obstacle.keys)}" if not obstacle.certain else ""
    return f"{what} {verb} denied in {where} by {cause(obstacle)}{keys}"


def cause(obstacle: Obstacle) -> str:
    """Name the statement that denies, or the policies of which none allows."""
    policies = " or ".join(policy.label for policy in obstacle.policies)
    return f"{obstacle.name} of {policies}" if obstacle.number else f"no Allow in {policies}"


def warnings(predicted: Guardrails) -> list[str]:
    """List what is denied, and what could not be read, in sentences."""
    found = [
        f"the organization's policies: {describe(obstacle, obstacle.accounts)}"
        for obstacle in predicted.obstacles
    ]
    if predicted.denied:
        found.append(
            f"the organization's policies could not be read: {unread(predicted)}; whether they"
            " deny the deployment is not known"
        )
    return found


def unread(predicted: Guardrails) -> str:
    """Say which permissions are missing to read the organization's policies."""
    one = len(predicted.denied) == 1
    return f"{', '.join(predicted.denied)} {'is' if one else 'are'} not granted"


@dataclass
class _Found:
    """An obstacle that is being put together."""

    actions: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)


def predict(
    aws: Aws,
    registration: Registration,
    organization: Organization,
    *,
    deployed_to: Collection[str],
    used: Collection[str],
) -> Guardrails:
    """Read the organization's policies, and predict what they deny.

    Args:
        aws: calls as the management account.
        deployed_to: the accounts that are to get the role.
        used: those that have it: only Octo's own calls are evaluated for them.

    Raises:
        AwsError: a call failed, other than for a missing permission.
    """
    with explained("reading the organization's policies"):
        policies = control_policies.read(aws)
    region = registration.region
    calls = LinkedCalls(module_inputs(registration), partition_of_region(region), region)
    return evaluate(policies, organization, calls, deployed_to=deployed_to, used=used)


def evaluate(
    policies: ControlPolicies,
    organization: Organization,
    calls: LinkedCalls,
    *,
    deployed_to: Collection[str],
    used: Collection[str] = (),
) -> Guardrails:
    """Evaluate the policies for the calls in each account; see ``predict``."""
    wanted = {*deployed_to, *used}
    evaluated: dict[object, dict[_Key, _Found]] = {}
    found: dict[_Key, _Found] = {}
    deploys, texts = set(deployed_to), _Texts(policies)
    for member in organization.members:
        if member.account_id not in wanted:
            continue
        chains = _Chains(policies, texts, organization, member)
        key = (chains.key, member.account_id in deploys)
        if key not in evaluated:
            evaluated[key] = _obstacles(chains, calls, deploys=member.account_id in deploys)
        for of_key, one in evaluated[key].items():
            own = found.setdefault(of_key, _Found())
            own.actions |= one.actions
            own.keys |= one.keys
            own.accounts.add(member.account_id)
            own.places |= chains.places(of_key[2])
    obstacles = [_obstacle(key, one, policies, calls) for key, one in found.items()]
    order = list(Phase)
    return Guardrails(
        tuple(
            sorted(
                obstacles,
                key=lambda o: (
                    not o.cuts_off,
                    order.index(o.phase),
                    o.policies[0].policy_id,
                    o.number,
                ),
            )
        ),
        policies.denied,
        len(policies.policies),
        len(evaluated),
        len(wanted),
    )


@dataclass(frozen=True)
class _Text:
    """The text of the policies of a chain, and what of an account it depends on."""

    text: str
    accounts: frozenset[str]
    parts: tuple[re.Pattern[str], ...]
    each_account: bool
    each_path: bool

    def of_account(self, account_id: str) -> object:
        """Return what is the same of accounts for which the policies decide alike, by their ids."""
        if self.each_account or account_id in self.accounts:
            return account_id
        return [[found.start() for found in p.finditer(account_id)] for p in self.parts]


class _Texts:
    """The texts of chains; each is made once."""

    def __init__(self, policies: ControlPolicies) -> None:
        self._texts = {i: json.dumps(p.document) for i, p in policies.policies.items()}
        self._made: dict[frozenset[str], _Text] = {}

    def of(self, ids: frozenset[str]) -> _Text:
        """Return the text of the policies of a chain."""
        if ids not in self._made:
            text = "\n".join(self._texts.get(policy_id, "") for policy_id in sorted(ids))
            self._made[ids] = _Text(
                text,
                frozenset(re.findall(r"\d{12}", text)),
                tuple(re.compile(f"(?={p})") for p in sorted(set(_PART_OF_ID.findall(text)))),
                bool(_NUMERIC.search(text)),
                "orgpaths" in text.lower(),
            )
        return self._made[ids]


class _Chains:
    """The policies that apply in one account."""

    def __init__(
        self,
        policies: ControlPolicies,
        texts: _Texts,
        organization: Organization,
        member: Member,
    ) -> None:
        self._policies = policies
        units = organization.path(member.ou)
        self.scps = policies.chain(SERVICE, (*units, member.account_id))
        self.rcps = policies.chain(RESOURCE, (*units, member.account_id))
        levels = (*self.scps, *self.rcps)
        known = texts.of(frozenset(i for level in levels for i in level.policies))
        path = "/".join((organization.organization_id, *units, ""))
        own = member.account_id
        self.place = Place(own, organization.organization_id, path, known.text)
        self.key = (
            tuple(level.policies for level in self.scps),
            tuple(level.policies for level in self.rcps),
            str(known.of_account(own)),
            path if known.each_path else "",
        )

    def layers(self, kind: Kind) -> list[list[Policy]]:
        """The policies' documents, level by level; each policy is named by its id."""
        return [
            [
                Policy(known.document, policy_id)
                if (known := self._policies.policies.get(policy_id))
                else Policy(_DEFAULT[kind].document, policy_id)
                for policy_id in level.policies
            ]
            for level in self.levels(kind)
        ]

    def levels(self, kind: Kind) -> tuple[Level, ...]:
        """The levels that do not simply allow everything."""
        return self.scps if kind == SERVICE else self.rcps

    def places(self, policy_ids: Collection[str]) -> set[str]:
        """Where some policies are attached, of the places above the account."""
        levels = (*self.scps, *self.rcps)
        return {level.place for level in levels if set(policy_ids) & set(level.policies)}


_DEFAULT = {SERVICE: _EVERYTHING, RESOURCE: _ANYBODY}


def _obstacles(chains: _Chains, calls: LinkedCalls, *, deploys: bool) -> dict[_Key, _Found]:
    scps = Layers(identity=[_EVERYTHING], scps=chains.layers(SERVICE))
    rcps = Layers(resource=_ANYBODY, rcps=chains.layers(RESOURCE))
    requests: list[tuple[Phase, Kind, Layers, Request]] = [
        (Phase.ACCESS, RESOURCE, rcps, calls.access(chains.place))
    ]
    if chains.scps:
        own = [(Phase.CALLS, r) for r in calls.octo(chains.place)]
        if deploys:
            own += [(Phase.DEPLOYMENT, r) for r in calls.deployment(chains.place)]
        own += [(Phase.CHANGES, r) for r in calls.changes(chains.place)]
        requests += [(phase, SERVICE, scps, request) for phase, request in own]
    found: dict[_Key, _Found] = {}
    for phase, kind, layers, request in requests:
        for decision in objections(request, layers):
            certain = decision.outcome == "denied"
            if phase in (Phase.CALLS, Phase.CHANGES) and not certain:
                continue  # Octo reads in the regions that are allowed, say
            key = _key(phase, certain, decision, chains.levels(kind))
            one = found.setdefault(key, _Found())
            one.actions.add(request.action)
            one.keys |= decision.keys
    return found


def _key(phase: Phase, certain: bool, decision: Decision, levels: tuple[Level, ...]) -> _Key:
    match = decision.statement
    if match is not None:
        return phase, certain, (match.policy,), match.number, match.statement
    level = levels[int(decision.layer.partition(" ")[2])]
    return phase, certain, level.policies, 0, ""


def _obstacle(key: _Key, found: _Found, policies: ControlPolicies, calls: LinkedCalls) -> Obstacle:
    phase, certain, ids, number, name = key
    arn, principal = f"arn:{calls.partition}:iam::*:role", calls.inputs.principal
    roles = [calls.role_arn("*", name) for name in calls.role_names]
    execution = Exempted("ArnNotLike", "aws:PrincipalArn", (f"{arn}/{EXECUTION_ROLE}",))
    exempted = {
        Phase.DEPLOYMENT: execution,
        Phase.CHANGES: execution,
        Phase.ACCESS: Exempted("StringNotEquals", "aws:PrincipalAccount", (principal,)),
        Phase.CALLS: Exempted("ArnNotLike", "aws:PrincipalArn", tuple(roles)),
    }[phase]
    return Obstacle(
        phase,
        certain,
        tuple(policies.policies[i] for i in ids if i in policies.policies),
        number,
        name,
        tuple(sorted(found.actions)),
        tuple(sorted(found.keys)),
        tuple(sorted(found.accounts)),
        tuple(sorted(found.places)),
        exempted,
    )
