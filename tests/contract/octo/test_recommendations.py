"""Octo lists recommendations and carries them out by its roles: a missing right fails there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.registered import Registered, trust

STANDALONE = "222222222222"
SEARCHER, UPDATER = "OctoRecommendationSearcherRole", "OctoSSMUpdaterRole"
EXECUTOR, APPROVER = "OctoChangeExecutorRole", "OctoChangeTemplateApproverRole"


@dataclass
class Customer:
    """A registered account with an idle instance, and Octo's API as its owner uses it."""

    account: Registered
    raw: Callable[..., Any]
    instance: str

    def listed(self) -> list[dict[str, Any]]:
        body = {"filters": {"target": STANDALONE}}
        answer = self.raw("POST", "/v1/recommendations/summaries", body)
        assert answer.status_code == 200, answer.text
        return answer.json()["recommendations"]

    def execute(self, kind: str) -> Any:
        (one,) = self.listed()
        body = {"ids": [one["id"]], "executeType": kind}
        return self.raw("POST", "/v1/recommendation/execute", body)

    def executed(self, kind: str) -> dict[str, Any]:
        answer = self.execute(kind)
        assert answer.status_code == 200, answer.text
        return next(iter(answer.json()["result"].values()))

    def approve(self, role: str = APPROVER) -> None:
        """A person of the account approves the change template, by the role for it."""
        keys = self.account.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{STANDALONE}:role/{role}", RoleSessionName="ann"
        )["Credentials"]
        ssm = boto3.client(
            "ssm",
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        (template,) = ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])[
            "DocumentIdentifiers"
        ]
        ssm.update_document_metadata(
            Name=template["Name"], DocumentReviews={"Action": "Approve", "Comment": []}
        )

    def approved(self) -> None:
        """The change template is made and approved, and Octo has asked for the change."""
        self.executed("SUBMIT_TEMPLATE")
        self.approve()

    def state(self) -> str:
        found = boto3.client("ec2", region_name="us-east-1").describe_instances(
            InstanceIds=[self.instance]
        )
        return found["Reservations"][0]["Instances"][0]["State"]["Name"]

    def cannot(self, role: str, policy: str, action: str) -> None:
        """Take an action out of a role's policy."""
        iam = self.account.client("iam")
        held = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in held["Statement"]:
            actions = statement["Action"]
            listed = actions if isinstance(actions, list) else [actions]
            statement["Action"] = [a for a in listed if a != action] or ["iam:GetUser"]
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(held))


@pytest.fixture
def customer(sandbox, account, raw, monkeypatch) -> Iterator[Customer]:
    monkeypatch.setenv("AWS_PROFILE", "standalone")
    made = account("standalone", "standalone", ("cost", "recommendations", "execution"))
    raw("POST", "/v1/aws/account", {"accountId": STANDALONE, "accountName": "Acme"})
    raw("POST", "/v1/aws/acctaccess", {"target": STANDALONE, "fromTerraform": True})
    optimizer = boto3.client("compute-optimizer", region_name="us-east-1")
    optimizer.update_enrollment_status(status="Active")
    ec2 = boto3.client("ec2", region_name="us-east-1")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "octo", "Value": "execute"}]}]
    started = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags
    )
    yield Customer(made, raw, started["Instances"][0]["InstanceId"])
    ec2.terminate_instances(InstanceIds=[started["Instances"][0]["InstanceId"]])
    optimizer.update_enrollment_status(status="Inactive")
    ssm = boto3.client("ssm", region_name="us-east-1")
    for own in ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])[
        "DocumentIdentifiers"
    ]:
        ssm.delete_document(Name=own["Name"])
    sandbox.state.service_states.pop("octo recommendations")


def test_octo_stops_an_instance_once_a_person_has_approved_the_template(customer):
    (one,) = customer.listed()
    assert (one["resourceId"], one["code"], one["status"]) == (
        customer.instance,
        "stop_ec2",
        "Available",
    )
    assert one["source"] == "Compute Optimizer"
    submitted = customer.executed("SUBMIT_TEMPLATE")
    assert (submitted["status"], submitted["error"]) == ("Pending approval", "")
    assert APPROVER in submitted["switchRoleUrl"]
    early = customer.execute("DEFAULT")
    assert (early.status_code, "is not approved" in early.text) == (400, True)

    customer.approve()
    (one,) = customer.listed()
    assert one["status"] == "Approved"
    assert customer.state() == "running"
    assert customer.executed("DEFAULT")["status"] == "Executed"
    assert customer.state() == "stopped"
    details = customer.raw("GET", f"/v1/recommendations?ids={one['id']}").json()
    assert details["recommendations"][0]["details"]["request"]


