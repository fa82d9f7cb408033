"""Reads end: of regular files, and up to a limit; of a pipe where that is said."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from orchestrator import cli
from orchestrator.adoption import foreign_module
from orchestrator.config.document import read_document
from orchestrator.config.load import load
from orchestrator.errors import ConfigError, EngineError, ExitCode, OctoTfError
from orchestrator.files import read_bounded, read_regular
from orchestrator.octo import credentials
from orchestrator.octo.ledger import Ledger
from orchestrator.terraform import plan_file, state_files
from orchestrator.terraform.installation import Installation

ZERO = Path("/dev/zero")
ACCOUNT = "account_id: '111122223333'\n"
SECRET = "kf83jd-planted/external+id=="


def test_a_device_is_refused():
    with pytest.raises(OSError, match="no regular file"):
        read_regular(ZERO, limit=10)


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        read_regular(tmp_path / "pipe", limit=10)


@pytest.mark.parametrize("read", [read_regular, read_bounded])
def test_a_file_over_the_limit_is_refused(tmp_path, read):
    (tmp_path / "at").write_bytes(b"x" * 1000)
    (tmp_path / "over").write_bytes(b"x" * 1001)
    assert len(read(tmp_path / "at", limit=1000)) == 1000
    with pytest.raises(OSError, match="larger than 1,000 bytes"):
        read(tmp_path / "over", limit=1000)


def test_octo_yaml_is_no_device():
    with pytest.raises(ConfigError, match="no regular file"):
        read_document(ZERO)


def test_the_external_id_is_not_read_from_an_endless_device(tmp_path):
    (tmp_path / "octo.yaml").write_text(ACCOUNT + "external_id_file: /dev/zero\n")
    with pytest.raises(ConfigError, match="/dev/zero cannot be read: it is larger than"):
        load(tmp_path / "octo.yaml", {}, {})


def test_the_external_id_is_read_from_a_pipe(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"octo-external-id\n")
    os.close(writing)
    flags = {"account_id": "111122223333", "external_id_file": f"/dev/fd/{reading}"}
    try:
        made = load(tmp_path / "octo.yaml", flags, {})
    finally:
        os.close(reading)
    assert made.external_id.get_secret_value() == "octo-external-id"


def test_a_pipe_that_never_ends_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    def write() -> None:
        try:
            with (tmp_path / "pipe").open("wb") as pipe:
                pipe.write(b"x" * 1_000_000)
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(ConfigError, match="larger than 10,000 bytes"):
        load(
            tmp_path / "octo.yaml",
            {"account_id": "111122223333", "external_id_file": str(tmp_path / "pipe")},
            {},
        )
    writer.join(timeout=60)
    assert not writer.is_alive()


def test_octo_s_credentials_are_not_read_from_a_device(tmp_path):
    file = tmp_path / ".config/alphaus/config.toml"
    file.parent.mkdir(parents=True)
    file.symlink_to(ZERO)
    with pytest.raises(ConfigError, match="no regular file"):
        credentials.find({}, home=tmp_path)


def test_the_ledger_is_no_device(tmp_path):
    (tmp_path / "ledger.json").symlink_to(ZERO)
    with pytest.raises(OctoTfError, match="no regular file"):
        _ = Ledger(tmp_path / "ledger.json").accounts()


def test_a_file_of_variables_is_no_device(tmp_path):
    (tmp_path / "main.tf").write_text('module "octo" { source = "alphauslabs/octo/aws" }\n')
    with pytest.raises(ConfigError, match="no regular file"):
        foreign_module.read_module(tmp_path, {}, var_files=[ZERO])


@pytest.mark.parametrize("field", ["external_id_env", "external_id_file"])
def test_a_secret_typed_as_a_name_is_not_quoted(tmp_path, field):
    for secret in (SECRET, "0f8fad5b-d9cb-469f-a165-70867728950e", "abcdef123456"):
        (tmp_path / "octo.yaml").write_text(f"{ACCOUNT}{field}: {secret}\n")
        with pytest.raises(ConfigError, match=f"{field}: .* that it names") as caught:
            load(tmp_path / "octo.yaml", {}, {})
        assert secret not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("command", ["plan", "apply", "verify", "render", "doctor", "discover"])
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_named_octo_yaml_that_is_absent_is_refused(
    tmp_path, monkeypatch, capsys, command, by_variable
):
    monkeypatch.chdir(tmp_path)
    named = [] if by_variable else ["-c", "nope.yaml"]
    if by_variable:
        monkeypatch.setenv("OCTO_TF_CONFIG", "nope.yaml")
    given = ["--account-id", "111122223333", "--no-octo", *named]
    assert cli.run([command, *given]) == ExitCode.USAGE
    assert "nope.yaml: does not exist" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


def test_a_link_to_nowhere_is_refused(tmp_path):
    (tmp_path / "octo.yaml").symlink_to("nowhere.yaml")
    with pytest.raises(ConfigError, match="a link to a file that does not exist"):
        read_document(tmp_path / "octo.yaml")


# Their reads are of files of the package itself.
OWN = {
    "model/policy/classification.py",
    "terraform/moves.py",
    "terraform/render.py",
}


def test_every_read_of_a_users_file_is_bounded():
    package = Path(cli.__file__).parents[1]
    unbounded = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] != "sandbox"
        and re.search(r"\.read_(text|bytes)\(|(json|tomllib)\.load\(", path.read_text())
    }
    assert unbounded == OWN


def replace_by_pipe(path: Path) -> Path:
    """A pipe that nobody writes to: reading it would wait for ever."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    return path


def test_a_pipe_in_the_states_place_is_no_state(tmp_path):
    path = replace_by_pipe(tmp_path / "terraform.tfstate")
    assert state_files.inspect(tmp_path).unreadable == {path: "it is no regular file"}


def test_a_pipe_is_no_plan(tmp_path):
    path = replace_by_pipe(tmp_path / "a.tfplan")
    with pytest.raises(EngineError, match="no regular file"):
        plan_file.read(path)


def test_a_pipe_among_installed_files_is_no_reason_to_wait(tmp_path):
    replace_by_pipe(tmp_path / ".terraform/octo-tf-init.json")
    assert not Installation(tmp_path, "terraform").is_current()
