"""Enrol an account in the AWS services that its features need, and end these enrolments.

It is done with the user's credentials, after consent, so that Octo needs no permission for it. What
is enrolled already is left as it is. The ledger notes each enrolment before the call: only these
can be ended again (``destroy --with-enrolments``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone

from orchestrator.app.context import AccountContext
from orchestrator.errors import AwsError, ConfigError
from orchestrator.model.account import Account
from orchestrator.model.enrolment import SERVICES, Enrolment, MadeEnrolment, ServiceName
from orchestrator.model.module_contract import features
from orchestrator.model.outside_action import (
    END_ENROLMENT,
    ENROL,
    ENROL_MEMBERS,
    OutsideAction,
)
from orchestrator.model.partition import partition_of_arn

_NO_MEMBERS = " Its member accounts are left as they are; enrolment: organization includes them."


def planned(context: AccountContext, account: Account) -> list[OutsideAction]:
    """List the enrolments that the chosen features need and that AWS does not have.

    An enrolment that cannot be read is a warning, and is not planned.

    Raises:
        ConfigError: only a payer has member accounts.
    """
    wanted = context.registration.enrolment or "account"
    names = features.enrolments(context.registration.features or ())
    if not names or wanted == "none" or partition_of_arn(account.caller_arn) != "aws":
        return []
    is_payer, members = account.account_type == "payer", wanted == "organization"
    if members and not is_payer:
        raise ConfigError(
            f"a {account.account_type} account has no member accounts to enrol",
            where=context.settings.place_of("enrolment"),
            hint="Set enrolment: account here, and enrolment: organization for the payer.",
        )
    actions = []
    for name in names:
        with_members = members and SERVICES[name].has_enrolment
        found = _read(context, name, members=with_members)
        if found is None or (found.active and (found.includes_members or not with_members)):
            continue
        code = ENROL_MEMBERS if with_members else ENROL
        text = _sentence(account, name, members=with_members, active=found.active)
        if is_payer and not members and SERVICES[name].has_enrolment:
            text += _NO_MEMBERS
        actions.append(OutsideAction(code, name, text))
    return actions


def carry_out(
    context: AccountContext, account: Account, actions: Collection[OutsideAction]
) -> None:
    """Make the planned enrolments; warn if AWS refuses one, which the next apply tries again."""
    wanted = [action for action in actions if action.code in (ENROL, ENROL_MEMBERS)]
    if not wanted:
        return
    with context.events.step("enrol", "Enrolling in AWS services"):
        for action in wanted:
            for name in (name for name in SERVICES if name == action.subject):
                _enrol(context, account, name, members=action.code == ENROL_MEMBERS)


def _enrol(context: AccountContext, account: Account, name: ServiceName, *, members: bool) -> None:
    before = _read(context, name, members=members, again=True)
    if before is None or (before.active and (before.includes_members or not members)):
        return
    earlier = made_by_octo_tf(context, account).get(name)
    made = MadeEnrolment(
        at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        account=not before.active or bool(earlier and earlier.account),
        members=members,
        members_before=len(before.members),
        role=not before.has_role or bool(earlier and earlier.role),
    )
    context.octo.ledger.note_enrolment(account.account_id, name, made)
    try:
        context.cloud.enrol(name, members=members)
    except AwsError as error:
        context.events.warn(
            f"{SERVICES[name].label} was not enrolled: {error}. {error.hint} The next octo-tf apply"
            " tries again; enrolment: none skips it."
        )
        now = _read(context, name, again=True)
        if now is not None and now.active == before.active:
            context.octo.ledger.note_enrolment(account.account_id, name, earlier)


def made_by_octo_tf(context: AccountContext, account: Account) -> dict[ServiceName, MadeEnrolment]:
    """Return what octo-tf enrolled, as the ledger has it."""
    record = context.octo.ledger.account(account.account_id)
    return record.enrolments if record else {}


def ending(
    context: AccountContext, account: Account, *, chosen: bool
) -> tuple[list[OutsideAction], list[str]]:
    """List the enrolments to end when the account leaves, and say what stays.

    Args:
        chosen: whether the user asked to end them (``--with-enrolments``).
    """
    made = made_by_octo_tf(context, account)
    if not chosen:
        labels = ", ".join(SERVICES[name].label for name in made)
        kept = f"The enrolments that octo-tf made: {labels}. --with-enrolments ends them."
        return [], [kept] if made else []
    if not made:
        return [], ["Enrolments in AWS services: octo-tf made none."]
    actions, stays = [], []
    for name, one in made.items():
        found = _read(context, name)
        if found is None:
            stays.append(f"The enrolment in {SERVICES[name].label}, which could not be read.")
            continue
        if text := _describe_end(account, name, one, found):
            actions.append(OutsideAction(END_ENROLMENT, name, text))
        stays += _kept(name, one, found)
    return actions, stays


def end(context: AccountContext, account: Account, actions: Collection[OutsideAction]) -> None:
    """End the enrolments among the actions; a run after an interruption ends the rest."""
    wanted = {action.subject for action in actions if action.code == END_ENROLMENT}
    if not wanted:
        return
    with context.events.step("end_enrolment", "Ending enrolments in AWS services"):
        for name, one in made_by_octo_tf(context, account).items():
            if name in wanted:
                _end(context, account, name, one)


def _end(context: AccountContext, account: Account, name: ServiceName, one: MadeEnrolment) -> None:
    found = context.cloud.enrolment(name, again=True)
    if one.account and found.active and SERVICES[name].has_enrolment:
        context.cloud.end_enrolment(name, members=_ends_members(name, one))
    if one.role:
        context.octo.ledger.note_enrolment(
            account.account_id, name, MadeEnrolment(at=one.at, role=True)
        )
        try:
            context.cloud.delete_service_role(name)
        except AwsError as error:
            context.events.warn(f"{error}. {error.hint}".strip())
            return
    context.octo.ledger.note_enrolment(account.account_id, name, None)


def _ends_members(name: ServiceName, one: MadeEnrolment) -> bool:
    """Tell whether members' enrolments can be ended: not if some were enrolled before."""
    return one.members and not one.members_before and SERVICES[name].ends_members


