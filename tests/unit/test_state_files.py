"""State files that cannot be read are recognized, and brought in order after consent only."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from orchestrator.errors import EngineError
from orchestrator.terraform import preview, state_files
from orchestrator.terraform.binary import Binary
from orchestrator.terraform.client import Terraform
from orchestrator.terraform.state import NO_STATE, StateEdit, StateVersion

NOW = datetime(2026, 11, 26, 10, 15, tzinfo=timezone.utc)
BACKEND = StateVersion("life", 7)


def state(serial: int = 7, lineage: str = "life") -> str:
    return json.dumps({"version": 4, "lineage": lineage, "serial": serial, "resources": []})


def never() -> StateVersion:
    raise AssertionError("the backend need not be asked")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (state()[:30], "not complete JSON (30 bytes)"),
        ("\0" * 100, "not complete JSON"),
        ("   ", "empty"),
        ("[]", "no Terraform state"),
        ('{"version": 4}', "no Terraform state"),
    ],
)
def test_a_state_that_cannot_be_read_is_recognized(tmp_path, content, reason):
    (tmp_path / "terraform.tfstate").write_text(content)
    found = state_files.inspect(tmp_path)
    assert found.state_is_lost
    assert reason in found.unreadable[tmp_path / "terraform.tfstate"]
    assert state_files.recovery(tmp_path, never) == (StateEdit("set_aside", "terraform.tfstate"),)


# A state as OpenTofu encrypts it: only serial, lineage and meta are in plain text.
SECRET_STATE = (
    '{"serial":7,"lineage":"life","meta":{"key_provider.pbkdf2.k":"e30="},'
    '"encrypted_data":"nQ==","encryption_version":"v0"}'
)


@pytest.mark.parametrize("content", [state(), "", None, SECRET_STATE])
def test_a_whole_state_an_empty_file_and_none_need_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / "terraform.tfstate").write_text(content)
    assert state_files.recovery(tmp_path, never) == ()


def test_a_local_state_beside_a_remote_backend_is_not_the_state(tmp_path):
    (tmp_path / "backend.tfbackend.json").write_text("{}")
    (tmp_path / "terraform.tfstate").write_text("{")
    assert state_files.recovery(tmp_path, never) == ()


def test_an_empty_fallback_state_is_set_aside(tmp_path):
    (tmp_path / "errored.tfstate").touch()
    assert state_files.recovery(tmp_path, never) == (StateEdit("set_aside", "errored.tfstate"),)


def test_a_fallback_state_that_is_encrypted_is_set_aside_since_opentofu_does_not_push_it(tmp_path):
    (tmp_path / "errored.tfstate").write_text(SECRET_STATE)
    assert state_files.recovery(tmp_path, never) == (StateEdit("set_aside", "errored.tfstate"),)
    (tmp_path / "terraform.tfstate").write_text(SECRET_STATE)
    assert not state_files.inspect(tmp_path).state_is_lost


@pytest.mark.parametrize(
    ("fallback", "backend", "is_pushed"),
    [
        (state(8), BACKEND, True),
        (state(7), BACKEND, False),
        (state(9, "other"), BACKEND, False),
        (state(1), NO_STATE, True),
    ],
    ids=["newer", "the same", "of another state", "the first"],
)
def test_a_fallback_state_is_pushed_where_the_backend_has_an_older_one(
    tmp_path, fallback, backend, is_pushed
):
    (tmp_path / "errored.tfstate").write_text(fallback)
    edits = state_files.recovery(tmp_path, lambda: backend)
    assert edits == ((StateEdit("push", "errored.tfstate"),) if is_pushed else ())


def test_a_fallback_state_takes_the_place_of_a_lost_one(tmp_path):
    (tmp_path / "terraform.tfstate").write_text("{")
    (tmp_path / "errored.tfstate").write_text(state(8))
    assert [e.kind for e in state_files.recovery(tmp_path, never)] == ["set_aside", "push"]


def test_a_file_that_is_set_aside_keeps_its_content_under_a_name_with_the_time(tmp_path):
    path = tmp_path / "terraform.tfstate"
    path.write_text("{")
    moved = state_files.set_aside(path, now=NOW)
    assert moved.name == "terraform.tfstate.unreadable-20261126T101500Z"
    assert moved.read_text() == "{"
    assert not path.exists()


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """A Terraform that cannot be started."""
    return Terraform(Binary(("no-such-program",), "terraform", (1, 11, 4)), tmp_path, environ={})


def test_a_plan_goes_by_the_state_as_it_will_be(terraform):
    (terraform.folder / "errored.tfstate").write_text(state(8))
    aside = StateEdit("set_aside", "terraform.tfstate")
    assert terraform.state_version([aside]) == NO_STATE
    pushed = StateEdit("push", "errored.tfstate")
    assert terraform.state_version([aside, pushed]) == StateVersion("life", 8)


def test_a_state_file_that_cannot_be_renamed_is_named(terraform):
    with pytest.raises(EngineError, match="cannot be renamed"):
        terraform.set_aside("terraform.tfstate")


def test_the_copy_for_a_plan_without_state_has_none(tmp_path):
    (tmp_path / "main.tf").touch()
    (tmp_path / "terraform.tfstate").write_text("{")
    (tmp_path / ".preview-of-a-killed-run").mkdir()
    with preview.folder(tmp_path, "") as copy:
        names = {path.name for path in copy.iterdir()}
    assert names == {"main.tf", "backend_override.tf"}
    assert not list(tmp_path.glob(".preview-*"))
