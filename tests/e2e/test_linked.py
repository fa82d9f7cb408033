"""A linked account, and everything that is quicker to prove on one."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.conftest import Checkpoint, Project


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    applied = sandbox.project("linked-1")("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def linked(sandbox, registered) -> Project:
    """A linked account whose first apply was the last thing that ran."""
    return sandbox.restore(registered)["linked-1"]


def test_apply_registers_api_access_only(linked):
    report = json.loads(linked.ran[-1].stdout)
    assert report["account"]["type"] == "linked"
    assert report["areas"] == {"api_access": "pass", "cur_s3": "skipped", "stackset": "skipped"}
    assert report["can_finish"] is True


def test_the_table_is_for_people_and_goes_to_stdout(linked):
    result = linked("verify")
    assert result.returncode == 0
    by_hand = "Register Account; Check and Confirm for API access; Confirm and Finish."
    assert f"API access passes. To be done in Octo by hand: {by_hand}" in " ".join(
        result.stdout.split()
    )
    assert "\x1b[" not in result.stdout
    *steps, last = result.stderr.splitlines()
    assert steps  # a line for each step, as a pipeline's log shows them
    assert re.fullmatch(r"octo-tf verify: done after [0-9.]+ s\.", last)


@pytest.mark.longer  # test_payer.py tests it with a payer, test_engines.py with each engine
def test_a_second_apply_finds_nothing(linked):
    serial = linked.state_serial()
    result = linked("apply", "--yes")
    assert result.returncode == 0
    assert "No changes." in result.stderr
    assert linked.state_serial() == serial


@pytest.mark.longer  # test_payer.py tests it with a payer
def test_a_tag_is_changed_in_place(sandbox, linked):
    result = linked("apply", "--yes", "--tag", "team=finops")
    assert result.returncode == 0, result.stderr
    assert "0 to add, 1 to change, 0 to destroy" in result.stderr
    iam = sandbox.client("linked-1", "iam")
    tags = iam.list_role_tags(RoleName="AlphausAcctAccessRole")["Tags"]
    assert tags == [{"Key": "team", "Value": "finops"}]


def test_credentials_of_another_account_are_refused_with_nothing_written(sandbox):
    project = sandbox.project("linked-2", "wrong account")
    for command in ("render", "plan", "apply", "verify"):
        arguments = ("--yes",) if command == "apply" else ()
        result = project(command, "--aws-profile", "standalone", *arguments)
        assert result.returncode == 5
        assert "belong to account 222222222222" in result.stderr
        assert sandbox.account("linked-2") in result.stderr
    assert sorted(path.name for path in project.folder.iterdir()) == [
        "octo.external-id",
        "octo.yaml",
    ]
    iam = sandbox.client("standalone", "iam")
    assert "AlphausAcctAccessRole" not in [r["RoleName"] for r in iam.list_roles()["Roles"]]


def test_nobody_to_approve_means_nothing_is_applied(sandbox):
    project = sandbox.project("linked-2", "unapproved")
    result = project("apply")
    assert result.returncode == 64
    assert "--yes" in result.stderr
    assert not (project.root / "terraform.tfstate").exists()
    assert not (project.root / "octo.tfplan").exists()


def test_the_plan_that_was_reviewed_is_the_one_that_is_applied(sandbox, linked):
    project = sandbox.project("linked-2", "reviewed")
    planned = project("plan", "--out", "reviewed.tfplan", "--json")
    assert planned.returncode == 0, planned.stderr
    assert (project.folder / "reviewed.tfplan").stat().st_mode & 0o077 == 0
    summary = json.loads(planned.stdout)
    changes = summary["changes"]
    assert summary["replay"] == "octo-tf apply --plan reviewed.tfplan"
    assert {change["action"] for change in changes} == {"create"}

    foreign = linked("apply", "--plan", str(project.folder / "reviewed.tfplan"))
    assert foreign.returncode == 5
    assert sandbox.account("linked-2") in foreign.stderr

    edited = project("apply", "--plan", "reviewed.tfplan", "--tag", "added=later")
    assert edited.returncode == 5
    assert "tags: has another value in the plan" in edited.stderr
    assert not (project.root / "terraform.tfstate").exists()

    applied = project("apply", "--plan", "reviewed.tfplan", "--json")
    assert applied.returncode == 0, applied.stderr
    assert json.loads(applied.stdout)["areas"]["api_access"] == "pass"

    again = project("apply", "--plan", "reviewed.tfplan")
    assert again.returncode == 5
    assert "there was no state yet when the plan was made" in again.stderr


def test_the_event_stream_and_the_saved_plan_say_the_same(sandbox):
    from orchestrator.model.version_constraint import DEFAULT, Constraint
    from orchestrator.terraform import binary
    from orchestrator.terraform.client import Terraform

    project = sandbox.project("linked-1", "two readings")
    assert project("render").returncode == 0
    terraform = Terraform(binary.find(None, project.environ), project.root, environ=project.environ)
    terraform.init(provider_version=Constraint.parse(DEFAULT))
    plan = terraform.plan(project.root / "octo.tfplan")
    shown = terraform.show(plan.file)
    assert {(c.address, c.type, c.action) for c in plan.changes} == {
        (c.address, c.type, c.action) for c in shown.changes
    }
    assert plan.has_changes is shown.has_changes is True
    assert shown.inputs["account_id"] == project.account_id


def test_render_check_shows_what_is_out_of_date(linked):
    assert linked("render").returncode == 0
    assert linked("render", "--check").returncode == 0
    outdated = linked("render", "--check", "--feature", "cost", "--region", "eu-west-1")
    assert outdated.returncode == 2
    assert '+  "region": "eu-west-1",' in outdated.stdout
    assert outdated.stdout.count("terraform.tfvars.json") == 2


def test_verify_before_any_apply_says_what_to_do(sandbox):
    project = sandbox.project("linked-2", "nothing yet")
    result = project("verify")
    assert result.returncode == 1
    assert "nothing has been applied" in result.stderr
    assert "octo-tf apply" in result.stderr


def test_what_a_shell_holds_does_not_leak_into_terraform(linked):
    leaks = {
        "TF_LOG": "TRACE",
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_VAR_account_id": "999999999999",
        "TF_WORKSPACE": "other",
        "TF_CLI_CONFIG_FILE": "/nowhere/terraformrc",
    }
    result = linked("plan", "--detailed-exitcode", **leaks)
    assert result.returncode == 0, result.stderr


def test_a_type_that_is_declared_wrong_is_refused(linked):
    result = linked("plan", "--account-type", "payer")
    assert result.returncode == 64
    assert "this is a linked account" in result.stderr
