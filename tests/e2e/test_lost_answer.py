"""What AWS has although Terraform never learned of it: the next plain apply takes it over."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import EXTERNAL_ID, Project, RunningSandbox
from tests.registered import ROLE, delivery_statements, trust

BUCKET = "billing-of-standalone"
DESCRIPTION = "Octo reads cost, inventory and organization data."


@pytest.fixture
def iam(sandbox):
    return sandbox.client("linked-1", "iam")


@pytest.fixture
def linked(sandbox) -> Project:
    return sandbox.project("linked-1")


def make(iam, *, external_id: str = EXTERNAL_ID, description: str = DESCRIPTION) -> str:
    made = iam.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=trust(external_id),
        Description=description,
        MaxSessionDuration=43200,
    )
    return made["Role"]["RoleId"]


def taken_over(project: Project, iam, role_id: str) -> None:
    applied = project("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "0 to destroy" in applied.stderr
    assert json.loads(applied.stdout)["areas"]["api_access"] == "pass"
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == role_id
    assert project("plan", "--detailed-exitcode").returncode == 0
    assert project("render", "--check").returncode == 0


def test_a_role_just_as_the_module_makes_it(linked, iam):
    taken_over(linked, iam, make(iam))


def test_a_role_that_a_killed_run_was_about_to_make(sandbox: RunningSandbox, linked, iam):
    """It says so in the root folder; the external id was corrected since."""
    sandbox.fault(service="iam", action="CreateRole", error="AccessDenied")
    assert linked("apply", "--yes").returncode == 1
    sandbox.clear_faults()
    taken_over(linked, iam, make(iam, external_id="mistyped"))


def test_a_role_of_somebody_else_is_refused_before_anything_is_written(linked, iam):
    role_id = make(iam, external_id="another-id", description="by hand")
    result = linked("apply", "--yes")
    assert result.returncode == 5, result.stderr
    assert f"role {ROLE}: its trust policy differs, its description differs" in result.stderr
    assert "octo-tf adopt" in result.stderr
    assert "another-id" not in result.stderr
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == role_id
    assert not (linked.root / "octo.tfplan").exists()


def test_a_policy_that_is_too_much_is_never_purged_unasked(linked, iam):
    make(iam)
    extra = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["iam:PassRole", "ce:GetTags"], "Resource": "*"}
        ],
    }
    iam.put_role_policy(RoleName=ROLE, PolicyName="extra", PolicyDocument=json.dumps(extra))
    result = linked("apply", "--yes")
    assert result.returncode == 5, result.stderr
    assert "inline policy extra: Octo loses iam:PassRole (passes roles on)" in result.stderr
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["extra"]


def test_a_report_just_as_the_module_makes_it(sandbox):
    """And one that is not is refused; the bucket is an existing one."""
    s3, cur = (sandbox.client("standalone", service) for service in ("s3", "cur"))
    bucket = sandbox.existing_bucket("standalone", BUCKET)
    project = sandbox.project("standalone", **bucket, cur_s3_bucket_merge_policy=True)
    statements = delivery_statements(BUCKET, project.account_id)
    policy = {"Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    report = {
        "ReportName": "curreport",
        "TimeUnit": "DAILY",
        "Format": "textORcsv",
        "Compression": "ZIP",
        "AdditionalSchemaElements": ["RESOURCES"],
        "RefreshClosedReports": True,
        "ReportVersioning": "OVERWRITE_REPORT",
        "S3Bucket": BUCKET,
        "S3Prefix": "pre",
        "S3Region": "us-east-1",
    }
    cur.put_report_definition(ReportDefinition=report)
    refused = project("apply", "--yes")
    assert refused.returncode == 5, refused.stderr
    assert "report curreport: its time_unit is DAILY" in refused.stderr

    cur.delete_report_definition(ReportName="curreport")
    cur.put_report_definition(ReportDefinition={**report, "TimeUnit": "HOURLY"})
    plan = json.loads(project("plan", "--json").stdout)
    (imported,) = (c["type"] for c in plan["changes"] if c["imported"])
    assert imported == "aws_cur_report_definition"
    applied = project("apply", "--yes", "--json", "--wait", "30s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert project("plan", "--detailed-exitcode").returncode == 0
