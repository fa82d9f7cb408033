"""An organization's service and resource control policies, and where they are attached.

Sources, in the Organizations User Guide: "SCP evaluation", "RCP evaluation": each level from the
root to the account must allow a request, and a Deny at any level denies it. Neither binds the
management account, nor service-linked roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
SERVICE: Kind = "SERVICE_CONTROL_POLICY"
RESOURCE: Kind = "RESOURCE_CONTROL_POLICY"
KINDS = (SERVICE, RESOURCE)
# AWS's own policies, which allow everything.
DEFAULTS: Mapping[Kind, str] = {SERVICE: "p-FullAWSAccess", RESOURCE: "p-RCPFullAWSAccess"}


@dataclass(frozen=True)
class ControlPolicy:
    """A control policy; ``document`` is its content, ``kind`` its type."""

    policy_id: str
    name: str
    kind: Kind
    document: Mapping[str, Any] = field(compare=False)

    @property
    def label(self) -> str:
        """Its type and names, as messages have them."""
        kind = "SCP" if self.kind == SERVICE else "RCP"
        return f"{kind} {self.name} ({self.policy_id})"


@dataclass(frozen=True)
class Level:
    """The policies of one kind that are attached to a root, an OU or an account."""

    place: str
    policies: tuple[str, ...]


@dataclass(frozen=True)
class ControlPolicies:
    """The control policies of an organization.

    Attributes:
        enabled: the types that the organization uses.
        policies: every policy by its id, without AWS's own that allow everything.
        attached: ids of the policies by (kind, root, OU or account). A place that is not named has
            AWS's own policy alone, which allows everything.
        denied: the actions that the caller lacked to read them all, like
            ``organizations:ListPolicies``.
    """

    enabled: frozenset[str] = frozenset()
    policies: Mapping[str, ControlPolicy] = field(default_factory=dict)
    attached: Mapping[tuple[Kind, str], tuple[str, ...]] = field(default_factory=dict)
    denied: tuple[str, ...] = ()

    def chain(self, kind: Kind, places: Sequence[str]) -> tuple[Level, ...]:
        """List the levels that do not simply allow everything.

        Args:
            kind: of the policies.
            places: the root, the OUs and the account, in this order.
        """
        found = ((place, self.attached.get((kind, place))) for place in places)
        return tuple(Level(place, ids) for place, ids in found if ids)
