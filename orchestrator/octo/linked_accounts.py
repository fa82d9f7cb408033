"""A payer's linked accounts: registered in the ledger, then with Octo itself."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerError, OctoError, OctoRefused
from orchestrator.model.octo_records import AreaStatus
from orchestrator.octo.ledger import Ledger

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi  # requests takes a while to load

_PARALLEL = 16
_NOTED_TOGETHER = 50  # accounts written to the ledger at a time


class LinkedRegistrations:
    """The linked accounts of the payers in one ledger.

    Args:
        ledger: what is known here.
        api: Octo itself; None where there are no credentials.
    """

    def __init__(self, ledger: Ledger, api: OctoApi | None) -> None:
        self._ledger = ledger
        self._api = api
        self._new: set[str] = set()  # made known here, in this run
        self._notified = 0
        self._failed = False  # Octo refused an account, or did not answer

    def register(self, standings: Mapping[str, tuple[str, AreaStatus]]) -> list[str]:
        """Makes accounts known here as their API access passes; ``notify_octo`` does it with Octo.

        One that is known stays so when it fails later: its status says it.

        Args:
            standings: each account's name and the status of its API access.

        Returns:
            The accounts that were not known before this run.

        Raises:
            LedgerError: the ledger cannot be changed.
        """
        self._new.update(self._ledger.register_linked(standings))
        return sorted(self._new)

    def register_current(self, payer_id: str, names: Mapping[str, str]) -> None:
        """Registers accounts while others are still deployed to.

        Failures are neither raised nor retried here; ``confirm`` retries and reports them.

        Args:
            payer_id: their payer; Octo itself is told once it has confirmed the payer.
            names: each account's name.
        """
        try:
            self.register({account: (name, "pass") for account, name in names.items()})
            payer = self._ledger.account(payer_id)
            if payer and payer.octo_confirmed("api_access") and not self._failed:
                self._failed = self.notify_octo(payer_id) is not None
        except LedgerError:
            return

    def left(self, payer_id: str) -> list[str]:
        """The accounts of a payer whose access passes and that Octo does not know yet.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return list(self._waiting(payer_id))

    def notify_octo(self, payer_id: str) -> OctoError | None:
        """Registers what is left with Octo, side by side; the first failure, or None.

        Interrupted, it goes on where it was: the ledger has those that Octo knows.

        Raises:
            LedgerError: the ledger cannot be changed.
        """
        if self._api is None or not (waiting := self._waiting(payer_id)):
            return None
        done: list[str] = []
        refused: dict[str, OctoRefused] = {}
        pool = ThreadPoolExecutor(max_workers=_PARALLEL)
        try:
            calls = {pool.submit(self._api.register, a, name): a for a, name in waiting.items()}
            for call in as_completed(calls):
                error = call.exception()
                if error is None:
                    done.append(calls[call])
                    self._notified += 1
                elif isinstance(error, OctoRefused):
                    refused[calls[call]] = error
                elif isinstance(error, OctoError):
                    return error
                else:
                    raise error
                if len(done) == _NOTED_TOGETHER:
                    self._ledger.note_registered(done)
                    done = []
        finally:
            pool.shutdown(cancel_futures=True)
            self._ledger.note_registered(done)
        if not refused:
            return None
        account, first = sorted(refused.items())[0]
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        return OctoRefused(f"Linked account {account}{more}: {first.what}", hint=first.hint)

    def _waiting(self, payer_id: str) -> dict[str, str]:
        """The names of the accounts that are left, by id."""
        return {
            record.account_id: record.account_name
            for record in self._ledger.accounts().values()
            if record.account_id != payer_id
            and record.account_type == "linked"
            and record.statuses.get("api_access") == "pass"
            and record.octo_registered_at is None
        }

    def notified(self) -> int:
        """How many accounts Octo learned of since this was last asked."""
        notified, self._notified = self._notified, 0
        return notified
