"""python: the versions of the interpreter and of octo-tf."""

import platform

from orchestrator import __version__
from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok


def _run(_context: DoctorContext) -> DoctorResult:
    return ok(
        f"octo-tf {__version__} on Python {platform.python_version()}, {platform.platform()}."
    )


CHECK = DoctorCheck("python", _run)
