"""Octo's side as a run sees it: the ledger here, and Octo itself where there are credentials.

The ledger is written first: what Octo has not confirmed is left in it, and the next run or
``octo-tf confirm`` does it. Whatever is asked of Octo may be asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerError, OctoError, OctoRefused, OctoUnreachable
from orchestrator.model.account import Account
from orchestrator.model.octo_records import (
    AccountRecord,
    AreaName,
    AreaStatus,
    Method,
    OctoAnswer,
)
from orchestrator.octo import error_messages
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.linked_accounts import LinkedRegistrations
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
_APPLY = "Run octo-tf apply or octo-tf confirm --register: they register the account."


class RegistrationService:
    """An account's registration: the ledger, and Octo's API where there are credentials.

    All calls are idempotent. ``linked``: a payer's linked accounts.

    Args:
        ledger: what is known here.
        api: Octo itself; None where there are no credentials.
        region: where the payer's StackSet is.
        warn: reports one sentence.
    """

    def __init__(
        self,
        ledger: Ledger,
        api: OctoApi | None,
        *,
        region: str = "us-east-1",
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._api = api
        self._region = region
        self._warn = warn
        self.linked = LinkedRegistrations(ledger, api)

    @property
    def api(self) -> OctoApi | None:
        """Octo's API; None where there are no credentials."""
        return self._api

    def record(self, account_id: str) -> AccountRecord | None:
        """Read what the ledger has of the account; None if it has none.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return self._ledger.account(account_id)

    def note_planned(self, account: Account, name: str) -> None:
        """Note that the account was planned; Octo learns nothing."""

    def note_applied(self, account: Account, name: str, *, method: Method = "terraform") -> None:
        """Note that what was planned is applied; Octo learns nothing."""
        self._ledger.register(account.account_id, name, account.account_type, method=method)

    def register(
        self, account: Account, name: str, *, method: Method = "terraform"
    ) -> AccountRecord:
        """Register the account with Octo, then in the ledger.

        An Octo that does not answer is a warning: ``confirm`` registers the account later.

        Args:
            account: as identified.
            name: as Octo shows it; may be empty.
            method: how its resources are made; an account that is Terraform's stays so.

        Raises:
            OctoRefused: Octo refuses the account; nothing was changed.
        """
        registered = False
        if self._api is not None:
            try:
                self.check_payer(account)
                self._api.register(account.account_id, name)
                registered = True
            except OctoUnreachable as error:
                self._warn(f"{error}. Going on: the account is registered with Octo afterwards.")
        record = self._ledger.register(
            account.account_id, name, account.account_type, method=method
        )
        return self._ledger.note(account.account_id, registered=True) if registered else record

    def check_payer(self, account: Account) -> None:
        """Make sure that a linked account's payer is registered before it, as Octo demands.

        Raises:
            OctoRefused: it is not.
            OctoUnreachable: Octo does not answer.
        """
        known, payer_id = self._ledger.account(account.account_id), account.management_account_id
        if self._api is None or account.account_type != "linked" or payer_id is None:
            return
        if known is not None and known.octo_registered_at is not None:
            return
        if self._api.status(payer_id) is None:
            message = f"its payer {payer_id} must be registered before it"
            raise OctoRefused(
                message, where=account.account_id, hint=error_messages.hint_for(message)
            )

    def confirm(
        self,
        account: Account,
        name: str,
        statuses: dict[AreaName, AreaStatus],
        *,
        finish: bool,
        may_register: bool = False,
        method: Method = "terraform",
    ) -> AccountRecord:
        """Note what was verified, and have Octo confirm the areas that pass.

        An Octo that does not answer is an answer of its own.

        Args:
            account: as identified.
            name: as Octo shows it; may be empty.
            statuses: each area's status.
            finish: whether *Confirm and Finish* is reached if API access is confirmed.
            may_register: whether an account that Octo does not know is registered first.
            method: how its resources are made.
        """
        self._ledger.register(account.account_id, name, account.account_type, method=method)
        record = self._ledger.confirm(
            account.account_id, statuses, finish=finish and self._api is None
        )  # first: nothing that was found out is lost
        passed = [area for area in LABELS if statuses.get(area) == "pass"]
        return self._answers(record, passed, finish=finish, may_register=may_register)

    def confirm_remaining(self, account_id: str, *, may_register: bool = False) -> AccountRecord:
        """Have Octo confirm what passed here and Octo has not confirmed yet.

        Raises:
            LedgerError: nothing was verified here yet.
        """
        record = self._ledger.account(account_id)
        if record is None:
            raise LedgerError("is not registered", where=account_id, hint="Run octo-tf apply.")
        finish = record.statuses.get("api_access") == "pass"
        areas = [a for a in LABELS if a in record.unconfirmed]
        return self._answers(record, areas, finish=finish, may_register=may_register)

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

    def _answers(
        self,
        record: AccountRecord,
        areas: list[AreaName],
        *,
        finish: bool,
        may_register: bool,
    ) -> AccountRecord:
        account_id = record.account_id
        if self._api is None:
            answers = {
                area: self._answer(
                    "by_hand", hint=f"In Octo: Check and Confirm for {LABELS[area]}."
                )
                for area in areas
                if area in record.unconfirmed
            }
            return self._ledger.note(account_id, answers=answers)
        try:
            if record.octo_registered_at is None:
                if may_register:
                    self._api.register(account_id, record.account_name)
                elif self._api.status(account_id) is None:
                    left = self._answer("not_registered", "Octo does not know the account.", _APPLY)
                    return self._ledger.note(account_id, answers=dict.fromkeys(areas, left))
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
            trouble = self.linked.notify_octo(account_id)
            if trouble is not None:
                failed = self._failed(trouble)
                self._warn(f"{failed.reason} {failed.hint}")
        if notified := self.linked.notified():
            self._warn(f"  Octo knows {notified} more linked accounts")
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
            trouble = self.linked.notify_octo(record.account_id)
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
