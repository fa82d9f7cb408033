"""What a plan means: what Octo could do before and can do after, and everything else that changes.

Values only, in the shape that every presenter shows; none of them holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.model.observed import Document, Role
from orchestrator.model.policy import Policy
from orchestrator.model.policy.abilities import Ability, Comparison, Powers, compare
from orchestrator.model.policy.trust import Admission, TrustChange, compare_trust

Boundaries = Mapping[str, Document | None]  # documents by ARN; None: may not be read


@dataclass(frozen=True)
class RoleChange:
    """How a role changes.

    Attributes:
        fate: what becomes of it.
        in_linked: whether it is the role of the linked accounts, made by the StackSet.
        abilities: what it may do.
        boundary: its permissions boundary's ARN before and after; empty without one.
        unread: what could not be read: it may allow more (a policy) or less (a boundary).
    """

    name: str
    fate: Literal["created", "changed", "deleted"]
    in_linked: bool = False
    abilities: Comparison = field(default_factory=Comparison)
    trust: TrustChange = field(default_factory=TrustChange)
    boundary: tuple[str, str] = ("", "")
    unread: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        is_bounded_otherwise = self.boundary[0] != self.boundary[1]
        return bool(self.fate != "changed" or self.abilities or self.trust or is_bounded_otherwise)

    @property
    def consents(self) -> tuple[str, ...]:
        """The lines of ``accept`` that allow it: its new writes, and who newly may assume it.

        A write on more resources, or under fewer conditions, counts as new.
        """
        where = " in linked accounts" if self.in_linked else ""
        return tuple(dict.fromkeys(f"{self.name} {what}{where}" for what in self._consents()))

    def _consents(self) -> Iterator[str]:
        for ability in self.abilities.gained:
            yield from (f"may {name}" for name in ability.changing)
        for ability in self.abilities.freed:
            yield from (f"may {name} under fewer conditions" for name in ability.changing)
        for admission in self.trust.gained:
            yield f"trusts {_whom(admission)}"
        for before, after in self.trust.weakened:
            lacking = sorted(before.terms.keys - after.terms.keys)
            yield from (f"trusts {_whom(after)} without {key}" for key in lacking)
            if not lacking:
                yield f"trusts {_whom(after)} under other conditions"
        if self.boundary[0] in self.unread and self.boundary[0] != self.boundary[1]:
            yield f"without the boundary {self.boundary[0]}"  # whatever it limited


def _whom(admission: Admission) -> str:
    return f"{admission.who} for {admission.action}" if admission.action else admission.who


@dataclass(frozen=True)
class Repair:
    """Something that was changed outside Terraform, and that applying sets back.

    Attributes:
        sentence: what is done, in words: "inline policy hand is removed: ...".
        role: the role it is about; empty for another resource.
        allowed: what the policy that is removed allowed.
    """

    sentence: str
    role: str = ""
    allowed: tuple[Ability, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class Delivery:
    """What AWS delivers where: a Cost and Usage Report."""

    report: str
    bucket: str
    region: str
    prefix: str
    time_unit: str


@dataclass(frozen=True)
class LinkedChange:
    """Which linked accounts get or lose Octo's roles, or get changed ones: account ids."""

    get: tuple[str, ...] = ()
    lose: tuple[str, ...] = ()
    change: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.get or self.lose or self.change)


@dataclass(frozen=True)
class AttributeChange:
    """An attribute of a resource, before and after, as texts that may be shown."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Origin:
    """What a plan was made from.

    Attributes:
        bucket: of the report; empty without one.
        versions: by name: octo-tf, module, terraform, provider.
        commit: of the repository that the folder is in; empty outside of one. ``+`` at its end says
            that files differ from it.
        digest: SHA-256 of the rendered configuration and its inputs, without the external id.
        access_levels: the source of what actions do, with its date.
    """

    principal: str = ""
    region: str = ""
    bucket: str = ""
    bucket_region: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    digest: str = ""
    access_levels: str = ""


@dataclass(frozen=True)
class Effects:
    """What applying a plan means.

    Attributes:
        buckets: what a bucket's policy lets principals do: bucket, principal, change.
        repairs: what was changed outside Terraform.
        deliveries: the reports before and after; None where there is none.
        linked: the linked accounts that get or lose roles.
        attributes: of each changed resource, by address.
        origin: what it was made from.
        accepted: lines of ``accept`` in octo.yaml that the plan needs.
        unaccepted: lines that ``accept`` lacks.
    """

    roles: tuple[RoleChange, ...] = ()
    buckets: tuple[tuple[str, str, Comparison], ...] = ()
    repairs: tuple[Repair, ...] = ()
    deliveries: tuple[Delivery | None, Delivery | None] = (None, None)
    linked: LinkedChange = field(default_factory=LinkedChange)
    attributes: Mapping[str, tuple[AttributeChange, ...]] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    accepted: tuple[str, ...] = ()
    unaccepted: tuple[str, ...] = ()


def role_change(
    before: Role | None, after: Role | None, boundaries: Boundaries, *, in_linked: bool = False
) -> RoleChange:
    """Compare a role with what it is to be; at most one of both is missing."""
    sides = [role for role in (after, before) if role]
    unread = {name for role in sides for name, document in role.managed.items() if not document}
    unread |= {r.boundary for r in sides if r.boundary and not boundaries.get(r.boundary)}
    return RoleChange(
        sides[0].name,
        "created" if before is None else "deleted" if after is None else "changed",
        in_linked,
        compare(_powers(before, boundaries), _powers(after, boundaries)),
        compare_trust(before.trust if before else {}, after.trust if after else {}),
        (before.boundary or "" if before else "", after.boundary or "" if after else ""),
        tuple(sorted(unread)),
    )


def _powers(role: Role | None, boundaries: Boundaries) -> Powers:
    if role is None:
        return Powers()
    boundary = boundaries.get(role.boundary) if role.boundary else None
    return Powers(
        tuple(Policy(document, name) for name, document in role.documents.items()),
        (Policy(boundary, role.boundary or ""),) if boundary else None,
    )