def test_without_the_searcher_role_the_api_access_role_reads(customer):
    iam = customer.account.client("iam")
    iam.delete_role_policy(RoleName=SEARCHER, PolicyName="octo-recommendations")
    answer = customer.raw(
        "POST", "/v1/recommendations/summaries", {"filters": {"target": STANDALONE}}
    )
    assert (answer.status_code, "cannot be read" in answer.text) == (400, True)
    assert "compute-optimizer:GetIdleRecommendations" in answer.text
    iam.delete_role(RoleName=SEARCHER)
    assert len(customer.listed()) == 1


def without_tag(customer: Customer) -> None:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    ec2.delete_tags(Resources=[customer.instance], Tags=[{"Key": "octo"}])


def without_trust(customer: Customer) -> None:
    customer.account.client("iam").update_assume_role_policy(
        RoleName=EXECUTOR, PolicyDocument=trust()
    )


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        (without_tag, "not authorized to perform: ec2:StopInstances"),
        (without_trust, "unable to be assumed"),
        (
            lambda c: c.cannot(EXECUTOR, "octo-change-executor", "ec2:DescribeInstances"),
            "not authorized to perform: ec2:DescribeInstances",
        ),
        (
            lambda c: c.cannot(UPDATER, "octo-ssm-updater", "iam:PassRole"),
            "not authorized to perform: iam:PassRole",
        ),
        (
            lambda c: c.cannot(UPDATER, "octo-ssm-updater", "ssm:SendAutomationSignal"),
            "not authorized to perform: ssm:SendAutomationSignal",
        ),
    ],
)
def test_a_right_that_is_missing_fails_the_execution(customer, breaks, reason):
    breaks(customer)
    customer.approved()
    (one,) = customer.listed()
    if one["status"] == "Approved":
        assert customer.executed("DEFAULT")["status"] == "Execution error"
    found = customer.raw("GET", f"/v1/recommendations?ids={one['id']}").json()
    details = found["recommendations"][0]["details"]
    assert reason in details["error"]
    assert customer.state() == "running"


def test_an_execution_is_tried_again_once_the_right_is_there(customer):
    without_tag(customer)
    customer.approved()
    assert customer.executed("DEFAULT")["status"] == "Execution error"
    boto3.client("ec2", region_name="us-east-1").create_tags(
        Resources=[customer.instance], Tags=[{"Key": "octo", "Value": "execute"}]
    )
    assert customer.executed("RETRY_EXECUTE")["status"] == "Executed"
    assert customer.state() == "stopped"


def test_octo_cannot_approve_its_own_template(customer):
    customer.executed("SUBMIT_TEMPLATE")
    iam = customer.account.client("iam")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    own = {"Effect": "Allow", "Principal": {"AWS": STANDALONE}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName=UPDATER, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [own]})
    )
    with pytest.raises(Exception, match="not authorized to perform: ssm:UpdateDocumentMetadata"):
        customer.approve(UPDATER)
    # Even with every right, the author of a template is not its reviewer.
    iam.put_role_policy(
        RoleName=UPDATER,
        PolicyName="by-hand",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    iam.delete_role_permissions_boundary(RoleName=UPDATER)
    with pytest.raises(Exception, match="author of a document cannot review it"):
        customer.approve(UPDATER)


def test_without_the_updater_no_template_is_made(customer):
    iam = customer.account.client("iam")
    iam.delete_role_policy(RoleName=UPDATER, PolicyName="octo-ssm-updater")
    iam.delete_role(RoleName=UPDATER)
    answer = customer.execute("SUBMIT_TEMPLATE")
    assert (answer.status_code, f"cannot assume arn:aws:iam::{STANDALONE}:role/{UPDATER}") == (
        400,
        answer.json()["message"].partition(": AccessDenied")[0],
    )
