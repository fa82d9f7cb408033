"""Rotate the external id without a gap: the roles accept two until Octo presents the new one.

    identify → octo.yaml, Octo → accept both (apply) → Octo presents the new id?
        → drop the previous one (apply) → Octo confirms → octo.yaml
                                        → Octo is refused → accept both again

Octo's API cannot change the id: a person does, between two runs of the command. Each phase is an
apply of its own, with its own consent. octo.yaml keeps both ids until Octo has confirmed, so that
every run, of whoever has that octo.yaml, accepts both in the meantime; what the ledger notes only
spares an interrupted run from accepting both once more.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.app import steps
from orchestrator.app.apply import Applied, Consent, apply_prepared
from orchestrator.app.console import rotation as console
from orchestrator.app.context import AccountContext
from orchestrator.app.review import Review
from orchestrator.app.rotation import (
    Change,
    Request,
    Rotated,
    find_change,
    is_confirmed,
    is_right,
    octo_is_refused,
)
from orchestrator.config import rotation as kept
from orchestrator.errors import Refused
from orchestrator.model.account import Account
from orchestrator.model.octo_records import RotationPhase
from orchestrator.model.outside_action import CONFIGURE


def rotate(context: AccountContext, request: Request, *, config: Path, consent: Consent) -> Rotated:
    """Take a rotation as far as it can go now.

    Args:
        config: octo.yaml, which keeps both ids in the meantime.
        consent: asked before each phase that changes something.

    Raises:
        ConfigError: another rotation is under way, or an id is missing.
        Refused: a StackSet operation is running.
        EngineError: nothing was applied yet, or Terraform failed; the next run goes on.
    """
    account = steps.identify(context)
    with context.locked():
        change = find_change(context, request)
        refuse_running_operation(context, account)
        if change.has_changed:
            kept.check_end(config, change.new.get_secret_value(), context.settings.environ)
        record = context.octo.ledger.account(account.account_id)
        if record is not None and record.method == "console":
            return console.rotate(context, account, change, config=config, consent=consent)
        was_dropping = bool(record and record.rotation and record.rotation.phase == "dropping")
        if change.previous and not (change.has_changed and was_dropping):
            accepted = _accept_both(context, account, change, config, consent)
            if not is_right(accepted.report):
                return Rotated("accepting", accepted.report, accepted.review)
            if not change.has_changed:
                context.octo.ledger.note_rotation(account.account_id, "waiting")
                return Rotated("waiting", accepted.report, accepted.review)
            change = replace(change, is_kept=True)
        return _drop(context, account, change, config, consent)


def refuse_running_operation(context: AccountContext, account: Account) -> None:
    """Refuse to change the roles while CloudFormation is at work on those of linked accounts.

    Raises:
        Refused: a StackSet operation is running.
    """
    running = context.cloud.running_operation() if account.account_type == "payer" else None
    if running is not None:
        raise Refused(
            f"operation {running} of the StackSet is running",
            where=context.cloud.stackset_name,
            hint="Wait until it has ended (octo-tf stackset status), then run the same command"
            " again.",
        )


def _beginning(
    phase: RotationPhase, context: AccountContext, account: Account, consent: Consent
) -> Consent:
    """Wrap a consent: once given, check for StackSet operations again, and note the phase begun."""

    def consented(review: Review) -> None:
        consent(review)
        refuse_running_operation(context, account)
        context.octo.ledger.note_rotation(account.account_id, phase)

    return consented


def _accept_both(
    context: AccountContext, account: Account, change: Change, config: Path, consent: Consent
) -> Applied:
    """Apply with both ids; octo.yaml keeps them from consent on."""
    both = change.accepting(context)
    prepared = steps.prepare(both, account, registering=True)
    steps.applied_outputs(both, prepared.terraform)  # there is something to rotate
    applied = apply_prepared(
        both,
        prepared,
        consent=_beginning("accepting", context, account, consent),
        announced=change.announce_begin(config),
        carry_out={CONFIGURE: lambda _action: change.keep(config)},
    )
    context.cloud.observe_again()
    return applied


def _drop(
    context: AccountContext, account: Account, change: Change, config: Path, consent: Consent
) -> Rotated:
    """Apply with the new id alone; put both back if Octo is then refused."""
    alone = change.alone(context)
    record = context.octo.ledger.account(account.account_id)
    confirmed = set(record.confirmed_at) if record else set()
    prepared = steps.prepare(alone, account, registering=True)
    announced = change.announce_end(config, "If Octo is refused: accept both again.")
    begin = _beginning("dropping", context, account, consent)
    applied = apply_prepared(alone, prepared, consent=begin, announced=announced)
    report = applied.report
    context.cloud.observe_again()
    if change.previous is not None and octo_is_refused(report, confirmed):
        _put_back(context, account, change, consent)
        return Rotated("put_back", report, applied.review)
    if not is_right(report) or not is_confirmed(context, report):
        return Rotated("dropping", report, applied.review)
    kept.end(config, change.new.get_secret_value())
    context.octo.ledger.note_rotation(account.account_id, "done")
    return Rotated("done", report, applied.review)


def _put_back(context: AccountContext, account: Account, change: Change, consent: Consent) -> None:
    """Accept both external ids again; the consent to the last plan covers that.

    The user is asked again only if the new plan also changes something outside Terraform.
    """
    context.events.warn("Octo is refused with the new external id alone: both are accepted again.")
    both = change.accepting(context)
    prepared = steps.prepare(both, account)
    apply_prepared(
        both, prepared, consent=lambda review: consent(review) if review.outside else None
    )
    context.octo.ledger.note_rotation(account.account_id, "put_back")
