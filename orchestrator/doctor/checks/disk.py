"""disk: room for the provider and the state, in a folder that can be written."""

import os
import shutil
from pathlib import Path

from orchestrator.doctor.model import Check, Line, Patient, Status

_PROVIDER_BYTES = 1_000_000_000  # the AWS provider unpacked, where it is not linked from a mirror


def _run(patient: Patient) -> Line:
    return judge(patient.folder, shutil.disk_usage(_existing(patient.folder)).free)


def judge(folder: Path, free: int) -> Line:
    """The line for a folder on a file system with ``free`` bytes left."""
    existing = _existing(folder)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Line(
            Status.PROBLEM,
            f"{existing} cannot be written.",
            "Choose another place with --workdir, or see to the permissions.",
        )
    if free < _PROVIDER_BYTES:
        return Line(
            Status.WARNING,
            f"{free / 1e9:.1f} GB are free for {folder}.",
            "Free 1 GB: Terraform may unpack the AWS provider there.",
        )
    return Line(Status.OK, f"{free / 1e9:.0f} GB are free for {folder}.")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


CHECK = Check("disk", _run)
