"""What AWS has although Terraform never learned of it: the next plain apply takes it over."""

from __future__ import annotations

import json
import shutil

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


def test_two_folders_at_once_do_not_end_as_two_owners(sandbox, linked, iam):
    """Both planned before either applied; the second one's create then finds the first one's."""
    second = sandbox.project("linked-1", "second")
    assert second.folder != linked.folder
    assert second("plan", "--out", "made.tfplan").returncode == 0
    assert linked("apply", "--yes").returncode == 0
    clash = second("apply", "--plan", "made.tfplan")
    assert clash.returncode == 1, clash.stderr
    assert "another working folder may be at work on this account" in clash.stderr
    refused = second("apply", "--yes")  # the advice, where no other folder was known of
    assert refused.returncode == 5, refused.stderr
    assert f"  role {ROLE}" in refused.stderr
    assert "Another working folder" in refused.stderr
    state = json.loads((second.root / "terraform.tfstate").read_text())
    assert [r for r in state["resources"] if r["mode"] == "managed" and r["instances"]] == []
    assert linked("plan", "--detailed-exitcode").returncode == 0
    shutil.rmtree(linked.root)  # there is none: its advice then is adopt
    adopted = second("adopt", "--yes")
    assert adopted.returncode == 0, adopted.stderr
    assert second("plan", "--detailed-exitcode").returncode == 0
