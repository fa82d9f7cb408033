"""init asks again for an invalid answer, offers what AWS knows, and loses nothing typed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from orchestrator.app import suggestions
from orchestrator.app.suggestions import Caller
from orchestrator.cli.commands import init
from orchestrator.config.load import load
from orchestrator.errors import OctoTfError


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """Run init with these answers, one a line; AWS knows one account and two profiles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "_is_interactive", lambda: True)
    monkeypatch.setattr(suggestions, "profiles", lambda: ("payer", "tools"))
    monkeypatch.setattr(
        suggestions, "caller", lambda region, credentials: Caller("111122223333", "Acme")
    )

    monkeypatch.setattr(suggestions, "usable_reports", lambda given, reached: [])

    def run(*lines: str, options: tuple[str, ...] = ()):
        arguments = ["--no-octo", *options]
        return CliRunner().invoke(init.command, arguments, input="\n".join([*lines, "", ""]))

    return run


def made(tmp_path):
    return load(tmp_path / "octo.yaml", {}, {})


def test_what_aws_knows_is_the_default(answers, tmp_path):
    result = answers("", "", "", "", "octo-external-id")
    assert result.exception is None, result.output
    assert "here: payer, tools" in result.output
    registration = made(tmp_path)
    assert registration.account_id == "111122223333"
    assert registration.account_name == "Acme"
    assert registration.region == "us-east-1"
    assert registration.external_id.get_secret_value() == "octo-external-id"


@pytest.mark.parametrize(("answer", "option"), [("y\n", "USE_EXISTING"), ("", None)])
def test_a_report_that_octo_can_read_is_offered(answers, tmp_path, monkeypatch, answer, option):
    monkeypatch.setattr(suggestions, "usable_reports", lambda given, reached: ["acme-hourly"])
    result = answers(*ALL_DEFAULTS, "", answer)
    assert result.exception is None, result.output
    assert "Octo can read a report that exists: acme-hourly" in result.output
    registration = made(tmp_path)
    assert registration.cur_report_option == option
    assert registration.cur_report_name == ("acme-hourly" if option else None)


def test_an_invalid_answer_is_asked_for_again(answers, tmp_path):
    result = answers(
        "nobody", "payer", "Frankfurt", "eu-west-1", "12345", "999988887777", "Name", "a b", "abc"
    )
    assert result.exception is None, result.output
    for words in (
        "There is no AWS profile nobody",
        "must be an AWS region, like us-east-1",
        "must be 12 digits",
        "must be 2 to 1224 characters",
        "these credentials are of account 111122223333",
    ):
        assert words in result.output
    registration = made(tmp_path)
    assert (registration.account_id, registration.region) == ("999988887777", "eu-west-1")
    assert registration.credentials.profile == "payer"


def test_an_invalid_flag_is_asked_for(answers, tmp_path):
    result = answers("", "", "111122223333", "", "abc", options=("--account-id", "12345"))
    assert result.exception is None, result.output
    assert "must be 12 digits" in result.output
    assert made(tmp_path).account_id == "111122223333"


def test_answers_are_kept_when_something_else_fails(answers, monkeypatch, tmp_path):
    def fail(*_arguments):
        raise OctoTfError("the disk is full")

    monkeypatch.setattr("orchestrator.config.write.write_config", fail)
    result = answers("payer", "eu-west-1", "", "It's ours", "s3cr3t-id")
    assert isinstance(result.exception, OctoTfError)
    last = result.output.splitlines()[-1]
    assert last.startswith("To go on with these answers: octo-tf init --aws-profile payer")
    assert "--region eu-west-1 --account-id 111122223333" in last
    assert "s3cr3t-id" not in result.output


ALL_DEFAULTS = ("", "", "", "", "octo-external-id")


def test_features_are_chosen_by_name_with_what_each_costs(answers, tmp_path):
    result = answers(*ALL_DEFAULTS, "recomendations", "recommendations, ai_cost")
    assert result.exception is None, result.output
    assert "There is no recomendations; there are: recommendations" in result.output
    for words in ("actions that list or read", "may iam:PassRole", "permissions: none"):
        assert words in result.output
    assert "Note on recommendations: Rightsizing" in result.output
    assert made(tmp_path).features == ["ai_cost", "cost", "recommendations"]


def test_execution_asks_what_and_a_second_word_for_what_deletes(answers, tmp_path):
    result = answers(
        *ALL_DEFAULTS, "execution", "stop_ec2,delete_ebs", "no", "delete_ebs", "delete"
    )
    assert result.exception is None, result.output
    before, _, after = result.output.partition("closed to new customers")
    assert "What Octo may carry out" not in before
    assert "delete_ebs (deletes)" in after
    registration = made(tmp_path)
    assert registration.execution_actions == ["delete_ebs"]
    assert registration.execution_may_delete is True


def test_no_action_is_no_execution(answers, tmp_path):
    result = answers(*ALL_DEFAULTS, "execution", "")
    assert result.exception is None, result.output
    assert made(tmp_path).features == ["cost"]


def test_no_question_is_asked_about_features_that_were_given(answers, tmp_path):
    options = ("--feature", "cost", "--feature", "unit_metrics")
    result = answers(*ALL_DEFAULTS, options=options)
    assert result.exception is None, result.output
    assert "What Octo can do" not in result.output
    assert made(tmp_path).features == ["cost", "unit_metrics"]
