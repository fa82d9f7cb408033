"""A payer with an existing bucket in another region, whose owner's policy must survive."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Checkpoint, Project, RunningSandbox, failing, hint

BUCKET = "billing-data-of-acme"
OWN = {
    "Sid": "TheOwnersStatement",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:DeleteObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
    "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}},
}


def with_an_owners_policy(sandbox: RunningSandbox) -> Project:
    settings = sandbox.existing_bucket("payer", BUCKET, "eu-central-1")
    s3_of(sandbox).put_bucket_policy(
        Bucket=BUCKET,
        Policy=json.dumps({"Version": "2008-10-17", "Id": "acme", "Statement": [OWN]}),
    )
    return sandbox.project("payer", **settings)


@pytest.fixture(scope="module")
def refused(unused_sandbox) -> Checkpoint:
    """A first apply that may not change the policy: it ended at the report."""
    sandbox = unused_sandbox()
    with_an_owners_policy(sandbox)("apply", "--yes")
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def merged(unused_sandbox, refused) -> Checkpoint:
    """The apply after that, which may."""
    sandbox = unused_sandbox()
    payer = sandbox.restore(refused)["payer"]
    payer.settings(cur_s3_bucket_merge_policy=True)
    applied = payer("apply", "--yes", "--json", "--wait", "30s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def payer(sandbox, merged) -> Project:
    """A payer whose apply merged the policy, as the last thing that ran."""
    return sandbox.restore(merged)["payer"]


def s3_of(sandbox: RunningSandbox) -> Any:
    return sandbox.client("payer", "s3", "eu-central-1")


@pytest.fixture
def s3(sandbox):
    return s3_of(sandbox)


def policy(s3) -> dict:
    return json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])


def test_a_bucket_of_another_region_is_refused_at_plan(sandbox):
    result = with_an_owners_policy(sandbox)("plan", "--cur-s3-bucket-region", "eu-west-1")
    assert result.returncode == 1
    assert "eu-central-1" in result.stderr
    assert "cur_s3_bucket_region" in result.stderr


def test_the_policy_is_left_to_its_owner_unless_asked_for(sandbox, s3, refused):
    result = sandbox.restore(refused)["payer"].ran[-1]
    assert result.returncode == 1  # AWS refuses the report: it could not deliver
    assert "aws_cur_report_definition" in result.stderr
    assert policy(s3) == {"Version": "2008-10-17", "Id": "acme", "Statement": [OWN]}


def test_asked_for_it_is_merged_and_nothing_is_dropped(s3, payer):
    assert failing(json.loads(payer.ran[-1].stdout)) == set()
    merged = policy(s3)
    assert (merged["Version"], merged["Id"]) == ("2008-10-17", "acme")
    assert OWN in merged["Statement"]
    assert len(merged["Statement"]) == 3


def test_merging_again_is_no_change(payer):
    result = payer("plan", "--detailed-exitcode")
    assert result.returncode == 0, result.stdout


def test_a_statement_that_the_owner_adds_later_stays(s3, payer):
    assert payer("plan", "--out", "saved.tfplan").returncode == 0
    document = policy(s3)
    document["Statement"].append({**OWN, "Sid": "AddedLater"})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
    drifted = payer("apply", "--plan", "saved.tfplan")
    assert drifted.returncode == 5, drifted.stderr
    assert "aws_s3_bucket_policy.merged[0]: policy" in drifted.stderr
    assert payer("apply", "--yes").returncode == 0
    assert "AddedLater" in [statement["Sid"] for statement in policy(s3)["Statement"]]


def test_giving_the_policy_up_is_refused_by_the_guard(s3, payer):
    result = payer("apply", "--yes", "--no-cur-s3-bucket-merge-policy")
    assert result.returncode == 5
    assert "module.octo.module.cur_export[0].aws_s3_bucket_policy.merged[0]" in result.stderr
    assert len(policy(s3)["Statement"]) == 3


def test_a_lost_statement_is_hinted_at(s3, payer):
    document = policy(s3)
    document["Statement"] = [OWN]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
    code, report = payer.verify()
    assert (code, failing(report)) == (3, {"cur_s3.bucket_policy"})
    assert "octo-tf apply" in hint(report, "cur_s3.bucket_policy")


def test_a_bucket_without_any_policy_can_be_merged_into(s3, payer):
    s3.delete_bucket_policy(Bucket=BUCKET)
    applied = payer("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert len(policy(s3)["Statement"]) == 2
    assert payer("plan", "--detailed-exitcode").returncode == 0
