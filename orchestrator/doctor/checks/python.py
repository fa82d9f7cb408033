"""python: the interpreter and octo-tf itself."""

import platform

from orchestrator import __version__
from orchestrator.doctor.model import Check, Line, Patient, Status


def _run(_patient: Patient) -> Line:
    return Line(
        Status.OK,
        f"octo-tf {__version__} on Python {platform.python_version()}, {platform.platform()}.",
    )


CHECK = Check("python", _run)
