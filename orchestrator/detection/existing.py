"""What AWS has that a registration can stand on, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Role:
    """An IAM role with everything that decides what it can do.

    Attributes:
        name: the role's name.
        arn: its ARN.
        role_id: IAM's own id, never given twice.
        description: its description, or empty.
        trust: its trust policy; it may hold an external id, so it is never shown.
        inline: each inline policy's document, by name.
        managed: each attached policy's document, by ARN; None where it may not be read.
        boundary: its permissions boundary's ARN.
        tags: its tags, without AWS's own.
        max_session_duration: how long a session of it may last, in seconds.
    """

    name: str
    arn: str
    role_id: str
    description: str = ""
    trust: Document = field(default_factory=dict, repr=False)
    inline: Mapping[str, Document] = field(default_factory=dict)
    managed: Mapping[str, Document | None] = field(default_factory=dict)
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    max_session_duration: int = 3600


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket of the account.

    Attributes:
        name: the bucket's name.
        region: where it is.
        empty: whether it holds no object.
        policy: its policy, if it has one.
        lifecycle_rules: the ids of its lifecycle rules.
        notifications: how many targets besides EventBridge are told of its events.
        settings: the Terraform types of its settings that are there.
        tags: its tags, without AWS's own.
    """

    name: str
    region: str
    empty: bool
    policy: Document | None = None
    lifecycle_rules: tuple[str, ...] = ()
    notifications: int = 0
    settings: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Deploys:
    """What a StackSet's template makes in each account.

    Attributes:
        logical_id: of Octo's role in the template; empty if it makes none of that name.
        role: Octo's role; its ARN and id, which each account gives, are not known.
        others: what it makes besides the role and policies, as ``logical id (type)``.
    """

    logical_id: str
    role: Role | None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class StackSet:
    """A StackSet of the payer.

    Attributes:
        name: its name.
        stack_set_id: CloudFormation's own id of it.
        deploys: what its template makes; None where it cannot be read.
        accounts: the accounts that have a current instance of it.
        known: the accounts that have an instance of it, current or not.
        regions: where its instances are.
        region: where the set itself is.
        auto_deployment: its settings for accounts that join and leave.
        targets: the OUs that it was deployed to.
        service_managed: whether CloudFormation's own roles carry it out.
    """

    name: str
    stack_set_id: str
    deploys: Deploys | None
    accounts: tuple[str, ...]
    known: tuple[str, ...]
    regions: tuple[str, ...]
    region: str
    auto_deployment: Mapping[str, bool]
    targets: tuple[str, ...]
    service_managed: bool

    @property
    def made(self) -> Deploys | None:
        """What its template has made in accounts; None where nothing is deployed."""
        return self.deploys if self.known else None


@dataclass(frozen=True)
class Loss:
    """Something that taking a resource over would take away from it.

    Attributes:
        resource: what it belongs to, like ``role AlphausAcctAccessRole``.
        what: what goes, like ``inline policy OctoOps``.
        consequence: what that means, in words.
    """

    resource: str
    what: str
    consequence: str

    @property
    def key(self) -> tuple[str, str]:
        """By what it is agreed to."""
        return self.resource, self.what

    def __str__(self) -> str:
        return f"{self.resource}: {self.what}: {self.consequence}"
