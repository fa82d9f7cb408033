"""A payer, from nothing to registered, and what happens to it afterwards."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import EXTERNAL_ID, TWELVE, Project, failing, hint

ROLE, CUR_ROLE = "AlphausAcctAccessRole", "AlphausAcctAccessCurRole"


SANDBOX = TWELVE


@pytest.fixture
def payer(sandbox, registered_payer) -> Project:
    """A payer whose first apply was the last thing that ran."""
    return sandbox.restore(registered_payer)["payer"]


def test_apply_registers_and_proves_everything(payer):
    report = json.loads(payer.ran[-1].stdout)
    assert report["account"] == {"id": "111111111111", "name": "E2E payer", "type": "payer"}
    assert report["areas"] == {"api_access": "pass", "cur_s3": "pass", "stackset": "skipped"}
    assert all(check["status"] == "pass" for check in report["checks"])
    assert report["can_finish"] is True


def test_status_says_what_was_done_and_what_is_left_to_do_in_octo(payer):
    result = payer("status", "--json")
    record = json.loads(result.stdout)
    assert record["statuses"] == {"api_access": "pass", "cur_s3": "pass", "stackset": "skipped"}
    assert set(record["passing_since"]) == {"api_access", "cur_s3"}
    assert record["applied_at"]
    assert (record["registered_at"], record["finished_at"]) == (None, None)  # nobody said so
    assert record["remaining"][0] == "In Octo: Register Account."


def test_a_second_apply_finds_nothing_and_skips(payer):
    serial = payer.state_serial()
    result = payer("apply", "--yes", "--json", "-v")
    assert result.returncode == 0
    assert "No changes." in result.stderr
    assert "Applying" not in result.stderr
    assert payer.state_serial() == serial


def test_plan_says_by_its_exit_code_whether_there_are_changes(payer):
    nothing = payer("plan", "--detailed-exitcode", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)["changes"]) == (0, [])
    tagged = payer("plan", "--detailed-exitcode", "--json", "--tag", "team=finops")
    assert tagged.returncode == 2
    assert {c["action"] for c in json.loads(tagged.stdout)["changes"]} == {"update"}
    assert payer("plan", "--tag", "team=finops").returncode == 0


def test_a_tag_is_changed_in_place(sandbox, payer):
    result = payer("apply", "--yes", "--tag", "team=finops")
    assert result.returncode == 0, result.stderr
    assert "0 to add" in result.stderr
    assert "0 to destroy" in result.stderr
    iam, cur = sandbox.client("payer", "iam"), sandbox.client("payer", "cur")
    assert {"Key": "team", "Value": "finops"} in iam.list_role_tags(RoleName=ROLE)["Tags"]
    tags = cur.list_tags_for_resource(ReportName="curreport")["Tags"]
    assert tags == [{"Key": "team", "Value": "finops"}]


# What fails is found, and apply repairs it.


def break_trust(sandbox):
    trust = sandbox.client("payer", "iam").get_role(RoleName=ROLE)["Role"][
        "AssumeRolePolicyDocument"
    ]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "another-id"
    sandbox.client("payer", "iam").update_assume_role_policy(
        RoleName=ROLE, PolicyDocument=json.dumps(trust)
    )


def drop_a_statement(sandbox):
    iam = sandbox.client("payer", "iam")
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName="octo-cost")["PolicyDocument"]
    policy["Statement"] = policy["Statement"][1:]
    iam.put_role_policy(RoleName=ROLE, PolicyName="octo-cost", PolicyDocument=json.dumps(policy))


def delete_bucket_policy(sandbox):
    sandbox.client("payer", "s3").delete_bucket_policy(Bucket="alphaus-cur-export-111111111111")


def add_a_policy(sandbox):
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    sandbox.client("payer", "iam").put_role_policy(
        RoleName=CUR_ROLE,
        PolicyName="by-hand",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [anything]}),
    )


# tests/contract/verify/test_checks.py breaks the same things one at a time.
BROKEN = {
    break_trust: {"api_access.trust", "api_access.assume"},
    drop_a_statement: {"api_access.policies", "api_access.permissions"},
    delete_bucket_policy: {"cur_s3.bucket_policy"},
    add_a_policy: {"cur_s3.role"},
}


def test_what_is_broken_is_found_and_fixed(sandbox, payer):
    for break_it in BROKEN:
        break_it(sandbox)
    code, report = payer.verify()
    assert (code, failing(report)) == (3, set().union(*BROKEN.values()))
    for check in failing(report):
        assert "octo-tf apply" in hint(report, check)
    repaired = payer("apply", "--yes", "--json")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert failing(json.loads(repaired.stdout)) == set()


# The guard


def test_losing_the_report_is_refused_until_it_is_named(sandbox, payer):
    address = "module.octo.module.cur_export[0].aws_cur_report_definition.cur[0]"
    refused = payer("apply", "--yes", "--cur-report-name", "renamed")
    assert refused.returncode == 5
    assert address in refused.stderr
    assert f"--allow-destroy '{address}'" in refused.stderr
    cur = sandbox.client("payer", "cur")
    names = [r["ReportName"] for r in cur.describe_report_definitions()["ReportDefinitions"]]
    assert names == ["curreport"]

    allowed = payer(
        *("apply", "--yes", "--json", "--wait", "30s", "--cur-report-name", "renamed"),
        *("--allow-destroy", "module.octo.aws_cur_report_definition.cur[0]"),  # an earlier layout
    )
    assert allowed.returncode == 0, allowed.stderr
    assert f"earlier version of the module; {address} is used" in allowed.stderr
    names = [r["ReportName"] for r in cur.describe_report_definitions()["ReportDefinitions"]]
    assert names == ["renamed"]
    payer.settings(cur_report_name="renamed")
    assert payer("render").returncode == 0
    assert not (payer.root / "modules/octo/modules/cur-export/allow_destroy_override.tf").exists()


def test_losing_a_role_is_refused_until_it_is_named(payer):
    both = ("--feature", "cost", "--feature", "execution", "--execution-action", "stop_ec2")
    added = payer("apply", "--yes", "--json", *both)
    assert added.returncode == 0, added.stderr
    checks = {c["id"]: c["status"] for c in json.loads(added.stdout)["checks"]}
    assert checks["execution.roles"] == checks["execution.permissions"] == "pass"

    refused = payer("apply", "--yes")
    assert refused.returncode == 5
    names = ("OctoChangeExecutorRole", "OctoChangeTemplateApproverRole", "OctoSSMUpdaterRole")
    roles = [f'module.octo.module.api_access.aws_iam_role.feature["{name}"]' for name in names]
    assert all(f"{role}: the plan would delete it" in refused.stderr for role in roles)
    assert not (payer.root / "octo.tfplan").exists()

    allowed = payer("apply", "--yes", *(f"--allow-destroy={role}" for role in roles))
    assert allowed.returncode == 0, allowed.stderr


def test_no_file_is_open_and_no_output_holds_the_external_id(sandbox, payer):
    """The fixture ``sandbox`` asks this of every test; here the search itself is proved."""
    break_trust(sandbox)
    payer.verify()
    assert payer.exposures(EXTERNAL_ID) == []
    (payer.root / "terraform.tfstate").chmod(0o644)
    assert payer.exposures(EXTERNAL_ID) == [f"{payer.root}/terraform.tfstate is open to others"]
    (payer.root / "terraform.tfstate").chmod(0o600)
