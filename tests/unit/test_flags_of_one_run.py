"""Flags that say what to register: plan and apply say that they hold once, upgrade keeps them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from orchestrator import cli
from orchestrator.app.events import Events, Warned
from orchestrator.cli.context_loading import _warn_of_one_run
from orchestrator.errors import Clash, OctoTfError
from orchestrator.stackset import preflight

TEXT = "# ours\naccount_id: '111122223333'  # payer\nexternal_id: abc\nfeatures: [cost]\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "octo.yaml"
    path.write_text(TEXT)
    return path


def warned(config: Path, flags: dict[str, object]) -> list[str]:
    events: list[object] = []
    _warn_of_one_run(Events(events.append), config, flags)
    return [event.text for event in events if isinstance(event, Warned)]


def test_flags_that_differ_from_octo_yaml_are_named(config):
    flags = {"features": ["cost", "recommendations"], "tags": {"a": "b"}, "account_id": "1"}
    (warning,) = warned(config, flags)
    assert warning.startswith(f"--feature, --tag differ from {config}: they hold for this")


def test_flags_that_octo_yaml_says_too_and_how_to_reach_aws_are_not(config):
    flags = {"features": ["cost"], "credentials.profile": "x", "external_id_env": "X"}
    assert warned(config, flags) == []
    assert warned(config.with_name("absent.yaml"), {"tags": {"a": "b"}}) == []


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_plan_and_apply_say_so(config, monkeypatch, capsys, command):
    def stop(_context: object, *_: object, **__: object) -> None:
        raise OctoTfError("stopped")

    monkeypatch.chdir(config.parent)
    monkeypatch.setattr(f"orchestrator.app.{command}.{command}", stop)
    cli.run([command, "--no-octo", "--tag", "a=b"])
    shown = capsys.readouterr().err
    assert "--tag differs from octo.yaml: it holds for this run only" in shown
    assert config.read_text() == TEXT


@pytest.mark.parametrize("linked", [False, True])
def test_upgrade_announces_and_writes_what_to_register(config, monkeypatch, tmp_path, linked):
    asked = {}

    def upgrade(context, *, consent, configure, configuring):
        asked["registration"], asked["lines"] = context.registration, configuring
        configure()
        raise OctoTfError("stopped")

    monkeypatch.setattr("orchestrator.app.upgrade.upgrade", upgrade)
    path = config
    if linked:
        path = tmp_path / "other" / "octo.yaml"
        path.parent.mkdir()
        path.symlink_to(config)
    accounts = ["--stackset-excluded-account", "222233334444", "--aws-profile", "mine"]
    cli.run(["upgrade", "--no-octo", "-c", str(path), *accounts])
    assert asked["registration"].stackset_excluded_accounts == ["222233334444"]
    (line,) = asked["lines"]
    assert line.summary == f"Set stackset_excluded_accounts, use_stackset in {path}."
    assert config.read_text() == (
        f'{TEXT}stackset_excluded_accounts: ["222233334444"]\nuse_stackset: true\n'
    )
    assert path.is_symlink() is linked


def test_a_clash_names_the_options_that_exclude_all_accounts():
    assert preflight._excluding(["1", "2"]) == (
        "--stackset-excluded-account 1 --stackset-excluded-account 2"
    )
    assert "ACCOUNT_ID" in preflight._excluding([str(n) for n in range(21)])


CLASH = {"where": "", "hint": "leave them out", "count": 1, "excluded": ("222233334444", "3" * 12)}


@pytest.fixture
def clashing(config, monkeypatch):
    """An upgrade that meets a clash until the account is excluded; what it was given last."""
    given = {}
    monkeypatch.chdir(config.parent)

    def upgrade(context, *, consent, configure, configuring):
        given["excluded"] = context.registration.stackset_excluded_accounts
        given["lines"] = [line.summary for line in configuring]
        if given["excluded"] != [*CLASH["excluded"]]:
            raise Clash("1 linked account has a role already", **CLASH)
        configure()
        raise OctoTfError("went on")

    monkeypatch.setattr("orchestrator.app.upgrade.upgrade", upgrade)
    return given


def at_terminal(monkeypatch, *, answer: str | None) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: answer is not None)


def test_at_a_clash_upgrade_offers_to_exclude_the_accounts(clashing, config, monkeypatch, capsys):
    at_terminal(monkeypatch, answer="y")
    cli.run(["upgrade", "--no-octo", "--stackset-excluded-account", "222233334444"])
    assert "Exclude this account from the StackSet" in capsys.readouterr().err
    assert clashing["lines"] == ["Set stackset_excluded_accounts, use_stackset in octo.yaml."]
    assert 'stackset_excluded_accounts: ["222233334444", "333333333333"]' in config.read_text()


@pytest.mark.parametrize(("answer", "flags"), [("n", []), (None, []), ("y", ["--yes"])])
def test_an_offer_that_is_not_taken_ends_as_without_it(
    clashing, config, monkeypatch, capsys, answer, flags
):
    at_terminal(monkeypatch, answer=answer)
    assert cli.run(["upgrade", "--no-octo", *flags]) == 5
    shown = capsys.readouterr().err
    assert ("Exclude this account" in shown) is (answer == "n")
    assert "leave them out" in shown
    assert config.read_text() == TEXT
