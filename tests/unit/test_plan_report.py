"""A plan put before a reviewer: the same facts in each format, nothing interpreted, no values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import jsonschema
import pytest

from orchestrator import report
from orchestrator.app.review import Review
from orchestrator.cli.commands import apply, plan
from orchestrator.cli.replay import replay
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.guard import Verdict
from orchestrator.terraform.plan import Plan

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/plan-v3.json").read_text())
ROLE = PlannedChange("module.octo.aws_iam_role.it", "aws_iam_role", "replace", "cannot_update")
POLICY = PlannedChange("module.octo.aws_iam_role_policy.x", "aws_iam_role_policy", "create")


def review_of(*changes: PlannedChange, refusals=None, **settings) -> Review:
    made = Plan(Path("tfplan"), changes, bool(changes), inputs={"external_id": "planted"})
    return Review(made, Verdict(refusals or {}), "111122223333", "A|`b`", "payer", **settings)


@pytest.mark.parametrize(
    "review",
    [
        review_of(),
        review_of(POLICY, replay="octo-tf apply --plan tfplan"),
        review_of(ROLE, refusals={ROLE.address: "it would be lost"}),
    ],
    ids=["nothing", "allowed", "refused"],
)
def test_the_summary_keeps_to_its_published_schema(review):
    document = json.loads(report.render_plan(review, "json"))
    jsonschema.validate(document, SCHEMA)
    assert document["guard"]["verdict"] == ("allowed" if review.verdict.allowed else "refused")
    assert document["has_changes"] is review.plan.has_changes
    assert "planted" not in json.dumps(document)


def test_the_comment_shows_changes_verdict_and_replay():
    text = report.render_plan(review_of(POLICY, replay="octo-tf apply --plan tfplan"), "markdown")
    assert "<!-- octo-tf plan 111122223333 -->" in text  # a pipeline finds its comment by it
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in text
    assert "| create | `module.octo.aws_iam_role_policy.x` |  |" in text
    assert "Guard:** allowed" in text
    assert "```shell\nocto-tf apply --plan tfplan\n```" in text


def test_the_comment_of_a_refused_plan_offers_no_way_to_apply_it():
    refused = review_of(ROLE, refusals={ROLE.address: "it is lost"}, replay="octo-tf apply")
    text = report.render_plan(refused, "markdown")
    assert "Guard:** refused" in text
    assert "| `module.octo.aws_iam_role.it` | it is lost |" in text
    assert "octo-tf apply" not in text


def test_names_are_no_markup_in_the_comment():
    assert "`` A|`b` ``" in report.render_plan(review_of(), "markdown")


def test_totals_count_a_replacement_twice_as_terraform_does():
    assert "1 to add, 0 to change, 1 to destroy" in report.render_plan(review_of(ROLE), "text")


def test_a_plan_of_moves_says_at_once_that_nothing_changes_in_aws():
    moves = [replace(POLICY, address=f"module.octo.x[{n}]", action="move") for n in range(38)]
    text = report.render_plan(review_of(*moves), "text")
    assert text.splitlines() == [
        "  > move    38 resources, to other addresses in Terraform's state",
        "Plan: 38 to move in the state, 0 to add, 0 to change, 0 to destroy."
        " Terraform changes nothing in AWS, only its state.",
    ]
    assert "changes nothing in AWS" in report.render_plan(review_of(*moves), "markdown")
    assert "nothing in AWS" not in report.render_plan(review_of(*moves, POLICY), "text")


def test_a_plan_of_outputs_alone_says_that_nothing_changes_in_aws():
    made = replace(review_of(), plan=Plan(Path("tfplan"), (), has_changes=True))
    assert "Terraform changes nothing in AWS, only its state." in report.render_plan(made, "text")


def test_the_replay_command_repeats_flags_and_leaves_secrets_out(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my accounts").mkdir()
    (tmp_path / "my accounts/octo.yaml").touch()
    monkeypatch.setenv("OCTO_TF_REGION", "eu-west-1")
    arguments = [
        *("-c", "my accounts/octo.yaml", "--external-id", "planted", "--tag", "a=b c"),
        *("--no-use-stackset", "--feature", "cost", "--out", "tfplan", "--json"),
        *("--allow-destroy", "module.octo.module.cur_export[0].aws_s3_bucket.cur[0]"),
    ]
    ctx = click.Context(plan.command)
    plan.command.parse_args(ctx, arguments)
    assert replay(ctx, "apply", apply.command, "--plan", "tfplan") == (
        "octo-tf apply --config 'my accounts/octo.yaml' --feature cost --no-use-stackset"
        " --tag 'a=b c'"
        " --allow-destroy 'module.octo.module.cur_export[0].aws_s3_bucket.cur[0]' --plan tfplan"
    )


def test_a_plan_that_was_not_kept_has_no_replay():
    assert (
        json.loads(report.render_plan(replace(review_of(POLICY), replay=""), "json"))["replay"]
        == ""
    )
