"""The history of registrations as a local file beside the state: atomic, locked, no secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.errors import LedgerError, writing
from orchestrator.files import read_regular, write_atomically
from orchestrator.model.account import Account, AccountType
from orchestrator.model.enrolment import MadeEnrolment, ServiceName
from orchestrator.model.octo_records import (
    AccountRecord,
    AreaName,
    AreaStatus,
    Method,
    OctoAnswer,
    RotationPhase,
    RotationRecord,
)
from orchestrator.octo import ledger_v1

_MAX_BYTES = 500_000_000  # a hundred thousand linked accounts are a tenth of that
_SCHEMA = "octo-tf/ledger/v2"
_LOCK_SECONDS = 10.0
_KEPT = timedelta(days=366)  # deliveries
_NO_LONGER = ("refused", "pending", "not_registered")  # answers that take a confirmation back


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_version: str
    accounts: dict[str, AccountRecord]


class Ledger:
    """The accounts registered from one root folder.

    Every change reads, changes and replaces the file under a lock that the operating system
    releases when its holder dies. A file of version 1 is carried over by the first change.

    Every method raises LedgerError where the file cannot be read, locked or written.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        lock_seconds: float = _LOCK_SECONDS,
    ) -> None:
        self._path = path
        self._now = now
        self._lock_seconds = lock_seconds

    def time(self) -> str:
        """Give the current time as the ledger writes it (ISO 8601, UTC)."""
        return self._now().isoformat(timespec="seconds")

    def accounts(self) -> dict[str, AccountRecord]:
        """Read every account, by id."""
        return self._read()

    def account(self, account_id: str) -> AccountRecord | None:
        """Read the record of one account; None if it has none."""
        return self._read().get(account_id)

    def others(self) -> Iterator[Ledger]:
        """Give the ledgers of the other accounts' root folders in the same working folder."""
        for path in sorted(self._path.parent.parent.glob(f"*/{self._path.name}")):
            if path.parent != self._path.parent:
                yield Ledger(path, now=self._now, lock_seconds=self._lock_seconds)

    def note_planned(self, account: Account, name: str) -> AccountRecord:
        """Note that a plan was made; an existing record is otherwise unchanged."""
        with self._changing() as accounts:
            planned = _changed(_known(accounts, account, name), planned_at=self.time())
            accounts[account.account_id] = planned
            return planned

    def note_applied(
        self, account: Account, name: str, *, method: Method = "terraform"
    ) -> AccountRecord:
        """Note that a plan was applied completely; it was planned by then."""
        with self._changing() as accounts:
            known = _identified(accounts, account.account_id, name, account.account_type, method)
            time = self.time()
            applied = _changed(
                known,
                planned_at=known.planned_at or time,
                applied_at=time,
                destroying_at=None,
                destroyed_at=None,
            )
            accounts[account.account_id] = applied
            return applied

    def note_verified(
        self,
        account: Account,
        name: str,
        statuses: dict[AreaName, AreaStatus],
        *,
        method: Method,
        delivered_at: str | None = None,
    ) -> AccountRecord:
        """Note each area's status, and the last delivery (ISO 8601, UTC) if there was one."""
        with self._changing() as accounts:
            known = _identified(accounts, account.account_id, name, account.account_type, method)
            first = (self._now() - _KEPT).isoformat(timespec="seconds")
            seen = {*known.deliveries, *([delivered_at] if delivered_at else [])}
            verified = _changed(
                self._verified(known, statuses),
                deliveries=tuple(sorted(at for at in seen if at >= first)),
            )
            accounts[account.account_id] = verified
            return verified

    def note_linked(self, standings: Mapping[str, tuple[str, AreaStatus]]) -> None:
        """Note linked accounts; one that was never noted is added once its API access passes.

        Args:
            standings: each account's name, and the status of its API access.
        """
        with self._changing() as accounts:
            for account_id, (name, status) in standings.items():
                known = accounts.get(account_id)
                if known is None and status != "pass":
                    continue
                known = known or _new(account_id, name, "linked")
                statuses: dict[AreaName, AreaStatus] = {**known.statuses, "api_access": status}
                accounts[account_id] = self._verified(known, statuses)

    def note_registered(
        self,
        account_id: str,
        name: str,
        account_type: AccountType | None,
        *,
        method: Method,
        since: str | None = None,
    ) -> AccountRecord:
        """Note that Octo knows the account; one that had left begins a new registration.

        Args:
            name: as Octo shows it; may be empty.
            account_type: as identified; None: as it was noted.
            since: when it was registered, where Octo says so; None: now.
        """
        with self._changing() as accounts:
            known = _identified(accounts, account_id, name, account_type, method)
            accounts[account_id] = self._registered(known, since)
            return accounts[account_id]

    def note_linked_registered(self, account_ids: Collection[str]) -> None:
        """Note at once that Octo knows these linked accounts, which were noted before."""
        with self._changing() as accounts:
            for account_id in account_ids:
                accounts[account_id] = self._registered(accounts[account_id])

    def note_answers(
        self, account_id: str, answers: Mapping[AreaName, OctoAnswer], *, finish: bool = False
    ) -> AccountRecord:
        """Note what Octo said of areas.

        Args:
            account_id: an account that was noted before.
            finish: whether these answers complete *Confirm and Finish*.
        """
        with self._changing() as accounts:
            known = accounts[account_id]
            confirmed_at = dict(known.confirmed_at)
            for area, answer in answers.items():
                if answer.state == "confirmed":
                    confirmed_at.setdefault(area, answer.at)
                elif answer.state in _NO_LONGER:
                    confirmed_at.pop(area, None)
            accounts[account_id] = _changed(
                known,
                answers={**known.answers, **answers},
                confirmed_at=confirmed_at,
                finished_at=(known.finished_at or self.time()) if finish else known.finished_at,
            )
            return accounts[account_id]

    def note_unknown(self, account_id: str) -> AccountRecord:
        """Note that Octo does not know the account, though octo-tf did not unregister it."""
        with self._changing() as accounts:
            known = accounts[account_id]
            if known.is_registered:
                accounts[account_id] = _changed(known, **_NO_REGISTRATION)
            return accounts[account_id]

    def note_rotation(self, account_id: str, phase: RotationPhase) -> None:
        """Note the phase of an account's rotation; an account without a record is ignored."""
        if self.account(account_id) is None:
            return
        with self._changing() as accounts:
            known, time = accounts[account_id], self.time()
            earlier = known.rotation
            if earlier is None or earlier.phase == "done":
                earlier = RotationRecord(phase=phase, since=time, at=time)
            elif earlier.phase != phase:
                earlier = earlier.model_copy(update={"phase": phase, "at": time})
            accounts[account_id] = _changed(known, rotation=earlier)

    def note_destroying(self, account: Account, name: str, kept_roles: Collection[str]) -> None:
        """Note that a destroy begins, and in which linked accounts it leaves the role."""
        with self._changing() as accounts:
            known = _known(accounts, account, name)
            kept, time = tuple(sorted(kept_roles)), known.destroying_at or self.time()
            destroying = _changed(known, destroying_at=time, kept_roles=kept)
            accounts[account.account_id] = destroying

    def note_adopted_bucket(self, account: Account, name: str, bucket: str) -> None:
        """Note that octo-tf did not make the account's bucket, and never deletes it."""
        with self._changing() as accounts:
            adopted = _changed(_known(accounts, account, name), adopted_bucket=bucket)
            accounts[account.account_id] = adopted

    def note_destroyed(self, account_ids: Collection[str]) -> None:
        """Note that accounts lost their resources in AWS; nothing passes there any more."""
        with self._changing() as accounts:
            for account_id in accounts.keys() & set(account_ids):
                accounts[account_id] = _changed(
                    accounts[account_id],
                    destroying_at=None,
                    destroyed_at=self.time(),
                    verified_at=None,
                    statuses={},
                    passing_since={},
                )

    def note_left(self, accounts_left: Mapping[str, AccountRecord], *, payer: str) -> None:
        """Note that octo-tf unregistered accounts; what was verified and confirmed stays noted.

        Args:
            accounts_left: a record for each, to be used where nothing was noted of it before.
            payer: the account that was asked for; the others left with it.
        """
        with self._changing() as accounts:
            for account_id, fallback in accounts_left.items():
                known = accounts.get(account_id, fallback)
                left_with = None if account_id == payer else payer
                accounts[account_id] = _changed(
                    known, left_at=self.time(), left_with=left_with, answers={}
                )

    def note_enrolment(
        self, account_id: str, service: ServiceName, made: MadeEnrolment | None
    ) -> None:
        """Note what octo-tf enrols in a service of an account that was noted; None: nothing."""
        with self._changing() as accounts:
            known = accounts[account_id]
            others = {name: one for name, one in known.enrolments.items() if name != service}
            enrolments = {**others, service: made} if made else others
            accounts[account_id] = _changed(known, enrolments=enrolments)

    def readmit(self, account_ids: Collection[str]) -> None:
        """Note that linked accounts that left may be registered again."""
        with self._changing() as accounts:
            for account_id in account_ids:
                accounts[account_id] = _changed(accounts[account_id], **_NO_REGISTRATION)

    def _verified(
        self, known: AccountRecord, statuses: dict[AreaName, AreaStatus]
    ) -> AccountRecord:
        time = self.time()
        passing = [area for area, status in statuses.items() if status == "pass"]
        return _changed(
            known,
            verified_at=time,
            statuses=statuses,
            passing_since={area: known.passing_since.get(area, time) for area in passing},
            destroyed_at=None if passing else known.destroyed_at,
        )

    def _registered(self, known: AccountRecord, since: str | None = None) -> AccountRecord:
        if known.is_registered:
            return known
        return _changed(known, **{**_NO_REGISTRATION, "registered_at": since or self.time()})

    @contextmanager
    def _changing(self) -> Iterator[dict[str, AccountRecord]]:
        with writing(self._path, LedgerError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with FileLock(f"{self._path}.lock", timeout=self._lock_seconds, mode=0o600):
                    accounts = self._read()
                    yield accounts
                    document = _Document(
                        schema_version=_SCHEMA, accounts=dict(sorted(accounts.items()))
                    )
                    # What is not known is left out: it would be most of a linked account's record,
                    # and of the memory for reading thousands of them.
                    text = document.model_dump_json(indent=2, exclude_defaults=True)
                    write_atomically(self._path, (text + "\n").encode())
            except Timeout:
                raise LedgerError(
                    f"is held by another octo-tf for more than {self._lock_seconds:.0f} s",
                    where=str(self._path),
                    hint="Wait for the other run to end, then run the same command again.",
                ) from None

    def _read(self) -> dict[str, AccountRecord]:
        try:
            document = json.loads(read_regular(self._path, limit=_MAX_BYTES))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LedgerError(
                f"cannot be read: {error.strerror}",
                where=str(self._path),
                hint="Correct the path or its permissions, or name another --workdir.",
            ) from error
        except ValueError:
            raise self._damaged("it is not valid JSON") from None
        if not isinstance(document, dict):
            raise self._damaged("it is no JSON object")
        version = document.get("schema_version", _SCHEMA)
        if version == ledger_v1.SCHEMA:
            document = {"schema_version": _SCHEMA, "accounts": ledger_v1.carry_over(document)}
        elif version != _SCHEMA:
            raise LedgerError(
                f"has the schema {version}; this octo-tf reads {_SCHEMA}",
                where=str(self._path),
                hint="Use the octo-tf that wrote it, or a newer one.",
            )
        try:
            return _Document.model_validate(document).accounts
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            raise self._damaged(detail["msg"]) from None

    def _damaged(self, why: str) -> LedgerError:
        return LedgerError(
            f"is damaged: {why}",
            where=str(self._path),
            hint="Move it aside and run octo-tf verify: it writes a new one from what AWS and Octo"
            " have; when the account was planned, applied or left is then no longer known.",
        )


# What an account has of its registration with Octo before it is registered.
_NO_REGISTRATION: dict[str, Any] = {
    "registered_at": None,
    "answers": {},
    "confirmed_at": {},
    "finished_at": None,
    "left_at": None,
    "left_with": None,
}


def _new(
    account_id: str, name: str, account_type: AccountType | None, method: Method = "terraform"
) -> AccountRecord:
    return AccountRecord(
        account_id=account_id, account_name=name, account_type=account_type, method=method
    )


def _known(accounts: Mapping[str, AccountRecord], account: Account, name: str) -> AccountRecord:
    known = accounts.get(account.account_id)
    return known or _new(account.account_id, name, account.account_type)


def _identified(
    accounts: Mapping[str, AccountRecord],
    account_id: str,
    name: str,
    account_type: AccountType | None,
    method: Method,
) -> AccountRecord:
    """Give the account's record, new or as it is, with what was found out about it.

    What Terraform made stays Terraform's, also where the console path verifies it.
    """
    known = accounts.get(account_id)
    if known is None:
        return _new(account_id, name, account_type, method)
    account_type = account_type or known.account_type
    if known.method == "terraform" and (known.applied_at or known.verified_at):
        method = "terraform"
    return _changed(known, account_name=name, account_type=account_type, method=method)


def _changed(known: AccountRecord, **values: Any) -> AccountRecord:
    return known.model_copy(update=values)
