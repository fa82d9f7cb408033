"""What AWS has, as it is read: whose a bucket is, what is set on it, what a role can do."""

from __future__ import annotations

import json

import pytest

from orchestrator.aws import iam, s3
from tests.registered import ROLE, trust

BUCKET = "looked-at"


@pytest.fixture
def bucket(session):
    s3 = session("payer").client("s3", "us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    yield s3
    for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def test_a_bucket_is_its_own_accounts_alone(sandbox, aws, bucket):
    for profile, owns in (("payer", True), ("standalone", False)):
        assert s3.owns_bucket(aws(profile), BUCKET, sandbox.accounts[profile]) is owns
    assert s3.owns_bucket(aws("payer"), "nobodys", sandbox.accounts["payer"]) is False


def test_a_fresh_bucket_has_no_settings(sandbox, aws, bucket):
    found = s3.describe_bucket(aws("payer"), BUCKET, sandbox.accounts["payer"])
    assert (found.region, found.empty, found.policy) == ("us-east-1", True, None)
    assert "aws_s3_bucket_policy" not in found.settings
    assert "aws_s3_bucket_versioning" not in found.settings


def test_what_is_set_on_a_bucket_is_seen(sandbox, aws, bucket):
    bucket.put_object(Bucket=BUCKET, Key="a", Body=b"x")
    bucket.put_bucket_tagging(
        Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "finops"}]}
    )
    bucket.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "keep", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}}
    bucket.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]}
    )
    found = s3.describe_bucket(aws("payer"), BUCKET, sandbox.accounts["payer"])
    assert not found.empty
    assert found.tags == {"team": "finops"}
    assert found.lifecycle_rules == ("keep",)
    assert {"aws_s3_bucket_versioning", "aws_s3_bucket_lifecycle_configuration"} <= found.settings
    bucket.delete_bucket_lifecycle(Bucket=BUCKET)
    for version in bucket.list_object_versions(Bucket=BUCKET)["Versions"]:
        bucket.delete_object(Bucket=BUCKET, Key="a", VersionId=version["VersionId"])


def test_a_role_is_read_with_everything_that_it_can_do(aws, session):
    client = session("linked-2").client("iam")
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}],
        }
    )
    arn = client.create_policy(PolicyName="own", PolicyDocument=document)["Policy"]["Arn"]
    client.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=trust(),
        Tags=[{"Key": "team", "Value": "finops"}],
    )
    client.put_role_policy(RoleName=ROLE, PolicyName="in", PolicyDocument=document)
    client.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
    try:
        found = iam.describe_role(aws("linked-2"), ROLE)
        assert found is not None
        assert found.inline["in"] == found.managed[arn] == json.loads(document)
        assert found.tags == {"team": "finops"}
        assert list(iam.roles_that_trust(aws("linked-2"), "131920598436")) == [ROLE]
        assert iam.describe_role(aws("linked-2"), "Absent") is None
    finally:
        client.detach_role_policy(RoleName=ROLE, PolicyArn=arn)
        client.delete_policy(PolicyArn=arn)
        client.delete_role_policy(RoleName=ROLE, PolicyName="in")
        client.delete_role(RoleName=ROLE)
