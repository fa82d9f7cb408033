"""A registered payer to StackSet, in place: snapshot → apply → the same snapshot again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator.app import pipeline, snapshot
from orchestrator.app.context import Run
from orchestrator.app.review import Review
from orchestrator.errors import OctoTfError
from orchestrator.verify.model import Report

_SNAPSHOT = "upgrade.json"


def upgrade(run: Run, *, approve: Callable[[Review], None]) -> tuple[Review, Report, list[str]]:
    """Applies, and compares what is there with what was there before.

    A run that is killed leaves its snapshot behind: the next one compares with that.

    Returns:
        The plan, the verification, and what was kept, by name.

    Raises:
        OctoTfError: something that was there before is lost; each is named.
    """
    pipeline.check_linked(run)  # before verify writes to the root folder
    file: Path = run.folder / _SNAPSHOT
    with run.progress.step("Looking at what is there"):
        outputs, report = pipeline.look(run)
        before = snapshot.keep(snapshot.take(pipeline.context(run, outputs), report), file)
    review, report = pipeline.apply(run, approve=approve)
    after = snapshot.take(pipeline.context(run, pipeline.known(run)), report)
    lost = snapshot.differences(before, after)
    if lost:
        raise OctoTfError(
            "the upgrade is applied, but not everything is as it was:\n"
            + "\n".join(f"  {sentence}" for sentence in lost),
            where=run.registration.account_id,
            hint="Run octo-tf verify: its hints say what mends each check.",
        )
    file.unlink(missing_ok=True)
    return review, report, [*before.identities, *(f"check {check}" for check in before.passing)]
