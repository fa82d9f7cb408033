"""Run the doctor's checks; an unexpected error is a result too, never a traceback."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from orchestrator.aws.errors import CALL_ERRORS
from orchestrator.doctor import checks
from orchestrator.doctor.model import (
    ConfigurationMissing,
    DoctorCheck,
    DoctorContext,
    DoctorResult,
    DoctorStatus,
    problem,
)
from orchestrator.errors import OctoTfError
from orchestrator.plugins import modules_in


def find() -> list[DoctorCheck]:
    """Return every check of ``checks/``, sorted by id."""
    return sorted((module.CHECK for module in modules_in(checks)), key=lambda check: check.id)


def run_checks(context: DoctorContext) -> dict[str, DoctorResult]:
    """Run every check in parallel; returns the results by the checks' ids."""
    found = find()
    with ThreadPoolExecutor(max_workers=4) as pool:
        results = pool.map(lambda check: _one(check, context), found)
        return {check.id: result for check, result in zip(found, results, strict=True)}


def _one(check: DoctorCheck, context: DoctorContext) -> DoctorResult:
    try:
        return check.run(context)
    except ConfigurationMissing:
        return DoctorResult(
            DoctorStatus.SKIPPED,
            "Not checked: it depends on octo.yaml.",
            "Fix the configuration first.",
        )
    except OctoTfError as error:
        return problem(str(error), error.hint or "See the error.")
    except (*CALL_ERRORS, OSError, ValueError) as error:
        return problem(
            f"Could not be checked: {type(error).__name__}.",
            "Fix the other problems first, then run octo-tf doctor again.",
        )
