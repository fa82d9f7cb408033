"""Shell completion installs with one command, once, and completes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def octo_tf(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        env={**clean, "HOME": str(home), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_installs_once_and_keeps_what_was_there(tmp_path, shell):
    startup = tmp_path / f".{shell}rc"
    startup.write_text("alias ll='ls -l'")  # without a newline at its end
    startup.chmod(0o640)
    for _ in range(2):
        result = octo_tf(tmp_path, "completion", "install", SHELL=f"/bin/{shell}")
        assert result.returncode == 0, result.stderr
        script = Path(result.stdout.strip())
        assert "_OCTO_TF_COMPLETE" in script.read_text()
    text = startup.read_text()
    assert text.startswith("alias ll='ls -l'")
    assert text.count(str(script)) == (0 if shell == "fish" else 2)  # tested, then read: one line
    assert text.count("\n") == (0 if shell == "fish" else 2)
    assert startup.stat().st_mode & 0o777 == 0o640


def test_bash_takes_the_script_and_completes(tmp_path):
    bash = shutil.which("bash")
    assert bash is not None
    octo_tf(tmp_path, "completion", "install", "--shell", "bash")
    program = tmp_path / "octo-tf"
    program.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c \"import sys; sys.argv[0]='octo-tf';"
        ' from orchestrator.cli import main; main()" "$@"\n'
    )
    program.chmod(0o755)
    asked = (
        "source ~/.bashrc; COMP_WORDS=(octo-tf ver); COMP_CWORD=1; _octo_tf_completion octo-tf;"
        ' echo "${COMPREPLY[@]}"'
    )
    result = subprocess.run(
        [bash, "-c", asked],
        env={**os.environ, "HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "verify" in result.stdout, result.stderr


def test_an_unknown_shell_is_asked_for(tmp_path):
    result = octo_tf(tmp_path, "completion", "show", SHELL="/bin/odd")
    assert result.returncode == 64
    assert "--shell" in result.stderr
