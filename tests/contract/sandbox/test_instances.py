"""EC2 instances: permissions by instance and tag, dry runs, and what is recommended of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator.sandbox import control

ONLY_TAGGED = {
    "Effect": "Allow",
    "Action": "ec2:StopInstances",
    "Resource": "arn:aws:ec2:*:*:instance/*",
    "Condition": {"StringEquals": {"aws:ResourceTag/octo": "execute"}},
}


@pytest.fixture
def instance(session) -> Iterator[str]:
    """An idle instance of linked-1, with the tag octo=execute."""
    ec2 = session("linked-1").client("ec2", region_name="us-east-1")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "octo", "Value": "execute"}]}]
    started = ec2.run_instances(
        ImageId="ami-12c6146b",
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tags,
    )
    instance_id = started["Instances"][0]["InstanceId"]
    yield instance_id
    ec2.terminate_instances(InstanceIds=[instance_id])


@pytest.fixture
def stopper(user, session) -> boto3.Session:
    """A user of linked-1 who may stop instances with the tag only."""
    made = user("linked-1", "ec2:DescribeInstances")
    document = json.dumps({"Version": "2012-10-17", "Statement": [ONLY_TAGGED]})
    session("linked-1").client("iam").put_user_policy(
        UserName="user-0", PolicyName="some", PolicyDocument=document
    )
    return made


def test_an_instance_is_stopped_by_who_may_stop_it_with_its_tag(session, instance, stopper):
    own, limited = session("linked-1").client("ec2"), stopper.client("ec2")
    own.delete_tags(Resources=[instance], Tags=[{"Key": "octo"}])
    with pytest.raises(ClientError) as refused:
        limited.stop_instances(InstanceIds=[instance])
    error = refused.value.response["Error"]
    assert error["Code"] == "UnauthorizedOperation"
    assert "ec2:StopInstances on resource: arn:aws:ec2:us-east-1:" in error["Message"]
    own.create_tags(Resources=[instance], Tags=[{"Key": "octo", "Value": "execute"}])
    assert limited.stop_instances(InstanceIds=[instance])["StoppingInstances"]


def test_a_dry_run_says_whether_it_would_be_allowed(session, stopper):
    for client, code in (
        (session("linked-1").client("ec2"), "DryRunOperation"),
        (stopper.client("ec2"), "UnauthorizedOperation"),
    ):
        with pytest.raises(ClientError) as answer:
            client.describe_instances(DryRun=True)
        assert answer.value.response["Error"]["Code"] == code


def test_a_running_instance_is_recommended_to_be_stopped(session, sandbox, instance):
    hub = session("payer").client("cost-optimization-hub")
    hub.update_enrollment_status(status="Active", includeMemberAccounts=True)
    (one,) = hub.list_recommendations()["items"]
    assert (one["accountId"], one["resourceId"]) == (sandbox.accounts["linked-1"], instance)
    assert (one["actionType"], one["estimatedMonthlySavings"]) == ("Stop", 70.08)
    session("linked-1").client("ec2").stop_instances(InstanceIds=[instance])
    assert hub.list_recommendations()["items"] == []
    hub.update_enrollment_status(status="Inactive", includeMemberAccounts=True)


def test_trusted_advisor_needs_a_support_plan(session):
    checks = session("payer").client("support").describe_trusted_advisor_checks(language="en")
    assert any("Low Utilization" in check["name"] for check in checks["checks"])
    with pytest.raises(ClientError) as refused:
        session("linked-1").client("support").describe_trusted_advisor_checks(language="en")
    assert refused.value.response["Error"]["Code"] == "SubscriptionRequiredException"


def test_a_snapshot_holds_instances_and_documents(session, sandbox, instance):
    ec2, ssm = session("linked-1").client("ec2"), session("linked-1").client("ssm")
    ssm.put_parameter(Name="kept", Value="1", Type="String")
    control.snapshot(sandbox.endpoint_url, "with an instance")
    ec2.stop_instances(InstanceIds=[instance])
    ssm.delete_parameter(Name="kept")
    control.restore(sandbox.endpoint_url, "with an instance")
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "running"
    assert ssm.get_parameter(Name="kept")["Parameter"]["Value"] == "1"
    ssm.delete_parameter(Name="kept")
