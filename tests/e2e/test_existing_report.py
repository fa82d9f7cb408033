"""A payer whose report exists already: Octo reads it, and octo-tf leaves it as it is."""

from __future__ import annotations

import json

import pytest

from orchestrator.model.module_contract.documents import delivery_statements
from tests.e2e.conftest import Checkpoint, Project, RunningSandbox, failing, hint

BUCKET = "billing-of-acme"
REPORT = {
    "ReportName": "acme-hourly",
    "TimeUnit": "HOURLY",
    "Format": "textORcsv",
    "Compression": "ZIP",
    "AdditionalSchemaElements": ["RESOURCES", "SPLIT_COST_ALLOCATION_DATA"],
    "S3Bucket": BUCKET,
    "S3Prefix": "finance/cur",
    "S3Region": "eu-central-1",
    "RefreshClosedReports": True,
    "ReportVersioning": "OVERWRITE_REPORT",
}


def described(sandbox: RunningSandbox) -> list[dict]:
    found = sandbox.client("payer", "cur").describe_report_definitions()["ReportDefinitions"]
    return [{k: v for k, v in report.items() if k != "ReportStatus"} for report in found]


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    """A payer with reports of its own; the one that fits is found, used and verified."""
    sandbox = unused_sandbox()
    sandbox.existing_bucket("payer", BUCKET, "eu-central-1")
    s3 = sandbox.client("payer", "s3", "eu-central-1")
    allowed = delivery_statements("aws", sandbox.account("payer"), BUCKET, "us-east-1")
    policy = {"Version": "2012-10-17", "Statement": allowed}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    cur = sandbox.client("payer", "cur")
    cur.put_report_definition(ReportDefinition=REPORT)
    cur.put_report_definition(
        ReportDefinition={**REPORT, "ReportName": "acme-daily", "TimeUnit": "DAILY"}
    )
    payer = sandbox.project("payer", cur_report_option="USE_EXISTING")
    refused = payer("plan", "--cur-report-name", "acme-daily")
    assert refused.returncode == 5, refused.stderr
    assert "its time unit is DAILY, not HOURLY" in refused.stderr
    applied = payer("apply", "--yes", "--json", "--wait", "60s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "acme-hourly" in applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def payer(sandbox, registered) -> Project:
    return sandbox.restore(registered)["payer"]


def test_the_report_is_proved_and_not_managed(payer):
    report = json.loads(payer.ran[-1].stdout)
    assert failing(report) == set()
    state = json.loads((payer.root / "terraform.tfstate").read_text())
    managed = {r["type"] for r in state["resources"] if r["mode"] == "managed"}
    assert not {t for t in managed if t.startswith(("aws_s3", "aws_cur"))}
    assert payer("plan", "--detailed-exitcode").returncode == 0


def test_a_report_that_its_owner_changes_is_noticed_and_followed(sandbox, payer):
    moved = {**REPORT, "S3Prefix": "moved"}
    cur = sandbox.client("payer", "cur")
    cur.modify_report_definition(ReportName="acme-hourly", ReportDefinition=moved)
    code, report = payer.verify()
    assert (code, "cur_s3.report" in failing(report)) == (3, True)
    assert "run octo-tf apply" in hint(report, "cur_s3.report")
    assert payer("apply", "--yes", "--wait", "60s").returncode == 0
    assert payer.verify()[0] == 0


def test_destroy_leaves_the_report_and_its_bucket_alone(sandbox, payer):
    before = described(sandbox)
    refused = payer("destroy", "--delete-bucket", "--plan-only")
    assert "did not make the bucket" in refused.stderr, refused.stderr
    left = payer("destroy", "--yes", "--confirm-account", payer.account_id)
    assert left.returncode == 0, left.stderr
    assert "its bucket, which were there before" in left.stdout + left.stderr
    assert described(sandbox) == before
    assert sandbox.client("payer", "s3", "eu-central-1").head_bucket(Bucket=BUCKET)
