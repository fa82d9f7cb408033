"""Policies of existing buckets as people have them: what works, what stops AWS, what is weak.

The files of ``bucket_policies/`` were made after public reports and AWS's guides.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Checkpoint, Project, RunningSandbox, failing, hint

BUCKET = "example-octo-reports"
POLICIES = Path(__file__).parent / "bucket_policies"
CHECK = "cur_s3.bucket_policy"


def document(name: str) -> dict[str, Any]:
    return json.loads((POLICIES / f"{name}.json").read_text())


def put_policy(sandbox: RunningSandbox, policy: dict[str, Any]) -> None:
    s3 = sandbox.client("standalone", "s3")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy, separators=(",", ":")))


def with_policy(sandbox: RunningSandbox, name: str) -> Project:
    settings = sandbox.existing_bucket("standalone", BUCKET)
    put_policy(sandbox, document(name))
    return sandbox.project("standalone", **settings)


def finding(report: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in report["checks"] if check["id"] == CHECK)


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    """An account whose report goes to a bucket with the policy of AWS's console."""
    sandbox = unused_sandbox()
    applied = with_policy(sandbox, "console-default-stringequals")(
        "apply", "--yes", "--json", "--wait", "30s"
    )
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert failing(json.loads(applied.stdout)) == set()
    return sandbox.checkpoint()


@pytest.fixture
def account(sandbox, registered) -> Project:
    return sandbox.restore(registered)["standalone"]


@pytest.mark.case("console-default-stringequals")
def test_the_consoles_policy_is_accepted_by_aws_and_by_the_check(account):
    applied = json.loads(account.ran[-1].stdout)
    assert finding(applied)["status"] == "pass"


@pytest.mark.case("data-exports-guide")
def test_the_policy_of_the_data_exports_guide_is_accepted_when_the_report_changes(sandbox, account):
    put_policy(sandbox, document("data-exports-guide"))
    account.settings(cur_s3_prefix="elsewhere")
    applied = account("apply", "--yes", "--json", "--wait", "30s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert finding(json.loads(applied.stdout))["status"] == "pass"


@pytest.mark.case("service-in-org-boolifexists")
def test_the_data_perimeter_of_aws_lets_its_services_in(sandbox, account):
    put_policy(sandbox, document("service-in-org-boolifexists"))
    code, report = account.verify()
    assert (code, finding(report)["status"]) == (0, "pass")


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        pytest.param(name, statement, marks=pytest.mark.case(name))
        for name, statement in (
            ("deny-outside-org", "DenyOutsideOrg"),
            ("deny-notprincipal", "OnlyFinops"),
        )
    ],
)
def test_a_deny_that_stops_aws_fails_by_its_name(sandbox, account, name, statement):
    trust = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}
    sandbox.client("standalone", "iam").create_role(  # the policy of one case names it
        RoleName="finops",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    put_policy(sandbox, document(name))
    code, report = account.verify()
    assert (code, failing(report)) == (3, {CHECK})
    assert f"statement {statement} denies the billing service" in finding(report)["summary"]
    assert statement in hint(report, CHECK)
    assert "octo-tf apply" not in hint(report, CHECK)


@pytest.mark.case("classic-unconditional")
def test_the_classic_policy_warns_and_merging_leads_to_advice_that_ends_it(sandbox, account):
    put_policy(sandbox, document("classic-unconditional"))
    code, report = account.verify()
    found = finding(report)
    assert (code, found["status"], report["warnings"]) == (0, "warn", 1)
    assert "AWS can deliver" in found["summary"]
    assert "Stmt1335892526596" in found["summary"]
    assert account("verify", "--strict").returncode == 3
    account.settings(cur_s3_bucket_merge_policy=True)
    merged = account("apply", "--yes", "--json", "--wait", "30s")
    assert merged.returncode == 0, merged.stdout + merged.stderr
    found = finding(json.loads(merged.stdout))
    assert found["status"] == "warn"
    assert "octo-tf apply" not in found["hint"]
    # The advice: remove each that a statement of octo-tf's replaces.
    s3 = sandbox.client("standalone", "s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    policy["Statement"] = [s for s in policy["Statement"] if not s["Sid"].startswith("Stmt")]
    put_policy(sandbox, policy)
    code, report = account.verify()
    assert (code, finding(report)["status"]) == (0, "pass")


def test_a_bucket_of_another_account_is_refused_at_plan(sandbox):
    settings = sandbox.existing_bucket("payer", BUCKET)
    refused = sandbox.project("standalone", **settings)("plan")
    assert refused.returncode == 5
    assert f"the bucket {BUCKET} belongs to another account" in refused.stderr
    assert "Name a bucket of account 222222222222" in refused.stderr


def test_a_sixth_report_is_refused_at_plan(sandbox):
    account = with_policy(sandbox, "classic-unconditional")
    cur = sandbox.client("standalone", "cur")
    for number in range(5):
        cur.put_report_definition(
            ReportDefinition={
                "ReportName": f"report-{number}",
                "TimeUnit": "DAILY",
                "Format": "textORcsv",
                "Compression": "ZIP",
                "AdditionalSchemaElements": [],
                "S3Bucket": BUCKET,
                "S3Prefix": "pre",
                "S3Region": "us-east-1",
            }
        )
    refused = account("plan", "--out", "saved.plan")
    assert refused.returncode == 5
    assert "the account has 5 reports (report-0, report-1" in refused.stderr
    assert not (account.folder / "saved.plan").exists()


def test_a_merged_policy_over_20_kb_is_refused_at_plan(sandbox):
    account = with_policy(sandbox, "classic-unconditional")
    account.settings(cur_s3_bucket_merge_policy=True)
    policy = document("classic-unconditional")
    policy["Statement"] += [
        {
            "Sid": f"Reader{number}",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/{'x' * 200}/{number}",
        }
        for number in range(54)
    ]
    text = json.dumps(policy, separators=(",", ":"))
    assert 19_500 < len(text) < 20_480
    put_policy(sandbox, json.loads(text))
    refused = account("plan")
    assert refused.returncode == 5
    assert "S3 allows 20,480" in refused.stderr
