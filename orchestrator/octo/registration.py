"""Octo's side as a run sees it: the ledger here, and Octo itself where there are credentials.

The ledger is written first: what Octo has not confirmed is left in it, and the next run or
``octo-tf confirm`` does it. Whatever is asked of Octo may be asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerError, OctoError, OctoRefused, OctoUnreachable
from orchestrator.model.account import AccountType
from orchestrator.model.octo_records import (
    AccountRecord,
    AreaName,
    AreaStatus,
    Method,
    OctoAnswer,
    OctoSide,
)
from orchestrator.octo import error_messages
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.linked_accounts import Linked
from orchestrator.octo.messages import AccountAccess

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi  # requests takes a while to load

LABELS: dict[AreaName, str] = {
    "api_access": "API access",
    "cur_s3": "CUR and S3",
    "stackset": "StackSet",
}
_NO_ERROR = ("", "latest", "outdated")
_AGAIN = "Run octo-tf confirm: it does what is left."


class Octo(OctoSide):
    """The ledger, joined to Octo's API; see ``OctoSide``. ``linked``: a payer's linked accounts.

    Args:
        ledger: what is known here.
        api: Octo itself; None where there are no credentials.
        region: where the payer's StackSet is.
        tell: says one line to whoever waits.
    """

    def __init__(
        self,
        ledger: Ledger,
        api: OctoApi | None,
        *,
        region: str = "us-east-1",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._api = api
        self._region = region
        self._tell = tell
        self.linked = Linked(ledger, api)

    def register(
        self,
        account_id: str,
        account_name: str,
        account_type: AccountType,
        *,
        payer_id: str | None = None,
        here_only: bool = False,
        method: Method = "terraform",
    ) -> AccountRecord:
        """See ``OctoSide.register``: Octo first, so that its refusal leaves nothing behind."""
        told = False
        if self._api is not None and not here_only:
            try:
                self._check_payer(self._api, account_id, account_type, payer_id)
                self._api.register(account_id, account_name)
                told = True
            except OctoUnreachable as error:
                self._tell(f"{error}. Going on: the account is registered with Octo afterwards.")
        record = self._ledger.register(account_id, account_name, account_type, method=method)
        return self._ledger.note(account_id, registered=True) if told else record

    def confirm(
        self, account_id: str, statuses: dict[AreaName, AreaStatus], *, finish: bool
    ) -> AccountRecord:
        """See ``OctoSide.confirm``. An Octo that does not answer is an answer of its own."""
        record = self._ledger.confirm(
            account_id, statuses, finish=finish and self._api is None
        )  # first: nothing that was found out is lost
        passed = [area for area in LABELS if statuses.get(area) == "pass"]
        return self._answers(record, passed, finish=finish)

    def confirm_left(self, account_id: str) -> AccountRecord:
        """Confirms what passed here and Octo has not confirmed yet.

        Raises:
            LedgerError: the account is not registered.
        """
        record = self._ledger.account(account_id)
        if record is None:
            raise LedgerError("is not registered", where=account_id, hint="Run octo-tf apply.")
        finish = record.statuses.get("api_access") == "pass"
        return self._answers(record, [a for a in LABELS if a in record.left], finish=finish)

    def account(self, account_id: str) -> AccountRecord | None:
        """See ``OctoSide.account``."""
        return self._ledger.account(account_id)

    def unregister(self, account_id: str) -> None:
        """Has Octo forget the account; nothing in AWS is touched.

        Raises:
            OctoError: Octo refuses, or does not answer.
        """
        if self._api is None:
            return
        self._api.unregister(account_id)
        if self._ledger.account(account_id) is not None:
            self._ledger.forget_octo(account_id)

    def _check_payer(
        self, api: OctoApi, account_id: str, account_type: AccountType, payer_id: str | None
    ) -> None:
        """A documented trouble: a linked account that is registered before its payer."""
        known = self._ledger.account(account_id)
        if account_type != "linked" or payer_id is None:
            return
        if known is not None and known.octo_registered_at is not None:
            return
        if api.status(payer_id) is None:
            message = f"its payer {payer_id} must be registered before it; nothing was written"
            raise OctoRefused(message, where=account_id, hint=error_messages.hint_for(message))

    def _answers(
        self, record: AccountRecord, areas: list[AreaName], *, finish: bool
    ) -> AccountRecord:
        account_id = record.account_id
        if self._api is None:
            answers = {
                area: self._answer(
                    "by_hand", hint=f"In Octo: Check and Confirm for {LABELS[area]}."
                )
                for area in areas
                if area in record.left
            }
            return self._ledger.note(account_id, answers=answers)
        try:
            if record.octo_registered_at is None:
                self._api.register(account_id, record.account_name)
                record = self._ledger.note(account_id, registered=True)
        except OctoError as error:
            answers = {area: self._failed(error) for area in areas}
            return self._ledger.note(account_id, answers=answers)
        for area in areas:
            answer = self._one(self._api, record, area)
            record = self._ledger.note(
                account_id,
                answers={area: answer},
                finish=finish and area == "api_access" and answer.state == "confirmed",
            )
        if "stackset" not in areas and record.octo_confirmed("api_access"):
            trouble = self.linked.tell(account_id)
            if trouble is not None:
                failed = self._failed(trouble)
                self._tell(f"{failed.reason} {failed.hint}")
        if told := self.linked.told():
            self._tell(f"  Octo knows {told} more linked accounts")
        return record

    def _one(self, api: OctoApi, record: AccountRecord, area: AreaName) -> OctoAnswer:
        if area != "api_access" and not record.octo_confirmed("api_access"):
            first = record.octo.get("api_access")
            if first is not None and first.state == "unreachable":
                return first
            return self._answer(
                "waiting", "API access is to be confirmed first.", "Mend API access first."
            )
        try:
            if area == "api_access":
                access = api.confirm_api_access(
                    record.account_id, from_terraform=record.method == "terraform"
                )
                return self._read(access, access.registration_status.api_access)
            if area == "cur_s3":
                access = api.confirm_cur(
                    record.account_id, from_terraform=record.method == "terraform"
                )
                return self._read(access, access.registration_status.cur_export)
            trouble = self.linked.tell(record.account_id)
            if trouble is not None:
                return self._failed(trouble)
            access = api.confirm_stackset(record.account_id, self._region)
            return self._read(access, access.registration_status.stack_set)
        except OctoError as error:
            return self._failed(error)

    def _read(self, access: AccountAccess, confirmed: bool) -> OctoAnswer:
        if confirmed:
            outdated = access.status == "outdated"
            return self._answer("confirmed", "The template is outdated." if outdated else "")
        if access.status in _NO_ERROR:
            return self._answer("pending", "Octo has not found it yet.", _AGAIN)
        return self._answer("refused", access.status, error_messages.hint_for(access.status))

    def _failed(self, error: OctoError) -> OctoAnswer:
        if isinstance(error, OctoRefused):
            return self._answer("refused", error.what, error.hint)
        return self._answer("unreachable", error.what, f"{error.hint} {_AGAIN}".strip())

    def _answer(self, state: str, reason: str = "", hint: str = "") -> OctoAnswer:
        return OctoAnswer.model_validate(
            {"state": state, "at": self._ledger.time(), "reason": reason, "hint": hint}
        )