def _sentence(account: Account, name: ServiceName, *, members: bool, active: bool) -> str:
    label = SERVICES[name].label
    if not SERVICES[name].has_enrolment:
        return f"Create the service-linked role of {label} in account {account.account_id}."
    if not members:
        return f"Enrol account {account.account_id} in {label}."
    who = "the member accounts" if active else f"account {account.account_id} and its members"
    return (
        f"Enrol {who} in {label}, which switches on the service's trusted access to the"
        " organization."
    )


def _describe_end(account: Account, name: ServiceName, one: MadeEnrolment, found: Enrolment) -> str:
    """Say what ending would do now; empty if nothing."""
    label, role = SERVICES[name].label, one.role and found.has_role
    if not SERVICES[name].has_enrolment:
        return f"Delete the service-linked role of {label}." if role else ""
    if one.account and found.active:
        members = " and its members" if _ends_members(name, one) else ""
        also = ", and delete its service-linked role" if role else ""
        return f"End the enrolment of account {account.account_id}{members} in {label}{also}."
    is_unused = role and not found.active
    return f"Delete the service-linked role of {label}." if is_unused else ""


def _kept(name: ServiceName, one: MadeEnrolment, found: Enrolment) -> list[str]:
    label = SERVICES[name].label
    stays = []
    if found.active and not one.account and SERVICES[name].has_enrolment:
        stays.append(f"The enrolment in {label}: octo-tf did not make it.")
    if one.members and not (one.account and _ends_members(name, one)):
        why = (
            f"{one.members_before} were enrolled before"
            if SERVICES[name].ends_members and one.members_before
            else "each ends its own"
        )
        stays.append(f"The member accounts' enrolments in {label}: {why}.")
    if one.members:
        stays.append(f"The trusted access of {label} to the organization.")
    return stays


def _read(
    context: AccountContext, name: ServiceName, *, members: bool = False, again: bool = False
) -> Enrolment | None:
    try:
        return context.cloud.enrolment(name, members=members, again=again)
    except AwsError as error:
        context.events.warn(f"{error}: octo-tf skips {SERVICES[name].label}. {error.hint}")
        return None
