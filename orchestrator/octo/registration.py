"""The registration of accounts with Octo: what is noted here, and Octo itself.

``register`` is called once the user consented, by commands that register; ``confirm`` registers
only where it is allowed to. What Octo has not confirmed is noted, and the next run or
``octo-tf confirm`` has it confirmed. All calls are idempotent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerError, OctoError, OctoRefused, OctoUnreachable
from orchestrator.model.account import Account
from orchestrator.model.octo_records import (
    LABELS,
    AccountRecord,
    AreaName,
    AreaStatus,
    Confirmation,
    Method,
    OctoAnswer,
)
from orchestrator.octo import answers, departure, error_messages
from orchestrator.octo.departure import Departure
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.linked_accounts import LinkedRegistrations

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi  # requests takes a while to load
    from orchestrator.octo.messages import DataAccess


class RegistrationService:
    """An account's registration: the ledger, and Octo's API where there are credentials.

    ``linked``: a payer's linked accounts. Every method raises LedgerError where the ledger cannot
    be read or changed.

    Args:
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
        self.ledger = ledger
        self.api = api
        self._region = region
        self._warn = warn
        self.linked = LinkedRegistrations(ledger, api)

    def register(self, account: Account, name: str, *, method: Method = "terraform") -> None:
        """Register the account with Octo; the user consented.

        Linked accounts that left together with it are registered again by ``confirm``. An Octo that
        does not answer is a warning: ``confirm`` registers the account later. Without credentials
        nothing is done.

        Args:
            name: as Octo shows it; may be empty.
            method: how its resources are made; an account that is Terraform's stays so.

        Raises:
            OctoRefused: Octo refuses the account; nothing was changed.
        """
        if self.api is None:
            return
        try:
            self.check_payer(account)
            self.api.register(account.account_id, name)
        except OctoUnreachable as error:
            self._warn(f"{error}. Going on: the account is registered with Octo afterwards.")
            return
        self.ledger.note_registered(account.account_id, name, account.account_type, method=method)
        self.linked.readmit(account.account_id)

    def check_payer(self, account: Account) -> None:
        """Make sure that a linked account's payer is registered before it, as Octo demands.

        Raises:
            OctoRefused: it is not.
            OctoUnreachable: Octo does not answer.
        """
        known, payer_id = self.ledger.account(account.account_id), account.management_account_id
        if self.api is None or account.account_type != "linked" or payer_id is None:
            return
        if known is not None and known.is_registered:
            return
        if self.api.status(payer_id) is None:
            message = f"its payer {payer_id} must be registered before it"
            raise OctoRefused(
                message, where=account.account_id, hint=error_messages.hint_for(message)
            )

    def check_new(self, account: Account, name: str) -> None:
        """Make sure that Octo, which does not know the account, would take it.

        Raises:
            OctoRefused: another account has its name, or its payer is not registered before it.
            OctoUnreachable: Octo does not answer.
        """
        self.check_payer(account)
        if self.api is None or not name:
            return
        for known in self.api.status_of_all():
            if known.aws_options.account_name == name and known.target != account.account_id:
                raise OctoRefused(
                    f"Octo has an account named {name} already: {known.target}",
                    where=account.account_id,
                    hint="Set account_name to one that no other account has in Octo.",
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
        delivered_at: str | None = None,
    ) -> Confirmation:
        """Note what was verified, and have Octo confirm the areas that pass.

        An Octo that refuses or does not answer is an answer of its own. Of an account that Octo
        does not know, nothing is confirmed, nor are its linked accounts registered.

        Args:
            name: as Octo shows it; may be empty.
            finish: whether *Confirm and Finish* is reached if API access is confirmed.
            may_register: whether an account that Octo does not know is registered first.
            delivered_at: when AWS delivered last (ISO 8601, UTC), if that was seen.
        """
        record = self.ledger.note_verified(  # first: nothing that was found out is lost
            account,
            name,
            statuses,
            method=method,
            delivered_at=delivered_at,
        )
        passed = [area for area in LABELS if statuses.get(area) == "pass"]
        register = self._registering(account, record) if may_register else None
        return self._confirmed(record, passed, finish=finish, register=register)

    def confirm_remaining(self, account_id: str, *, may_register: bool = False) -> Confirmation:
        """Have Octo confirm what passed earlier, and it has not confirmed or calls outdated.

        Args:
            may_register: whether an account that Octo does not know is registered first, with its
                linked accounts that left together with it.

        Raises:
            LedgerError: nothing was verified here yet.
        """
        record = self.ledger.account(account_id)
        if record is None or record.verified_at is None:
            raise LedgerError(
                "no verification is recorded on this machine yet",
                where=account_id,
                hint="Run octo-tf apply, or octo-tf verify if it was applied elsewhere: either"
                " records what passes.",
            )
        if may_register:
            self.linked.readmit(account_id)
        finish = record.statuses.get("api_access") == "pass"
        register = self._registering(None, record) if may_register else None
        passed = [area for area in LABELS if record.statuses.get(area) == "pass"]
        asked = [area for area in passed if area in {*record.unconfirmed, *record.outdated}]
        return self._confirmed(record, asked, finish=finish, register=register)

    def confirm_again(
        self, account: Account, name: str, *, with_stackset: bool = False
    ) -> OctoAnswer:
        """Have Octo confirm the API access of an updated stack; note its answer.

        octo-tf's own checks are not asked: of a stack of Octo's template, they say that it is none
        of octo-tf's.

        Args:
            name: as Octo shows it; may be empty.
            with_stackset: whether Octo confirms the stack's StackSet too, by which it registers
                the linked accounts that it reaches: the user consented.

        Raises:
            OctoError: there are no credentials for Octo.
        """
        if self.api is None:
            raise OctoError("there are no credentials for Octo's API", where=account.account_id)
        record = self.ledger.note_registered(
            account.account_id, name, account.account_type, method="console"
        )
        areas: tuple[AreaName, ...] = ("api_access", "stackset")
        for area in areas[: 1 + with_stackset]:
            answer = self._ask_confirmed(self.api, record, area, may_register=True)
            record = self.ledger.note_answers(account.account_id, {area: answer})
            if answer.state != "confirmed":
                break
        return answer

    def describe_departure(self, account_id: str) -> Departure:
        """Ask Octo what unregistering the account means; see ``departure.describe``."""
        if self.api is None:
            return Departure(account_id)
        return departure.describe(self.api, self.ledger, account_id)

    def unregister(self, leaving: Departure, *, with_linked: bool) -> None:
        """Have Octo forget the account; nothing in AWS is touched. See ``departure.carry_out``."""
        if self.api is not None:
            departure.carry_out(
                self.api, self.ledger, leaving, with_linked=with_linked, warn=self._warn
            )

    def _registering(self, account: Account | None, record: AccountRecord) -> Callable[[], None]:
        def register() -> None:
            if account is not None:
                self.check_payer(account)
            if self.api is not None:
                self.api.register(record.account_id, record.account_name)
                self.linked.readmit(record.account_id)

        return register

    def _confirmed(
        self,
        record: AccountRecord,
        areas: list[AreaName],
        *,
        finish: bool,
        register: Callable[[], None] | None,
    ) -> Confirmation:
        if self.api is None:
            return Confirmation(record, self._without_octo(record, areas))
        try:
            known = self.api.status(record.account_id)
            record = self._note_registered(record, known, register)
        except OctoError as error:
            if record.left_at is None or register is not None:
                answer = answers.of_error(error, record, at=self.ledger.time())
                return self._noted(record, dict.fromkeys(areas, answer))
            # An account that left, and may not be registered: what is noted here is the answer.
        if record.left_at is not None:
            return Confirmation(record, dict.fromkeys(areas, answers.left(record)))
        if not record.is_registered:
            answer = answers.not_registered(record, at=self.ledger.time())
            return self._noted(record, dict.fromkeys(areas, answer))
        given: dict[AreaName, OctoAnswer] = {}
        for area in areas:
            given[area] = self._ask_confirmed(
                self.api, record, area, known=known, may_register=register is not None
            )
            record = self.ledger.note_answers(
                record.account_id,
                {area: given[area]},
                finish=finish and area == "api_access" and given[area].state == "confirmed",
            )
        has_stackset = record.statuses.get("stackset", "skipped") != "skipped"
        if has_stackset and "stackset" not in areas and record.is_confirmed("api_access"):
            failure = self.linked.register_waiting(record.account_id)
            if failure is not None:
                self._warn(f"{failure}. {failure.hint}")
        return Confirmation(record, given, self.linked.registered)

    def _note_registered(
        self, record: AccountRecord, known: DataAccess | None, register: Callable[[], None] | None
    ) -> AccountRecord:
        """Note whether Octo knows the account; register it where that is allowed."""
        if known is None and register is None:
            return self.ledger.note_unknown(record.account_id)
        if known is None and register is not None:
            register()
        return self.ledger.note_registered(
            record.account_id,
            record.account_name,
            record.account_type,
            method=record.method,
            since=_since(known),
        )

    def _ask_confirmed(
        self,
        api: OctoApi,
        record: AccountRecord,
        area: AreaName,
        *,
        may_register: bool,
        known: DataAccess | None = None,
    ) -> OctoAnswer:
        account_id, at = record.account_id, self.ledger.time()
        if area != "api_access" and not record.is_confirmed("api_access"):
            first = record.answers.get("api_access")
            if first is not None and first.state == "unreachable":
                return first
            return answers.waiting(at)
        if area == "stackset" and not may_register and (left := self.linked.left(account_id)):
            # Octo may register every linked account that it reaches when it confirms the StackSet.
            return answers.stackset_with_leavers(record, len(left), at=at)
        from_terraform = record.method == "terraform"
        try:
            if area == "api_access":
                access = api.confirm_api_access(account_id, from_terraform=from_terraform)
                confirmed = access.registration_status.api_access
            elif area == "cur_s3":
                access = api.confirm_cur(account_id, from_terraform=from_terraform)
                confirmed = access.registration_status.cur_export
            else:
                if failure := self.linked.register_waiting(account_id):
                    return answers.of_error(failure, record, at=at)
                asked_anyway = may_register or self.linked.registered
                if not asked_anyway and (stands := answers.recorded_confirmation(record, known)):
                    return stands
                access = api.confirm_stackset(account_id, self._region)
                confirmed = access.registration_status.stack_set
        except OctoError as error:
            return answers.of_error(error, record, at=at)
        return answers.of_access(access, confirmed=confirmed, at=at)

    def _without_octo(
        self, record: AccountRecord, areas: list[AreaName]
    ) -> dict[AreaName, OctoAnswer]:
        """Answer without Octo: what it confirmed earlier stands; the rest is done by hand."""
        if record.left_at is not None:
            return dict.fromkeys(areas, answers.left(record))
        at = self.ledger.time()
        return {
            area: record.answers[area]
            if record.is_registered and record.is_confirmed(area)
            else answers.by_hand(area, at=at)
            for area in areas
        }

    def _noted(self, record: AccountRecord, given: dict[AreaName, OctoAnswer]) -> Confirmation:
        return Confirmation(self.ledger.note_answers(record.account_id, given), given)


def _since(known: DataAccess | None) -> str | None:
    """When Octo says that the account was registered, as the ledger writes times; None: now."""
    try:
        created = datetime.fromisoformat(known.create_time.replace("Z", "+00:00") if known else "")
    except ValueError:
        return None
    in_utc = created if created.tzinfo else created.replace(tzinfo=timezone.utc)
    return in_utc.astimezone(timezone.utc).isoformat(timespec="seconds")
