"""An installed wheel works from any folder: the module and the templates are inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the wheel's content, as pip unpacks it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*install, "--target", str(folder / "site"), str(wheel)], check=True, capture_output=True
    )
    return folder / "site"


def test_it_plans_from_any_folder(sandbox, installed):
    project = sandbox.project("linked-1")
    project.environ = {**project.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    where = subprocess.run(
        [sys.executable, "-c", "import orchestrator.assets as a; print(a.MODULE)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=project.folder,
        env={**os.environ, **project.environ},
    )
    assert where.stdout.startswith(str(installed))
    result = project("plan", "--detailed-exitcode")
    assert result.returncode == 2, result.stderr
    assert "4 to add" in result.stdout
