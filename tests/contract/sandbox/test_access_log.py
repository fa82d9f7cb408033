"""The sandbox logs how it decides each call: action, resource, condition keys and decision."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from orchestrator.sandbox import control


def test_an_allowed_and_a_denied_call_are_logged_once(sandbox, user):
    own = user("payer", "s3:ListAllMyBuckets")
    control.accesses(sandbox.endpoint_url)
    own.client("s3").list_buckets()
    with pytest.raises(ClientError, match="iam:GetRole"):
        own.client("iam").get_role(RoleName="Absent")
    logged = control.accesses(sandbox.endpoint_url)
    account = sandbox.accounts["payer"]
    assert [(entry["action"], entry["resource"], entry["decision"]) for entry in logged] == [
        ("s3:ListAllMyBuckets", "*", "allowed"),
        ("iam:GetRole", f"arn:aws:iam::{account}:role/Absent", "implicitDeny"),
    ]
    assert {entry["caller"] for entry in logged} == {f"arn:aws:iam::{account}:user/user-0"}
    assert control.accesses(sandbox.endpoint_url) == []


def test_tags_of_a_stackset_need_a_permission_of_their_own(sandbox, user, trusted_access):
    client = user("payer", "cloudformation:CreateStackSet").client("cloudformation")
    settings = {"StackSetName": "tagged", "PermissionModel": "SERVICE_MANAGED"}
    with pytest.raises(ClientError, match="cloudformation:TagResource"):
        client.create_stack_set(
            **settings,
            TemplateBody='{"Resources": {}}',
            AutoDeployment={"Enabled": False},
            Tags=[{"Key": "team", "Value": "cloud"}],
        )


def test_each_object_that_is_deleted_needs_its_permission(sandbox, user):
    client = user("payer", "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteObject").client("s3")
    client.create_bucket(Bucket="of-objects")
    client.delete_objects(Bucket="of-objects", Delete={"Objects": [{"Key": "a"}]})
    with pytest.raises(ClientError, match=r'DeleteObjectVersion on .*"arn:aws:s3:::of-objects/b"'):
        client.delete_objects(
            Bucket="of-objects", Delete={"Objects": [{"Key": "b", "VersionId": "1"}]}
        )
    client.delete_bucket(Bucket="of-objects")


def test_only_those_who_may_list_a_bucket_learn_that_an_object_is_missing(sandbox, user):
    client = user("payer", "s3:CreateBucket", "s3:GetObject").client("s3")
    client.create_bucket(Bucket="without-objects")
    with pytest.raises(ClientError, match="s3:ListBucket"):
        client.get_object(Bucket="without-objects", Key="a")
    with pytest.raises(ClientError, match="403"):
        client.head_object(Bucket="without-objects", Key="a")
    lister = user("payer", "s3:GetObject", "s3:ListBucket", "s3:DeleteBucket").client("s3")
    with pytest.raises(lister.exceptions.NoSuchKey):
        lister.get_object(Bucket="without-objects", Key="a")
    lister.delete_bucket(Bucket="without-objects")
