"""Upgrade: a registered payer gets its StackSet in place; nothing is deleted or registered again.

prepare → snapshot → apply (with the StackSet) → the same snapshot again
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.app import snapshot, steps
from orchestrator.app.apply import Consent, apply_prepared
from orchestrator.app.context import AccountContext
from orchestrator.app.review import Review
from orchestrator.app.verify import check
from orchestrator.model.outside_action import CONFIGURE, OutsideAction
from orchestrator.verify.model import Report

_SNAPSHOT = "upgrade.json"


@dataclass(frozen=True)
class Upgraded:
    """The result of an upgrade: the plan, the verification, and the names of what is unchanged."""

    review: Review
    report: Report
    kept: tuple[str, ...]


def upgrade(
    context: AccountContext,
    *,
    consent: Consent,
    configure: Callable[[], None],
    configuring: tuple[OutsideAction, ...] = (),
) -> Upgraded:
    """Apply, and compare what is there with what was there before.

    A run that is killed leaves its snapshot behind: the next one compares with that.

    Args:
        context: the payer, its registration with ``use_stackset``.
        configure: writes octo.yaml, right after consent: any command then continues a run that
            was killed.
        configuring: the lines of the plan that say so.

    Raises:
        OctoTfError: something that was there before is lost; each is named.
    """
    file = context.folder / _SNAPSHOT

    def consented(review: Review) -> None:
        consent(review)
        snapshot.keep(before, file)

    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account, registering=True)
        with context.events.step("snapshot", "Taking a snapshot"):
            outputs = steps.applied_outputs(context, prepared.terraform)
            report = check(context, prepared, outputs, shown=False, unchanged=True)
            before = snapshot.kept(file) or context.cloud.take_snapshot(outputs, report)
        applied = apply_prepared(
            context,
            prepared,
            consent=consented,
            announced=configuring,
            carry_out={CONFIGURE: lambda _action: configure()},
        )
        outputs = steps.applied_outputs(context, prepared.terraform)
        after = context.cloud.take_snapshot(outputs, applied.report)
        snapshot.compare(before, after, context.registration.account_id)
        file.unlink(missing_ok=True)
    kept = (*before.identities, *(f"check {check_id}" for check_id in before.passing))
    return Upgraded(applied.review, applied.report, kept)
