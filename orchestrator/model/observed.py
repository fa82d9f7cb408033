"""What an account has that a registration may import or adopt, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Role:
    """An IAM role with everything that decides what it can do.

    Attributes:
        name: the role's name.
        arn: its ARN.
        role_id: IAM's own id, never given twice; empty for a desired role.
        description: its description, or empty.
        trust: its trust policy; it may hold an external id, so it is never shown.
        inline: each inline policy's document, by name.
        managed: each attached policy's document, by ARN; None if access to it is denied, or if
            it was not read.
        boundary: its permissions boundary's ARN.
        tags: its tags, without those that AWS sets.
        max_session_duration: how long a session of it may last, in seconds.
    """

    name: str
    arn: str
    role_id: str = ""
    description: str = ""
    trust: Document = field(default_factory=dict, repr=False)
    inline: Mapping[str, Document] = field(default_factory=dict)
    managed: Mapping[str, Document | None] = field(default_factory=dict)
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    max_session_duration: int = 3600

    @property
    def path(self) -> str:
        """Return its path, which IAM cannot change."""
        _, found, rest = self.arn.partition(":role/")
        return "/" + rest.removesuffix(self.name) if found else "/"


def own_policies(arns: Iterable[str]) -> list[str]:
    """Return the ARNs of managed policies that are an account's own, not AWS's."""
    return [arn for arn in arns if arn.split(":")[4] != "aws"]


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket of the account.

    Attributes:
        name: the bucket's name.
        region: where it is.
        empty: whether it holds no object.
        policy: its policy, if it has one.
        lifecycle_rules: the ids of its lifecycle rules.
        notifications: how many targets besides EventBridge are notified of its events.
        settings: the Terraform types of the settings that it has.
        tags: its tags, without those that AWS sets.
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
class OwningStack:
    """A CloudFormation stack that owns a resource."""

    name: str
    region: str


@dataclass(frozen=True)
class StackOwners:
    """The stacks that own resources, and where they were looked for.

    Attributes:
        stacks: by the resource's physical id.
        regions: where they were looked for.
        skipped: regions that could not be asked: disabled, denied, or out of reach.
    """

    stacks: Mapping[str, OwningStack]
    regions: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @property
    def searched(self) -> str:
        """Say where stacks were looked for; empty if nothing was."""
        if not self.regions:
            return ""
        missed = ""
        if self.skipped:
            missed = f", and not in {', '.join(self.skipped)} (disabled, denied, or out of reach)"
        return f"Stacks were looked for in {', '.join(self.regions)}{missed}."


@dataclass(frozen=True)
class Removal:
    """Something that importing a resource would remove from it; users must consent.

    Attributes:
        resource: what it belongs to, like ``role AlphausAcctAccessRole``.
        what: what would be removed, like ``inline policy OctoOps``.
        consequence: what that means, in words.
    """

    resource: str
    what: str
    consequence: str

    @property
    def key(self) -> tuple[str, str]:
        """Return the value by which users consent to it."""
        return self.resource, self.what

    def __str__(self) -> str:
        return f"{self.resource}: {self.what}: {self.consequence}"
