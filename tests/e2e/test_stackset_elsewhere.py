"""A payer whose StackSet is not in us-east-1: by policy, say, accounts may use Europe alone."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Checkpoint, Project

SANDBOX = ("--linked", "3")
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    project = sandbox.project("payer")
    project.settings(region=REGION, use_stackset=True)
    applied = project("apply", "--yes", "--enable-trusted-access", "--wait", "30s", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert set(json.loads(applied.stdout)["areas"].values()) == {"pass"}
    return sandbox.checkpoint()


@pytest.fixture
def payer(sandbox, registered) -> Project:
    """A payer that is registered in Europe, with a StackSet."""
    return sandbox.restore(registered)["payer"]


def test_set_and_stacks_are_where_it_says(sandbox, payer):
    names = {
        region: [s["StackSetName"] for s in client.list_stack_sets()["Summaries"]]
        for region in (REGION, "us-east-1")
        for client in [sandbox.client("payer", "cloudformation", region)]
    }
    assert names == {REGION: ["alphaus-api-access-stackset"], "us-east-1": []}
    instances = sandbox.client("payer", "cloudformation", REGION).list_stack_instances(
        StackSetName="alphaus-api-access-stackset"
    )["Summaries"]
    assert {i["Region"] for i in instances} == {REGION}
    linked = sandbox.client("linked-1", "cloudformation", REGION)
    assert len(linked.list_stacks()["StackSummaries"]) == 1


def test_the_report_is_where_reports_are(sandbox, payer):
    (report,) = sandbox.client("payer", "cur").describe_report_definitions()["ReportDefinitions"]
    assert report["S3Region"] == "us-east-1"


def test_a_second_plan_is_empty(payer):
    assert payer("plan", "--detailed-exitcode").returncode == 0


def test_it_cannot_move(payer):
    serial = payer.state_serial()
    refused = payer("plan", "--region", "us-east-1")
    assert refused.returncode == 5
    assert f"the StackSet is in {REGION} and cannot move to us-east-1" in refused.stderr
    assert f"Set region: {REGION}." in refused.stderr
    assert payer.state_serial() == serial
