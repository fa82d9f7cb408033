"""Decide a request by all policies that apply to it, as AWS does.

Sources, in the IAM User Guide: "Policy evaluation logic", "Policy evaluation for requests within
a single account", "Cross-account policy evaluation logic"; in the KMS Developer Guide: "Key
policies in AWS KMS".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.model.policy.statement import Match, Request, matching
from orchestrator.model.policy.truth import FALSE, Truth, every, some


@dataclass(frozen=True)
class Policy:
    """A policy: its document (or its JSON text), and its name as messages have it."""

    document: Any
    name: str = ""


@dataclass(frozen=True)
class Layers:
    """The policies that decide a request.

    Attributes:
        identity: those of the principal; None for a service or an anonymous caller, which has none.
        session: its session policies; None without one.
        scps: the organization's service control policies, level by level from the root to the
            account; None where they do not count (management account, services).
        rcps: the same of resource control policies, of the resource's account.
        resource: the resource's policy; None without one.
        same_account: whether the resource is of the principal's account.
        resource_alone: whether only the resource's policy can grant access, or let the account's
            own policies do so: a key policy, a role's trust policy.
    """

    identity: Sequence[Policy] | None = None
    boundary: Sequence[Policy] | None = None
    session: Sequence[Policy] | None = None
    scps: Sequence[Sequence[Policy]] | None = None
    rcps: Sequence[Sequence[Policy]] | None = None
    resource: Policy | None = None
    same_account: bool = True
    resource_alone: bool = False


@dataclass(frozen=True)
class Decision:
    """The decision on a request.

    Attributes:
        outcome: ``unknown`` if it depends on ``keys``.
        statement: the statement that decides, or that may; None if nothing allows the request.
        layer: the layer that decides: of ``statement``, or the first that allows nothing.
        keys: the condition keys that an unknown outcome depends on, in lower case.
    """

    outcome: Literal["allowed", "denied", "unknown"]
    statement: Match | None
    layer: str
    keys: frozenset[str] = frozenset()

    @property
    def allowed(self) -> bool:
        """Whether the request is certainly allowed."""
        return self.outcome == "allowed"

    @property
    def statement_effect(self) -> str:
        """The effect of the statement that decides, or may; empty without one."""
        return self.statement.effect if self.statement else ""

    @property
    def explicit_deny(self) -> bool:
        """Whether a Deny statement certainly applies."""
        return self.outcome == "denied" and self.statement is not None


def decide(request: Request, layers: Layers) -> Decision:
    """Decide a request; an explicit Deny wins, and nothing is allowed that no layer allows."""
    found = _matches(request, layers)
    denies = [(layer, m) for layer, ms in found.items() for m in ms if m.effect == "Deny"]
    for layer, match in denies:
        if match.applies.value:
            return Decision("denied", match, layer)
    allows = {layer: [m for m in ms if m.effect == "Allow"] for layer, ms in found.items()}
    required = _required(request, layers, allows)
    granted = every(required.values())
    if granted.value is False:
        lacking = next(layer for layer, truth in required.items() if truth.value is False)
        return Decision("denied", None, lacking.partition(" ")[0])
    if denies:
        keys = granted.keys.union(*(match.applies.keys for _, match in denies))
        return Decision("unknown", denies[0][1], denies[0][0], keys)
    grants = [(layer, m) for layer in ("identity", "resource") for m in allows[layer]]
    layer, match = min(grants, key=lambda grant: grant[1].applies.value is not True)
    return Decision("allowed" if granted.value else "unknown", match, layer, granted.keys)


def objections(request: Request, layers: Layers) -> list[Decision]:
    """List every reason why a request is denied, or may be; none if it is certainly allowed.

    A layer of an organization is named with its level: ``scp 0`` is the root's.
    """
    found = _matches(request, layers)
    allows = {layer: [m for m in ms if m.effect == "Allow"] for layer, ms in found.items()}
    reasons: list[tuple[Truth, Match | None, str]] = [
        (match.applies, match, layer)
        for layer, matches in found.items()
        for match in matches
        if match.effect == "Deny"
    ]
    reasons += [
        (~granted, None, layer)
        for layer, granted in _required(request, layers, allows).items()
        if granted.value is not True
    ]
    return [
        Decision("denied" if denied.value else "unknown", match, layer, denied.keys)
        for denied, match, layer in reasons
    ]


_ON_RESOURCES = ("rcp ", "resource")  # the layers whose statements name principals


def _matches(request: Request, layers: Layers) -> dict[str, list[Match]]:
    """List the statements that apply, or may, by layer; levels of an organization are numbered."""
    by_layer: dict[str, Iterable[Policy]] = {
        **{f"scp {n}": level for n, level in enumerate(layers.scps or ())},
        **{f"rcp {n}": level for n, level in enumerate(layers.rcps or ())},
        "boundary": layers.boundary or (),
        "session": layers.session or (),
        "identity": layers.identity or (),
        "resource": [layers.resource] if layers.resource else (),
    }
    return {
        layer: [
            match
            for policy in policies
            for match in matching(
                policy.document,
                request,
                by_resource=layer.startswith(_ON_RESOURCES),
                name=policy.name,
            )
        ]
        for layer, policies in by_layer.items()
    }


def _required(request: Request, layers: Layers, allows: dict[str, list[Match]]) -> dict[str, Truth]:
    """Return by layer what must hold, besides that no Deny applies."""

    def any_of(layer: str) -> Truth:
        return some(match.applies for match in allows[layer])

    organization = {name: any_of(name) for name in allows if name.startswith(("scp ", "rcp "))}
    limits = {
        name: any_of(name)
        for name, policies in (("boundary", layers.boundary), ("session", layers.session))
        if policies is not None
    }
    own = every([any_of("identity"), *limits.values()])
    if layers.identity is None:
        return {**organization, "resource": any_of("resource")}
    if not layers.same_account:
        return {**organization, **limits, "identity": own, "resource": any_of("resource")}
    by_resource = some(
        _grant(match, request, layers, own, limits.values()) for match in allows["resource"]
    )
    granted = by_resource if layers.resource_alone else some([own, by_resource])
    name = "resource" if layers.resource_alone else "identity"
    # If nothing is granted, a limit without an Allow is named as the layer that decides.
    lacking = {} if granted.value is not False else limits
    return {**organization, **lacking, name: granted}


def _grant(
    match: Match, request: Request, layers: Layers, own: Truth, limits: Iterable[Truth]
) -> Truth:
    """Tell whether an Allow of the resource's policy grants access within the account.

    One that names the account leaves it to the account's own policies. One that names a user or a
    session is not limited by an implicit deny in its boundary or session policy; one that names
    a role, or everybody, is.
    """
    levels = request.principal.levels
    if match.level == 0 and len(levels) > 1:
        return every([match.applies, own]) if layers.resource_alone else FALSE
    is_wide = match.level == -1 or any(":role/" in name for name in levels[match.level or 0])
    return every([match.applies, *(limits if is_wide else ())])
