"""Octo's answers about one area, with what to do next."""

from __future__ import annotations

from orchestrator.errors import OctoError, OctoRefused
from orchestrator.model.octo_records import LABELS, AccountRecord, AreaName, Method, OctoAnswer
from orchestrator.model.words import counted
from orchestrator.octo import error_messages
from orchestrator.octo.messages import NO_ERROR, OUTDATED, UP_TO_DATE, AccountAccess, DataAccess

_CONFIRM = "Run octo-tf confirm: it has Octo confirm what is left."
_REGISTERING = "it registers the account, and has Octo confirm what passed."


def register_hint(method: Method) -> str:
    """Say how an account that is not registered is registered."""
    if method == "console":
        return f"Run octo-tf confirm --register, or octo-tf console finish: {_REGISTERING}"
    return f"Run octo-tf confirm --register, or octo-tf apply: {_REGISTERING}"


def of_access(access: AccountAccess, *, confirmed: bool, at: str) -> OctoAnswer:
    """Read the answer to a confirmation.

    Args:
        confirmed: whether the area is among what Octo has confirmed.
        at: the time of the answer.
    """
    if confirmed:
        if access.status != OUTDATED:
            return OctoAnswer(state="confirmed", at=at)
        return OctoAnswer(
            state="confirmed",
            at=at,
            reason="The template is outdated.",
            hint="Run octo-tf status: it shows what Octo's new template asks for.",
            outdated=True,
        )
    if access.status in NO_ERROR:
        return OctoAnswer(
            state="pending", at=at, reason="Octo has not found it yet.", hint=_CONFIRM
        )
    hint = error_messages.hint_for(access.status)
    return OctoAnswer(state="refused", at=at, reason=access.status, hint=hint)


def of_error(error: OctoError, record: AccountRecord, *, at: str) -> OctoAnswer:
    """Read an error: Octo refuses, or could not be asked."""
    if isinstance(error, OctoRefused):
        return OctoAnswer(state="refused", at=at, reason=error.what, hint=error.hint)
    going_on = _CONFIRM if record.is_registered else register_hint(record.method)
    hint = f"{error.hint} {going_on}".strip()
    return OctoAnswer(state="unreachable", at=at, reason=error.what, hint=hint)


def waiting(at: str) -> OctoAnswer:
    """Answer for an area that Octo confirms after API access only."""
    return OctoAnswer(
        state="waiting",
        at=at,
        reason="Octo confirms API access first.",
        hint="Fix API access first: its own line says how.",
    )


def stackset_with_leavers(record: AccountRecord, left: int, *, at: str) -> OctoAnswer:
    """Answer for a StackSet that is not confirmed again, since linked accounts have left.

    What Octo confirmed earlier stands.
    """
    if record.is_confirmed("stackset"):
        return record.answers["stackset"]
    accounts = counted(left, "linked account")
    return OctoAnswer(
        state="waiting",
        at=at,
        reason=f"{accounts} left Octo; confirming the StackSet may register them again.",
        hint="Run octo-tf confirm --register if that is wanted.",
    )


def recorded_confirmation(record: AccountRecord, known: DataAccess | None) -> OctoAnswer | None:
    """Return the StackSet's confirmation in the ledger if it still holds; with None, ask Octo.

    Octo assumes the role in every linked account when it is asked. A first confirmation whose
    answer did not come in time counts once Octo says that the StackSet is confirmed.
    """
    earlier = record.answers.get("stackset")
    if known is None or earlier is None or earlier.at <= (record.applied_at or ""):
        return None
    octo, by_terraform = known.aws_options, record.method == "terraform"
    if not (by_terraform and octo.registration_status.stack_set and octo.status in UP_TO_DATE):
        return None
    if earlier.state == "unreachable" and "stackset" not in record.confirmed_at:
        return OctoAnswer(state="confirmed", at=earlier.at)
    return earlier if earlier.state == "confirmed" else None


def not_registered(record: AccountRecord, *, at: str) -> OctoAnswer:
    """Answer for an account that Octo does not know; octo-tf did not unregister it."""
    return OctoAnswer(
        state="not_registered",
        at=at,
        reason="The account is not registered with Octo.",
        hint=register_hint(record.method),
    )


def left(record: AccountRecord) -> OctoAnswer:
    """Answer for an account that octo-tf unregistered."""
    at = record.left_at or ""
    finish = "octo-tf console finish" if record.method == "console" else "octo-tf apply"
    return OctoAnswer(
        state="left",
        at=at,
        reason=f"The account left Octo on {day(at)}.",
        hint=f"To register it again: octo-tf confirm --register, or {finish}.",
    )


def by_hand(area: AreaName, *, at: str) -> OctoAnswer:
    """Answer for an area that is to be confirmed by hand."""
    hint = f"In Octo: Check and Confirm for {LABELS[area]}."
    return OctoAnswer(state="by_hand", at=at, hint=hint)


def day(time: str) -> str:
    """Shorten a time to its date."""
    return time[:10]
