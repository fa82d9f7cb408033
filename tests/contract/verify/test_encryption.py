"""A bucket encrypted with a KMS key: the check, AWS's delivery and Octo's reading agree."""

from __future__ import annotations

import json

import pytest

from orchestrator.sandbox import control
from orchestrator.verify.model import Report, Status
from tests.registered import CUR_ROLE, Registered, outputs

ACCOUNT = "222222222222"
ID = "cur_s3.encryption"


@pytest.fixture
def owners(registered) -> Registered:
    """An account whose report goes to a bucket that its owner manages."""
    registered.expected = outputs(
        ACCOUNT, "standalone", s3_bucket_option="USE_EXISTING", bucket_policy_management="owner"
    )
    return registered


def encrypt(account: Registered, key: str | None = None) -> None:
    default = {"SSEAlgorithm": "aws:kms"} | ({"KMSMasterKeyID": key} if key else {})
    account.client("s3").put_bucket_encryption(
        Bucket=account.bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )


def create_key(account: Registered) -> str:
    return account.client("kms").create_key()["KeyMetadata"]["Arn"]


def finding(report: Report, check_id: str = ID):
    return next(r.finding for r in report.results if r.id == check_id)


def failing(report: Report) -> set[str]:
    return {r.id for r in report.results if r.finding.status is Status.FAIL}


def delivered(sandbox) -> str:
    (done,) = [d for d in control.deliver(sandbox.endpoint_url) if d["account_id"] == ACCOUNT]
    return done["status"]


def test_a_key_that_lets_neither_in_is_found_and_its_statements_end_it(sandbox, owners, look):
    key = create_key(owners)
    encrypt(owners, key)
    assert delivered(sandbox) == "ERROR_PERMISSIONS"
    report = look(owners)
    # What was delivered before is read on: its key is that of its own writing, which is none.
    assert failing(report) == {ID, "cur_s3.delivery"}
    found = finding(report)
    assert key in found.summary
    assert CUR_ROLE in found.summary
    hint = found.hint
    needed = json.loads(hint[hint.index("[") : hint.rindex("]") + 1])
    kms = owners.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"] += needed
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert delivered(sandbox) == "SUCCESS"
    after = look(owners)
    assert failing(after) == set()
    assert finding(after).status is Status.PASS


def test_a_key_that_octo_cannot_read_with_is_found(sandbox, owners, look):
    key = create_key(owners)
    encrypt(owners, key)
    kms = owners.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"Service": "billingreports.amazonaws.com"},
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
        }
    )
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert delivered(sandbox) == "SUCCESS"
    report = look(owners)
    assert failing(report) == {ID, "cur_s3.read"}
    assert [s["Sid"] for s in finding(report).evidence["needed"]] == ["OctoTfCurRead"]


def test_the_key_of_aws_lets_no_delivery_in(sandbox, owners, look):
    encrypt(owners)
    assert delivered(sandbox) == "ERROR_PERMISSIONS"
    found = finding(look(owners))
    assert found.status is Status.FAIL
    assert "aws/s3" in found.summary
    encrypt(owners, "alias/aws/s3")
    assert "aws/s3" in finding(look(owners)).summary


def test_a_key_that_is_disabled_or_gone_is_named(owners, look):
    key = create_key(owners)
    encrypt(owners, key)
    owners.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert "is Disabled" in finding(look(owners)).summary
    encrypt(owners, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000")
    assert "does not exist" in finding(look(owners)).summary


def test_a_bucket_of_the_module_is_to_be_encrypted_as_the_module_does(registered, look):
    encrypt(registered, create_key(registered))
    found = finding(look(registered))
    assert found.status is Status.FAIL
    assert "octo-tf apply" in found.hint


def test_a_classic_policy_of_an_owner_is_a_warning_that_its_advice_ends(owners, look):
    arn = f"arn:aws:s3:::{owners.bucket}"
    billing = {"Effect": "Allow", "Principal": {"Service": "billingreports.amazonaws.com"}}
    statements = [
        {**billing, "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy"], "Resource": arn},
        {**billing, "Sid": "Write", "Action": "s3:PutObject", "Resource": f"{arn}/*"},
    ]
    owners.put_bucket_policy(*statements)
    found = finding(look(owners), "cur_s3.bucket_policy")
    assert found.status is Status.WARN
    assert "statement number 1" in found.hint
    assert "statement Write" in found.hint
    condition = json.loads(
        "{" + found.hint[found.hint.index('"StringEquals"') :].split("}")[0] + "}}"
    )
    owners.put_bucket_policy(*({**s, "Condition": condition} for s in statements))
    assert finding(look(owners), "cur_s3.bucket_policy").status is Status.PASS
