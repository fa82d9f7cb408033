"""Confirm: the ledger notes what was verified, and Octo confirms the areas that pass."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import cast

from orchestrator.app.context import AccountContext
from orchestrator.app.events import ReportMade
from orchestrator.model.account import Account
from orchestrator.model.octo_records import AreaName, AreaStatus, Confirmation, Method
from orchestrator.model.words import counted
from orchestrator.verify.cur import last_delivery
from orchestrator.verify.model import Area, Report, Status
from orchestrator.verify.stackset import linked_statuses

_WITHOUT_ID = (
    "Octo reaches the account, so perhaps it sends no external id for the CUR role: its own"
    " templates require none there. If this persists, add cur_role_trust: principal_only, which is"
    " weaker, to octo.yaml and run octo-tf apply."
)


def confirm(
    context: AccountContext,
    account: Account,
    report: Report,
    *,
    finish: bool = True,
    before: Mapping[AreaName, AreaStatus] | None = None,
    may_register: bool = False,
    method: Method = "terraform",
) -> Report:
    """Note what was verified, and have Octo confirm it by its own access.

    Args:
        finish: whether *Confirm and Finish* is reached if API access passes.
        before: the status of areas that were not verified now.
        may_register: whether an account that Octo does not know is registered first: the user
            consented to that.
        method: how the account's resources are made.

    Returns:
        The report with Octo's own answers, and the account's history.

    Raises:
        LedgerError: the ledger cannot be changed.
    """
    verified: dict[AreaName, AreaStatus] = {
        area.value: cast("AreaStatus", report.areas[area].value)  # no area's status is "warn"
        for area in Area
        if area.value not in (before or {})
    }
    context.octo.linked.note(linked_statuses(report))
    step = context.events.step("confirm", "Confirming with Octo")
    with step if context.octo.api else nullcontext():
        confirmation = context.octo.confirm(
            account,
            context.account_name,
            {**(before or {}), **verified},
            finish=finish and report.areas[Area.API_ACCESS] is Status.PASS,
            may_register=may_register,
            method=method,
            delivered_at=last_delivery(report),
        )
    _say_linked(context, confirmation)
    known = {Area(a): answer for a, answer in confirmation.record.answers.items()}
    asked = {Area(a): answer for a, answer in confirmation.answers.items()}
    passed = {a: w for a, w in {**known, **asked}.items() if report.areas[a] is Status.PASS}
    confirmed = replace(report, octo=passed, record=confirmation.record)
    if may_need_weaker_trust(context, confirmed):
        answer = passed[Area.CUR_S3]
        hint = f"{answer.hint} {_WITHOUT_ID}".strip()
        passed[Area.CUR_S3] = answer.model_copy(update={"hint": hint})
    context.events.emit(ReportMade(confirmed))
    return confirmed


def may_need_weaker_trust(context: AccountContext, report: Report) -> bool:
    """Tell whether Octo reaches the account but not its report, whose role requires an external id.

    Octo's own templates trust its account without an external id in the CUR role, so that the
    service may send none there.
    """
    cur, access = report.octo.get(Area.CUR_S3), report.octo.get(Area.API_ACCESS)
    return (
        context.registration.cur_role_trust != "principal_only"
        and cur is not None
        and cur.state == "refused"
        and access is not None
        and access.state == "confirmed"
    )


def confirm_remaining(context: AccountContext, *, may_register: bool = False) -> Confirmation:
    """Have Octo confirm what passed in an earlier run; AWS is not asked.

    Raises:
        LedgerError: nothing was verified here yet.
    """
    with context.events.step("confirm", "Confirming with Octo"):
        confirmation = context.octo.confirm_remaining(
            context.registration.account_id, may_register=may_register
        )
    _say_linked(context, confirmation)
    return confirmation


def _say_linked(context: AccountContext, confirmation: Confirmation) -> None:
    if count := confirmation.linked_registered:
        accounts = counted(count, "linked account was", "linked accounts were")
        context.events.note(f"  {accounts} registered with Octo")
