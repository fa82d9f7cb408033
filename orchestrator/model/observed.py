"""What an account has, as values: of a verification, or to be imported or adopted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.model.enrolment import Enrolment, ServiceName
    from orchestrator.model.organization import Organization
    from orchestrator.model.stackset import StackSet, StackSetOperation

Document = Mapping[str, Any]


class _Unread:
    """Stands for a part that was not read; whoever uses it has forgotten to read it."""

    def __getattr__(self, *_: object) -> Any:
        raise LookupError("a part of the account is judged that was not read")

    __bool__ = __iter__ = __getitem__ = __lt__ = __sub__ = __getattr__


_UNREAD: Any = _Unread()


@dataclass(frozen=True)
class Role:
    """An IAM role with everything that decides what it can do.

    Attributes:
        role_id: IAM's own id, never given twice; empty for a desired role.
        trust: its trust policy; it may hold an external id, so it is never shown.
        inline: each inline policy's document, by name.
        managed: each attached policy's document, by ARN; None if access to it is denied, or if
            it was not read.
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
    def documents(self) -> dict[str, Document]:
        """Return the documents of all its policies that were read, by name or ARN."""
        managed = {arn: policy for arn, policy in self.managed.items() if policy}
        return {**self.inline, **managed}

    @property
    def path(self) -> str:
        """Return its path, which IAM cannot change."""
        _, found, rest = self.arn.partition(":role/")
        return "/" + rest.removesuffix(self.name) if found else "/"


@dataclass(frozen=True)
class ManagedPolicy:
    """A customer-managed policy with its default version's document."""

    arn: str
    document: Document


def own_policies(arns: Iterable[str]) -> list[str]:
    """Return the ARNs of managed policies that are an account's own, not AWS's."""
    return [arn for arn in arns if arn.split(":")[4] != "aws"]


@dataclass(frozen=True)
class Key:
    """A KMS key.

    Attributes:
        is_of_aws: whether AWS manages it (``aws/s3``); its policy cannot be changed.
        state: ``Enabled``, ``Disabled``, ``PendingDeletion``, ..., or ``denied`` and ``missing``
            of one that may not be read or does not exist, whose ARN is as it was asked for.
        policy: its policy, JSON text; empty for a key of AWS.
    """

    arn: str
    is_of_aws: bool
    state: str
    policy: str = ""


@dataclass(frozen=True)
class Encryption:
    """A bucket's default encryption: ``AES256`` or ``aws:kms...``, and the key if one is named."""

    algorithm: str
    key: str = ""


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket of the account.

    Attributes:
        empty: whether it holds no object.
        lifecycle_rules: the ids of its lifecycle rules.
        notifications: how many targets besides EventBridge are notified of its events.
        settings: the Terraform types of the settings that it has.
        tags: its tags, without those that AWS sets.
        public_access_block: what it blocks, by the names of the S3 API.
        encryption: how new objects are encrypted.
        key: the KMS key that encrypts them; None unless one does.
    """

    name: str
    region: str = _UNREAD
    empty: bool = _UNREAD
    policy: Document | None = None
    lifecycle_rules: tuple[str, ...] = ()
    notifications: int = 0
    settings: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    public_access_block: Mapping[str, bool] = _UNREAD
    encryption: Encryption = _UNREAD
    key: Key | None = None


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


@dataclass(frozen=True)
class Delivery:
    """What AWS has delivered of a report."""

    manifests: Mapping[str, datetime]  # when each was written, by key, newest first
    newest: Mapping[str, Any] = field(default_factory=dict)  # the content of the newest one
    lacking: Sequence[str] = _UNREAD  # the files that it names and the bucket does not have
    is_tested: bool = _UNREAD  # without a manifest: whether AWS has written its test object


@dataclass(frozen=True)
class RoleAccess:
    """Which external ids a role accepts from a principal: the right one, none, any wrong one."""

    right: bool
    missing: bool
    wrong: bool


@dataclass(frozen=True)
class Probes:
    """What was tried as Octo's own account; it is tried again for each check."""

    access: RoleAccess = _UNREAD
    refused: int = _UNREAD  # how many of the external ids that the role is to accept it refuses
    may_read: bool = _UNREAD  # whether the role can read what it is for
    read: Sequence[str] = ()  # what was read as the role
    mistakes: Mapping[str, str] = _UNREAD  # in words, or empty, by role or by linked account


@dataclass(frozen=True)
class Observed:
    """What an account has, as far as somebody needed it; what was not read cannot be used.

    What does not exist is None.
    """

    at: float = _UNREAD  # seconds since the epoch
    roles: Mapping[str, Role | None] = _UNREAD  # by name
    denials: Mapping[str, Mapping[str, str] | None] = _UNREAD  # IAM's reasons, by role and action
    report: Mapping[str, Any] | None = _UNREAD  # as the CUR API describes it
    bucket: Bucket | None = _UNREAD
    delivery: Delivery = _UNREAD
    organization: Organization = _UNREAD
    stack_set: StackSet | None = _UNREAD
    operations: Sequence[StackSetOperation] = _UNREAD  # the latest ones, newest first
    trusted_access: str = _UNREAD  # CloudFormation's to the organization
    enrolments: Mapping[ServiceName, Enrolment] = _UNREAD
    hub_since: datetime | None = _UNREAD  # the enrolment in Cost Optimization Hub
    hub_lists: bool = _UNREAD  # whether that lists a recommendation
    has_trusted_advisor: bool = _UNREAD  # whether the support plan has its checks
    probes: Probes | None = None  # None without credentials of Octo's own account
