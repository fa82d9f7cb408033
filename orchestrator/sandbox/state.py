"""The sandbox's state beside moto's: accounts, sessions, reports, stacks, unknown calls."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.s3.models import s3_backends

from orchestrator.sandbox.access_log import AccessLog
from orchestrator.sandbox.octo.state import OctoState
from orchestrator.sandbox.policy import Document, parse_policy
from orchestrator.sandbox.stacksets import StackSet

if TYPE_CHECKING:
    from orchestrator.sandbox.stacks import Stack

LOG = logging.getLogger("octo_tf.sandbox")
PARTITION = "aws"
_State = TypeVar("_State")


@dataclass(frozen=True)
class Caller:
    """The principal whose access key signed a request.

    Attributes:
        kind: ``user``, ``role``, or ``root`` (a session of an account's root user).
        path: the path of the user or role.
        session_policies: what limits a session further than its role's policies.
        transitive_tags: the keys, in lower case, of the tags that its chained sessions keep.
        session_context: the condition keys of a session, such as its tags.
        has_mfa: whether temporary credentials were given for a code; None for other callers.
    """

    account_id: str
    arn: str
    kind: str
    name: str
    path: str = "/"
    session_policies: tuple[Document, ...] = ()
    transitive_tags: tuple[str, ...] = ()
    has_mfa: bool | None = None
    session_context: Mapping[str, str | list[str]] = field(default_factory=dict)

    @property
    def principal_arn(self) -> str:
        """The ARN of the user or role itself."""
        if self.kind != "role":
            return self.arn
        return f"arn:{PARTITION}:iam::{self.account_id}:role{self.path}{self.name}"

    @property
    def names(self) -> list[str]:
        """The values of ``Principal`` that name this caller in a resource policy."""
        root = f"arn:{PARTITION}:iam::{self.account_id}:root"
        return [*{self.arn: 0, self.principal_arn: 0}, root, self.account_id]


@dataclass(frozen=True)
class Session:
    """Temporary credentials: whose they are, and until when (seconds since the epoch)."""

    caller: Caller
    secret: str
    token: str
    expires: float


def execution_role(account_id: str) -> Caller:
    """Get the session of the role by which service-managed StackSets deploy to an account.

    Its name ends in 32 hexadecimal digits of CloudFormation's own.
    """
    name = f"stacksets-exec-{uuid.uuid5(uuid.NAMESPACE_OID, account_id).hex}"
    arn = f"arn:{PARTITION}:sts::{account_id}:assumed-role/{name}/AWSCloudFormation"
    return Caller(account_id, arn, "role", name)


@dataclass(frozen=True)
class AccessKey:
    """The access key of an account's administrator."""

    key_id: str
    secret: str


@dataclass
class Report:
    """A CUR report definition, with its tags."""

    definition: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class AccountCreation:
    """A request of CreateAccount: when and by whom it was made, and its status as AWS says it."""

    begun: float
    owner: str
    parameters: dict[str, Any]
    status: dict[str, Any]


@dataclass
class SandboxState:
    """The sandbox's state; ``lock`` guards all of it.

    Attributes:
        delivery: ``auto`` or ``manual`` delivery of reports.
        stack_seconds: how long a stack takes, and a StackSet in one account.
        with_account_status: whether Organizations also answers the retired ``Account.Status``.
        profiles: account id and administrator's key by profile.
        administrators: account ids by the administrators' access key ids.
        first_accounts: the accounts that the sandbox starts with.
        sessions: temporary credentials by access key id.
        bucket_policies: the text of each bucket's policy.
        named_by: the roles and buckets whose policies name a role or user, by its ARN.
        reports: report definitions by account id and name.
        stack_sets: StackSets by (account id, region) and name.
        stackset_access: management accounts with trusted access for StackSets.
        service_states: what a service keeps of its own, by its name.
        delegated: since when accounts are delegated administrators, by account and service.
        account_creations: the requests of CreateAccount, the oldest first.
        creating: those of them that are in progress.
        stacks: stacks by (account id, region).
        organization_changed: whether auto-deployment has to look for moved accounts.
        accesses: how calls were decided.
    """

    delivery: str
    stack_seconds: float = 0.0
    with_account_status: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    profiles: dict[str, tuple[str, AccessKey]] = field(default_factory=dict)
    administrators: dict[str, str] = field(default_factory=dict)
    first_accounts: set[str] = field(default_factory=set)
    sessions: dict[str, Session] = field(default_factory=dict)
    reports: dict[str, dict[str, Report]] = field(default_factory=dict)
    bucket_policies: dict[str, str] = field(default_factory=dict)
    named_by: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)
    notifications: dict[str, Any] = field(default_factory=dict)
    stack_sets: dict[tuple[str, str], dict[str, StackSet]] = field(default_factory=dict)
    stackset_access: set[str] = field(default_factory=set)
    service_states: dict[str, Any] = field(default_factory=dict)
    delegated: dict[str, dict[str, datetime]] = field(default_factory=dict)
    account_creations: list[AccountCreation] = field(default_factory=list)
    creating: list[AccountCreation] = field(default_factory=list)
    stacks: dict[tuple[str, str], list[Stack]] = field(default_factory=dict)
    stacks_in_progress: list[Stack] = field(default_factory=list)
    billing_transfers: list[dict[str, Any]] = field(default_factory=list)
    organization_changed: bool = False
    octo: OctoState = field(default_factory=OctoState)
    unknown_calls: Counter[str] = field(default_factory=Counter)
    accesses: AccessLog = field(default_factory=AccessLog)

    @property
    def accounts(self) -> dict[str, str]:
        """Account ids by profile."""
        return {name: account_id for name, (account_id, _) in self.profiles.items()}

    def of_service(self, service: str, make: Callable[[], _State]) -> _State:
        """Get what a service keeps of its own, made when it is first asked for."""
        if service not in self.service_states:
            self.service_states[service] = make()
        held: _State = self.service_states[service]
        return held

    def has_account(self, account_id: str) -> bool:
        """Whether an account is the sandbox's, be it created later."""
        return account_id in self.first_accounts or (
            account_id in organizations_backends.master_accounts
        )

    def stack_sets_of(self, account_id: str, region: str) -> dict[str, StackSet]:
        """Get a management account's StackSets in a region by name."""
        return self.stack_sets.setdefault((account_id, region), {})

    def caller(self, key_id: str) -> Caller | None:
        """Get the caller of an access key; None if the key is unknown."""
        if key_id in self.sessions:
            return self.sessions[key_id].caller
        if key_id in self.administrators:
            return _user(self.administrators[key_id], "administrator")
        found = self._user_key(key_id)
        return _user(found[0], found[1].user_name) if found else None

    def secret(self, key_id: str) -> str:
        """Get the secret of a known access key."""
        if key_id in self.sessions:
            return self.sessions[key_id].secret
        if key_id in self.administrators:
            own = iam(self.administrators[key_id])
            return str(own.access_keys[key_id].secret_access_key)
        found = self._user_key(key_id)
        return str(found[1].secret_access_key) if found else ""

    def _user_key(self, key_id: str) -> tuple[str, Any] | None:
        for account_id in {*self.first_accounts, *organizations_backends.master_accounts}:
            key = iam(account_id).access_keys.get(key_id)
            if key is not None and key.user_name and key.status == "Active":
                return account_id, key
        return None

    def record_unknown_call(self, service: str, operation: str) -> None:
        """Count a call that is not implemented."""
        with self.lock:
            self.unknown_calls[f"{service}:{operation}"] += 1
        LOG.warning("unknown call: %s:%s", service, operation)


