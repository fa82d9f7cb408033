"""The command line: exit codes, init, durations."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from orchestrator.cli.shared_options import _seconds


def octo_tf(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=cwd,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_sandbox_starts_although_a_profile_is_gone_and_ends_with_its_terminal(tmp_path):
    process = subprocess.Popen(
        [*(sys.executable, "-m", "orchestrator", "sandbox", "up"), "--linked", "0"],
        cwd=tmp_path,
        env={**os.environ, "AWS_PROFILE": "gone", "AWS_CONFIG_FILE": str(tmp_path / "gone")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "The sandbox is up" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGHUP)  # somebody presses Ctrl-C and closes the terminal
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert not (tmp_path / "sandbox.env").exists()


def test_wrong_usage_exits_64_not_2(tmp_path):
    result = octo_tf("plan", "--no-such-option", cwd=tmp_path)
    assert result.returncode == 64
    assert "No such option" in result.stderr
    assert result.stdout == ""


def test_a_missing_octo_yaml_exits_64_and_shows_the_way(tmp_path):
    result = octo_tf("plan", cwd=tmp_path)
    assert result.returncode == 64
    assert "account_id is missing" in result.stderr
    assert "octo-tf init" in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_loads_nothing_heavy(tmp_path):
    code = (
        "import sys; from orchestrator import cli; cli.run(['--help']); "
        "print([m for m in ('boto3', 'pydantic', 'jinja2', 'rich', 'moto', 'hcl2', 'ruamel.yaml')"
        " if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_init_writes_a_private_file_that_loads_and_keeps_the_id_out(tmp_path):
    result = octo_tf(
        "init", "--account-id", "012345678901", "--external-id", "s3cr3t-id", cwd=tmp_path
    )
    assert result.returncode == 0
    assert result.stdout == "octo.yaml\n"
    text = (tmp_path / "octo.yaml").read_text()
    assert "account_id: '012345678901'" in text
    assert "s3cr3t-id" not in text + result.stdout + result.stderr
    for name in ("octo.yaml", "octo.external-id"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_init_does_not_replace_a_file_unasked(tmp_path):
    (tmp_path / "octo.yaml").write_text("mine\n")
    arguments = ("init", "--account-id", "012345678901", "--external-id", "abc")
    refused = octo_tf(*arguments, cwd=tmp_path)
    assert refused.returncode == 64
    assert "--force" in refused.stderr
    assert (tmp_path / "octo.yaml").read_text() == "mine\n"
    assert octo_tf(*arguments, "--force", cwd=tmp_path).returncode == 0


def test_init_without_answers_names_the_flags(tmp_path):
    result = octo_tf("init", cwd=tmp_path)
    assert result.returncode == 64
    assert "--account-id" in result.stderr
    assert "--external-id" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_flag_can_be_given_by_its_environment_variable(tmp_path):
    result = octo_tf(
        "init", cwd=tmp_path, OCTO_TF_ACCOUNT_ID="012345678901", OCTO_TF_EXTERNAL_ID="abc"
    )
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90s", 90), ("10m", 600), ("24h", 86400), ("7", 7)]
)
def test_durations_are_understood(text, seconds):
    assert _seconds(None, None, text) == seconds


@pytest.mark.parametrize("text", ["", "x", "10d", "-1s", "1.5h"])
def test_other_durations_are_refused(text):
    with pytest.raises(click.BadParameter):
        _seconds(None, None, text)
