"""Lay the module out as a repository of its own, as a Terraform registry reads it.

Usage: ``module_dist.py FOLDER``. Every example is initialized and validated from there; the module
itself cannot be, since it has no provider configuration for its alias ``aws.cur_bucket``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from orchestrator.terraform import binary

MODULE = Path(__file__).parent / "modules/octo"
LICENSE = Path(__file__).parents[1] / "LICENSE"
_LINK_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")


def lay_out(folder: Path) -> None:
    """Copy the module and LICENSE to ``folder``, which must not exist, without links out of it."""
    shutil.copytree(MODULE, folder, ignore=shutil.ignore_patterns(".*"))
    shutil.copy(LICENSE, folder)
    readme = folder / "README.md"
    text = _LINK_OUTSIDE.sub(r"\1", readme.read_text(encoding="utf-8"))
    readme.write_text(text, encoding="utf-8")


def validate(folder: Path) -> None:
    """Initialize and validate each example of a laid out module, in a copy.

    Raises:
        CalledProcessError: Terraform refuses one.
    """
    program, mirror, environ = binary.current()
    copy = folder.with_name(f".{folder.name}")
    shutil.copytree(folder, copy)
    try:
        for example in sorted((copy / "examples").iterdir()):
            mirrored = [f"-plugin-dir={mirror}"] if mirror else []
            for command in (["init", "-backend=false", *mirrored], ["validate"]):
                subprocess.run(
                    [program.path, *command, "-no-color"],
                    cwd=example,
                    env=environ,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
    finally:
        shutil.rmtree(copy)


def main() -> int:
    """Replace the folder by a new layout."""
    folder = Path(sys.argv[1]).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    lay_out(folder)
    validate(folder)
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