def _user(account_id: str, name: str) -> Caller:
    held = iam(account_id).users.get(name)
    path = (held.path if held else None) or "/"
    return Caller(
        account_id, f"arn:{PARTITION}:iam::{account_id}:user{path}{name}", "user", name, path
    )


def iam(account_id: str) -> Any:
    """Get moto's IAM backend of an account."""
    return iam_backends[account_id][PARTITION]


def s3(account_id: str) -> Any:
    """Get moto's S3 backend of an account."""
    return s3_backends[account_id][PARTITION]


def bucket_owner(bucket: str) -> str | None:
    """Get the account that owns a bucket (names are global); None if there is no such bucket."""
    found = s3_backends.bucket_accounts.get(bucket)
    return found[1] if found else None


def organizations(account_id: str) -> Any:
    """Get moto's Organizations backend of a management account."""
    return organizations_backends[account_id][PARTITION]


def management_account(account_id: str) -> str:
    """Get the management account of an account's organization; its own id if it has none."""
    found = organizations_backends.master_accounts.get(account_id)
    return str(found[0]) if found else account_id


def role(account_id: str, name: str) -> Any | None:
    """Find moto's role by name."""
    return next((r for r in list(iam(account_id).roles.values()) if r.name == name), None)


def identity_policies(
    account_id: str, kind: str, name: str
) -> tuple[list[Document], list[Document]]:
    """Get the policies of a user or role, and its permissions boundary (empty if none)."""
    if kind == "root":  # which may do what the session's policy allows
        return [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}], []
    holder = iam(account_id).users.get(name) if kind == "user" else role(account_id, name)
    if holder is None:
        return [], []
    boundary_arn = getattr(holder, "permissions_boundary_arn", None)
    boundary = iam(account_id).managed_policies.get(boundary_arn) if boundary_arn else None
    holders = [holder]
    if kind == "user":
        groups = iam(account_id).groups.values()
        holders += [g for g in list(groups) if any(u.name == name for u in g.users)]
    documents = [document for each in holders for document in _documents(each)]
    return documents, [parse_policy(default_version(boundary))] if boundary else []


def _documents(holder: Any) -> Iterator[Document]:
    for text in list(holder.policies.values()):
        yield parse_policy(text)
    for managed in list(holder.managed_policies.values()):
        yield parse_policy(default_version(managed))


def default_version(managed: Any) -> str:
    """Get the text of a managed policy's default version."""
    return str(next(v.document for v in managed.versions if v.is_default))
