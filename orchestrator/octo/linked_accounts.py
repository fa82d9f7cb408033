"""A payer's linked accounts: noted as their API access passes, then registered with Octo."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerError, OctoError
from orchestrator.model.octo_records import AreaStatus
from orchestrator.octo.batch import for_each
from orchestrator.octo.ledger import Ledger

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi  # requests takes a while to load


class LinkedRegistrations:
    """The linked accounts of the payer whose ledger it is.

    Each method raises LedgerError if the ledger cannot be read or changed.

    Args:
        api: Octo itself; None where there are no credentials.
    """

    def __init__(self, ledger: Ledger, api: OctoApi | None) -> None:
        self._ledger = ledger
        self._api = api
        self._registered = 0
        self._failed = False  # Octo refused an account, or did not answer

    @property
    def registered(self) -> int:
        """How many linked accounts were registered with Octo by this run."""
        return self._registered

    def note(self, standings: Mapping[str, tuple[str, AreaStatus]]) -> None:
        """Note the status of linked accounts; Octo is not asked.

        Args:
            standings: each account's name, and the status of its API access.
        """
        if standings:
            self._ledger.note_linked(standings)

    def register_current(self, payer_id: str, names: Mapping[str, str]) -> None:
        """Register accounts with Octo while others are still deployed to.

        Octo takes them once it has confirmed the payer; until then they are only noted. Failures
        are neither raised nor retried here; ``confirm`` retries and reports them.

        Args:
            names: each account's name.
        """
        try:
            self.note({account: (name, "pass") for account, name in names.items()})
            payer = self._ledger.account(payer_id)
            if payer and payer.is_confirmed("api_access") and not self._failed:
                self._failed = self.register_waiting(payer_id) is not None
        except LedgerError:
            return

    def waiting(self, payer_id: str) -> dict[str, str]:
        """Read which accounts pass and are not registered with Octo yet: names by id.

        An account that left is not among them.
        """
        return {
            record.account_id: record.account_name
            for record in self._ledger.accounts().values()
            if record.account_id != payer_id
            and record.account_type == "linked"
            and record.statuses.get("api_access") == "pass"
            and not record.is_registered
            and record.left_at is None
        }

    def register_waiting(self, payer_id: str) -> OctoError | None:
        """Register the waiting accounts with Octo; interrupted, the next call goes on.

        Returns:
            The first failure, or None.
        """
        api, waiting = self._api, self.waiting(payer_id)
        if api is None or not waiting:
            return None

        def note(account_ids: list[str]) -> None:
            self._ledger.note_linked_registered(account_ids)
            self._registered += len(account_ids)

        try:
            for_each(waiting, lambda account: api.register(account, waiting[account]), note)
        except OctoError as error:
            return error
        return None

    def other_names(self, accounts: Mapping[str, str]) -> dict[str, str]:
        """Ask Octo which of these accounts (names by id) it knows by other names: Octo's, by id.

        Empty without credentials, or if Octo does not answer.
        """
        if self._api is None or not accounts:
            return {}
        with suppress(OctoError):
            known = {a.target: a.aws_options.account_name for a in self._api.status_of_all()}
            return {i: known[i] for i in accounts if known.get(i, "") not in ("", accounts[i])}
        return {}

    def left(self, payer_id: str) -> list[str]:
        """Read which linked accounts left."""
        return [
            record.account_id
            for record in self._ledger.accounts().values()
            if record.account_id != payer_id and record.left_at is not None
        ]

    def left_with(self, payer_id: str) -> dict[str, str]:
        """Read which accounts left together with their payer, and when: times by id."""
        return {
            record.account_id: record.left_at
            for record in self._ledger.accounts().values()
            if record.left_with == payer_id and record.left_at is not None
        }

    def readmit(self, payer_id: str) -> None:
        """Let the accounts that left together with their payer be registered again."""
        if leavers := self.left_with(payer_id):
            self._ledger.readmit(leavers)
