"""Runs the doctor's checks; what fails unexpectedly is a line too, never a traceback."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.doctor import checks
from orchestrator.doctor.model import Check, Line, Patient, Status
from orchestrator.errors import OctoTfError
from orchestrator.plugins import modules_in


def find() -> list[Check]:
    """Every check, by id."""
    return sorted((module.CHECK for module in modules_in(checks)), key=lambda check: check.id)


def examine(patient: Patient) -> dict[str, Line]:
    """Runs every check, side by side; the lines by the checks' ids."""
    found = find()
    if patient.context is not None:
        with contextlib.suppress(OctoTfError):  # the credentials' own check says it
            patient.context.cloud.connect()  # made once, before threads ask for it
    with ThreadPoolExecutor(max_workers=4) as pool:
        lines = pool.map(lambda check: _one(check, patient), found)
        return {check.id: line for check, line in zip(found, lines, strict=True)}


def _one(check: Check, patient: Patient) -> Line:
    try:
        return check.run(patient)
    except OctoTfError as error:
        return Line(Status.PROBLEM, str(error), error.hint or "See the error.")
    except (ClientError, BotoCoreError, OSError, ValueError) as error:
        return Line(
            Status.PROBLEM,
            f"Could not be looked at: {type(error).__name__}.",
            "Mend the other problems first, then run octo-tf doctor again.",
        )
