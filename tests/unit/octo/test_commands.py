"""Commands that do nothing without Octo's API say why they cannot call it."""

from __future__ import annotations

import pytest

from orchestrator import cli
from orchestrator.errors import ExitCode


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ALPHAUS_CLIENT_ID", "ALPHAUS_CLIENT_SECRET", "OCTO_TF_OCTO"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "octo.yaml").write_text("account_id: '111122223333'\n")


@pytest.mark.parametrize("command", ["accounts", "confirm", "unregister"])
def test_without_credentials_the_hint_says_where_they_are_given(capsys, command):
    assert cli.run([command]) == ExitCode.USAGE
    assert "ALPHAUS_CLIENT_SECRET" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["accounts", "confirm", "unregister"])
def test_octo_that_is_switched_off_is_not_a_matter_of_credentials(capsys, monkeypatch, command):
    monkeypatch.setenv("ALPHAUS_CLIENT_ID", "client")
    monkeypatch.setenv("ALPHAUS_CLIENT_SECRET", "planted-secret")
    monkeypatch.setenv("OCTO_TF_OCTO", "false")
    assert cli.run([command]) == ExitCode.USAGE
    shown = capsys.readouterr().err
    assert "Octo's API is switched off" in shown
    assert "OCTO_TF_OCTO=false" in shown
