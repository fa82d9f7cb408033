"""Standard streams that are closed, full, narrow or unread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from orchestrator.cli import streams

PROGRAM = f"{sys.executable} -m orchestrator "
OCTO_YAML = "account_id: '111122223333'\nexternal_id: an-external-id\n"


def shell(line: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs octo-tf by a shell, which redirects its streams."""
    (folder / "octo.yaml").write_text(OCTO_YAML)
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "ALPHAUS_"))}
    return subprocess.run(
        ["bash", "-c", line.replace("octo-tf ", PROGRAM, 1)],
        cwd=folder,
        env={**clean, "AWS_EC2_METADATA_DISABLED": "true", "OCTO_TF_OCTO": "false", **environ},
        capture_output=True,
        timeout=60,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize(
    "line",
    [
        "octo-tf schema >/dev/full",
        "octo-tf --version >/dev/full",
        "octo-tf schema >&-",
        "octo-tf policy --account-id 111122223333 --account-type linked >&-",
    ],
)
def test_data_that_cannot_be_written_is_an_error(tmp_path, line):
    result = shell(line, tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: stdout: the output cannot be written: ")
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_a_reader_that_went_away_is_no_error(tmp_path):
    result = shell("octo-tf schema | true; echo ${PIPESTATUS[0]}", tmp_path)
    assert (result.stdout, result.stderr) == ("1\n", "")


def test_bytes_are_written_as_text(capsys):
    with streams.guarded() as output:
        click.echo("ü".encode())
    assert output.is_written
    assert capsys.readouterr().out == "ü\n"


@pytest.mark.parametrize("where", [">&2 2>&-", "2>/dev/full", "2> >(true)"])
def test_talk_that_nobody_hears_changes_nothing(tmp_path, where):
    result = shell(f"octo-tf status --json -c nowhere.yaml {where}", tmp_path)
    assert result.returncode == 64
    if where != ">&2 2>&-":
        assert json.loads(result.stdout)["exit_code"] == 64


def test_no_file_gets_the_descriptor_of_a_closed_stream(tmp_path):
    code = (
        "import os; from orchestrator.cli import streams; streams.prepare();"
        " file = open('octo.yaml'); assert file.fileno() > 2, file.fileno()"
    )
    line = f'{sys.executable} -c "{code}" <&- >&- 2>&-'
    assert shell(line, tmp_path).returncode == 0


def test_stdin_that_is_closed_answers_no_question(tmp_path):
    result = shell("octo-tf init --config new.yaml <&-", tmp_path)
    assert result.returncode == 64
    assert "Error: " not in result.stderr
    assert "--account-id: account_id is missing" in result.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_without_the_signs_gets_plain_ones(tmp_path, encoding):
    result = shell("octo-tf doctor", tmp_path, PYTHONIOENCODING=encoding, LC_ALL="C")
    assert "x credentials" in result.stdout
    assert "-> " in result.stdout
    assert "Traceback" not in result.stderr


def test_an_argument_that_is_no_text_is_shown_escaped(tmp_path):
    result = shell("octo-tf verify --config $'\\xff.yaml'", tmp_path)
    assert result.returncode == 64
    assert "\\udcff.yaml" in result.stderr


def test_events_that_cannot_be_written_do_not_end_the_run(tmp_path):
    result = shell("octo-tf status --events jsonl=/dev/full", tmp_path)
    assert result.returncode == 1
    assert result.stderr.count("no more events are written: No space left on device") == 1
    assert "octo-tf apply" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ("--host 256.0.0.1", "256.0.0.1:0: "),
        ("--host 192.0.2.1", "192.0.2.1:0: "),
        ("--port {port}", ":{port}: "),
        ("--env-file /proc/sandbox.env", "/proc/sandbox.env"),
    ],
)
def test_a_sandbox_that_cannot_start_says_why(tmp_path, arguments, where):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = f"octo-tf sandbox up --linked 0 {arguments}".replace("{port}", port)
        result = shell(line, tmp_path)
    assert result.returncode == 1
    assert where.replace("{port}", port) in result.stderr
    assert len(result.stderr.splitlines()) == 2
