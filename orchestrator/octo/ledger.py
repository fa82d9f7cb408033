"""Octo's side as a local file beside the state: atomic, locked, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.errors import LedgerError
from orchestrator.files import write_atomically
from orchestrator.model.account import AccountType
from orchestrator.model.octo_records import AccountRecord, AreaName, AreaStatus, Method, OctoAnswer

_SCHEMA = "octo-tf/ledger/v1"
_LOCK_SECONDS = 10.0


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_version: str = _SCHEMA
    accounts: dict[str, AccountRecord]


class Ledger:
    """The accounts registered from one root folder.

    Every change reads, changes and replaces the file under a lock that the operating system
    releases when its holder dies.
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

    def register(
        self,
        account_id: str,
        account_name: str,
        account_type: AccountType,
        *,
        method: Method = "terraform",
    ) -> AccountRecord:
        """See ``OctoSide.register``.

        Raises:
            LedgerError: the ledger cannot be read, locked or written.
        """
        with self._changing() as accounts:
            known = accounts.get(account_id)
            if known and method == "console":
                method = known.method
            accounts[account_id] = (
                known.model_copy(
                    update={
                        "account_name": account_name,
                        "account_type": account_type,
                        "method": method,
                    }
                )
                if known
                else AccountRecord(
                    account_id=account_id,
                    account_name=account_name,
                    account_type=account_type,
                    registered_at=self.time(),
                    method=method,
                )
            )
            return accounts[account_id]

    def confirm(
        self, account_id: str, statuses: dict[AreaName, AreaStatus], *, finish: bool
    ) -> AccountRecord:
        """See ``OctoSide.confirm``.

        Raises:
            LedgerError: the account is not registered, or the ledger cannot be changed.
        """
        with self._changing() as accounts:
            if account_id not in accounts:
                raise LedgerError("is not registered", where=account_id, hint="Run octo-tf apply.")
            known, time = accounts[account_id], self.time()
            confirmed = {
                area: known.confirmed.get(area, time)
                for area, status in statuses.items()
                if status == "pass"
            }
            accounts[account_id] = known.model_copy(
                update={
                    "statuses": statuses,
                    "verified_at": time,
                    "confirmed": confirmed,
                    "finished_at": (known.finished_at or time) if finish else known.finished_at,
                }
            )
            return accounts[account_id]

    def register_linked(self, standings: Mapping[str, tuple[str, AreaStatus]]) -> list[str]:
        """See ``Linked.register``; gives the accounts that were not known.

        Raises:
            LedgerError: the ledger cannot be read, locked or written.
        """
        new = []
        with self._changing() as accounts:
            time = self.time()
            for account_id, (name, status) in standings.items():
                known = accounts.get(account_id)
                if known is None and status != "pass":
                    continue
                if known is None:
                    new.append(account_id)
                    known = AccountRecord(
                        account_id=account_id,
                        account_name=name,
                        account_type="linked",
                        registered_at=time,
                    )
                passed = {"api_access": known.confirmed.get("api_access", time)}
                accounts[account_id] = known.model_copy(
                    update={
                        "verified_at": time,
                        "statuses": {**known.statuses, "api_access": status},
                        "confirmed": {**known.confirmed, **(passed if status == "pass" else {})},
                        "finished_at": known.finished_at or (time if status == "pass" else None),
                    }
                )
        return new

    def note(
        self,
        account_id: str,
        *,
        registered: bool = False,
        answers: Mapping[AreaName, OctoAnswer] | None = None,
        finish: bool = False,
    ) -> AccountRecord:
        """Notes what Octo itself has said; what it confirmed earlier stays unless it says else.

        Args:
            account_id: a registered account.
            registered: Octo knows the account now.
            answers: what it said of areas.
            finish: whether *Confirm and Finish* is reached by that.

        Raises:
            LedgerError: the ledger cannot be changed.
        """
        with self._changing() as accounts:
            known, time = accounts[account_id], self.time()
            accounts[account_id] = known.model_copy(
                update={
                    "octo_registered_at": known.octo_registered_at
                    or (time if registered else None),
                    "octo": {**known.octo, **(answers or {})},
                    "finished_at": (known.finished_at or time) if finish else known.finished_at,
                }
            )
            return accounts[account_id]

    def note_registered(self, account_ids: Iterable[str]) -> None:
        """Notes at once that Octo knows these accounts.

        Raises:
            LedgerError: the ledger cannot be changed.
        """
        with self._changing() as accounts:
            time = self.time()
            for account_id in account_ids:
                accounts[account_id] = accounts[account_id].model_copy(
                    update={"octo_registered_at": time}
                )

    def forget_octo(self, account_id: str) -> None:
        """Notes that Octo knows the account no longer; what was verified stays.

        Raises:
            LedgerError: the ledger cannot be changed.
        """
        with self._changing() as accounts:
            accounts[account_id] = accounts[account_id].model_copy(
                update={"octo_registered_at": None, "octo": {}, "finished_at": None}
            )

    def accounts(self) -> dict[str, AccountRecord]:
        """Every account, by id.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return self._read()

    def account(self, account_id: str) -> AccountRecord | None:
        """See ``OctoSide.account``.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return self._read().get(account_id)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, AccountRecord]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(f"{self._path}.lock", timeout=self._lock_seconds, mode=0o600):
                accounts = self._read()
                yield accounts
                document = _Document(accounts=dict(sorted(accounts.items())))
                text = document.model_dump_json(indent=2)
                write_atomically(self._path, (text + "\n").encode())
        except Timeout:
            raise LedgerError(
                f"is held by another octo-tf for more than {self._lock_seconds:.0f} s",
                where=str(self._path),
                hint="Wait for the other run to end, then run the same command again.",
            ) from None
        except OSError as error:
            raise LedgerError(
                f"cannot be written: {error.strerror}",
                where=str(self._path),
                hint="Free the space or the permissions, then run the same command again.",
            ) from error

    def _read(self) -> dict[str, AccountRecord]:
        try:
            document = _Document.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LedgerError(f"cannot be read: {error.strerror}", where=str(self._path)) from error
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            raise LedgerError(
                f"is damaged: {detail['msg']}",
                where=str(self._path),
                hint="Move it aside and run octo-tf apply: it is written anew from what AWS has.",
            ) from None
        if document.schema_version != _SCHEMA:
            raise LedgerError(
                f"has the schema {document.schema_version}, this octo-tf knows {_SCHEMA}",
                where=str(self._path),
                hint="Use the octo-tf that wrote it, or a newer one.",
            )
        return document.accounts

    def time(self) -> str:
        """Now, as the ledger writes it (ISO 8601, UTC)."""
        return self._now().isoformat(timespec="seconds")
