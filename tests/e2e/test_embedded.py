"""Without a terraform program: the whole route on the embedded engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def without_terraform(tmp_path_factory) -> str:
    """A PATH with everything but terraform and tofu."""
    folder = tmp_path_factory.mktemp("bin")
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            if program.name not in ("terraform", "tofu") and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    return str(folder)


def test_it_registers_verifies_and_finds_nothing_to_change(sandbox, without_terraform):
    project = sandbox.project("linked-1", "embedded")
    project.environ = {**project.environ, "PATH": without_terraform}
    applied = project("apply", "--yes", "-v")
    assert applied.returncode == 0, applied.stderr
    assert "created aws_iam_role.api_access" in applied.stderr  # events stream from it too
    assert project("plan", "--detailed-exitcode").returncode == 0
    assert project.verify()[0] == 0


def test_an_error_reads_like_the_program_s(sandbox, without_terraform):
    project = sandbox.project("linked-2", "embedded fails")
    project.environ = {**project.environ, "PATH": without_terraform}
    sandbox.fault(service="iam", action="CreateRole", error="AccessDenied", times=9)
    result = project("apply", "--yes")
    assert result.returncode == 1
    assert "aws_iam_role.api_access" in result.stderr
    assert "Traceback" not in result.stderr
