"""disk: the folder can be written, with enough space for the provider and the state."""

import os
import shutil
from pathlib import Path

from orchestrator.doctor.model import (
    DoctorCheck,
    DoctorContext,
    DoctorResult,
    ok,
    problem,
    warning,
)

_PROVIDER_BYTES = 1_000_000_000  # the AWS provider unpacked, unless it is linked from a mirror


def _run(context: DoctorContext) -> DoctorResult:
    return judge(context.folder, shutil.disk_usage(_existing(context.folder)).free)


def judge(folder: Path, free: int) -> DoctorResult:
    """Judge a folder on a file system with ``free`` bytes left."""
    existing = _existing(folder)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return problem(
            f"{existing} cannot be written.",
            "Choose another place with --workdir, or change the permissions.",
        )
    if free < _PROVIDER_BYTES:
        return warning(
            f"{free / 1e9:.1f} GB are free for {folder}.",
            "Free 1 GB: Terraform may unpack the AWS provider there.",
        )
    return ok(f"{free / 1e9:.0f} GB are free for {folder}.")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


CHECK = DoctorCheck("disk", _run)
