"""StackSets as AWS has them, where the provider or the verifier can see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.sandbox import control
from tests.waiting import wait_until

NAME, ROLE = "set", "RoleOfTheSet"


def template(**properties: Any) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::131920598436:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
            }
        ],
    }
    role = {"RoleName": ROLE, "AssumeRolePolicyDocument": trust, **properties}
    return json.dumps(
        {
            "Parameters": {"ExternalId": {"Type": "String"}},
            "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}},
        }
    )


class Stacks:
    """A stack set's calls, as the payer."""

    def __init__(self, session: Callable[[str], Any]) -> None:
        self.client = session("payer").client("cloudformation")
        self.organizations = session("payer").client("organizations")
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]

    def make(self, **changes: Any) -> None:
        settings = {
            "StackSetName": NAME,
            "TemplateBody": template(),
            "Parameters": [{"ParameterKey": "ExternalId", "ParameterValue": "the-id"}],
            "PermissionModel": "SERVICE_MANAGED",
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
            "ManagedExecution": {"Active": True},
            **changes,
        }
        self.client.create_stack_set(**{k: v for k, v in settings.items() if v is not None})

    def deploy(
        self, *ous: str, accounts: list[str] | None = None, by: str = "", **more: Any
    ) -> str:
        targets: dict[str, Any] = {"OrganizationalUnitIds": list(ous) or [self.root]}
        if accounts is not None:
            targets |= {"Accounts": accounts, "AccountFilterType": by}
        begun = self.client.create_stack_instances(
            StackSetName=NAME, Regions=["us-east-1"], DeploymentTargets=targets, **more
        )
        return str(begun["OperationId"])

    def delete(self, *, retain: bool) -> str:
        """Delete all instances, by the targets that they were deployed to."""
        summaries = self.client.list_stack_instances(StackSetName=NAME)["Summaries"]
        targets = sorted({s["OrganizationalUnitId"] for s in summaries}) or [self.root]
        begun = self.client.delete_stack_instances(
            StackSetName=NAME,
            Regions=["us-east-1"],
            DeploymentTargets={"OrganizationalUnitIds": targets},
            RetainStacks=retain,
            OperationPreferences={
                "FailureTolerancePercentage": 100,
                "MaxConcurrentPercentage": 100,
            },
        )
        return str(begun["OperationId"])

    def operation(self, operation_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.describe_stack_set_operation(
            StackSetName=NAME, OperationId=operation_id
        )["StackSetOperation"]
        return found

    def end_of(self, operation_id: str) -> str:
        def status() -> str:
            found = str(self.operation(operation_id)["Status"])
            return "" if found in ("RUNNING", "QUEUED", "STOPPING") else found

        return wait_until(status, "the operation has ended")

    @property
    def details(self) -> dict[str, str]:
        summaries = self.client.list_stack_instances(StackSetName=NAME)["Summaries"]
        return {s["Account"]: s["StackInstanceStatus"]["DetailedStatus"] for s in summaries}

    def results(self, operation_id: str) -> dict[str, tuple[str, str]]:
        summaries = self.client.list_stack_set_operation_results(
            StackSetName=NAME, OperationId=operation_id
        )["Summaries"]
        return {s["Account"]: (s["Status"], s.get("StatusReason", "")) for s in summaries}

    def home(self, account_id: str) -> str:
        parents = self.organizations.list_parents(ChildId=account_id)["Parents"]
        return str(parents[0]["Id"])


@pytest.fixture
def stacks(sandbox, session) -> Iterator[Stacks]:
    """No stack set at first, trusted access on, everything at once; and nothing left behind."""
    made = Stacks(session)
    made.client.activate_organizations_access()
    yield made
    control.clear_faults(sandbox.endpoint_url)
    control.pace(sandbox.endpoint_url, 0)
    for summary in made.client.list_stack_sets()["Summaries"]:
        try:
            made.end_of(made.delete(retain=False))
        except ClientError as error:
            assert "not found in StackSet" in str(error)
        made.client.delete_stack_set(StackSetName=summary["StackSetName"])
    made.client.deactivate_organizations_access()


def code(action: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as error:
        action()
    return str(error.value.response["Error"]["Code"])


def roles(session: Callable[[str], Any], profile: str) -> set[str]:
    return {r["RoleName"] for r in session(profile).client("iam").list_roles()["Roles"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Capabilities": None}, "InsufficientCapabilitiesException"),
        ({"Capabilities": ["CAPABILITY_IAM"]}, "InsufficientCapabilitiesException"),
        ({"AutoDeployment": None}, "ValidationError"),
        ({"PermissionModel": None}, "ValidationError"),
        ({"TemplateBody": "{}"}, "ValidationError"),
        ({"TemplateBody": template(Description="x" * 51_200)}, "ValidationError"),
    ],
)
def test_a_set_that_aws_refuses(stacks, changes, expected):
    assert code(lambda: stacks.make(**changes)) == expected
    assert stacks.client.list_stack_sets()["Summaries"] == []


def test_trusted_access_is_asked_for(stacks):
    stacks.client.deactivate_organizations_access()
    assert stacks.client.describe_organizations_access()["Status"] == "DISABLED"
    assert code(stacks.make) == "ValidationError"


def test_a_member_may_not(session, stacks):
    client = session("linked-1").client("cloudformation")
    assert code(client.describe_organizations_access) == "ValidationError"


def test_everybody_but_the_management_account_is_deployed_to(sandbox, session, stacks):
    stacks.make()
    assert stacks.end_of(stacks.deploy()) == "SUCCEEDED"
    accounts = sandbox.accounts
    expected = {accounts[f"linked-{n}"]: "SUCCEEDED" for n in (1, 2, 3)}
    expected[accounts["linked-suspended"]] = "SKIPPED_SUSPENDED_ACCOUNT"
    assert stacks.details == expected
    assert ROLE in roles(session, "linked-1")
    assert ROLE not in roles(session, "payer")


def test_the_role_lets_in_whom_its_trust_names(sandbox, session, stacks):
    stacks.make()
    stacks.end_of(stacks.deploy())
    sts = session("octo").client("sts")
    arn = f"arn:aws:iam::{sandbox.accounts['linked-1']}:role/{ROLE}"
    sts.assume_role(RoleArn=arn, RoleSessionName="test", ExternalId="the-id")
    assert code(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="test")) == "AccessDenied"


@pytest.mark.parametrize(
    ("by", "expected"),
    [("INTERSECTION", {"linked-1"}), ("DIFFERENCE", {"linked-2", "linked-3", "linked-suspended"})],
)
def test_account_filters(sandbox, stacks, by, expected):
    stacks.make()
    stacks.end_of(stacks.deploy(accounts=[sandbox.accounts["linked-1"]], by=by))
    assert set(stacks.details) == {sandbox.accounts[name] for name in expected}


def test_union_is_refused_on_creation(sandbox, stacks):
    stacks.make()
    account = [sandbox.accounts["linked-1"]]
    assert code(lambda: stacks.deploy(accounts=account, by="UNION")) == "ValidationError"


def test_nested_ous_are_deployed_to_and_listed_by_the_target(sandbox, stacks):
    """botocore's model: the OUs "that you specified for DeploymentTargets"."""
    account = sandbox.accounts["linked-3"]
    inner = stacks.home(account)
    outer = stacks.organizations.list_parents(ChildId=inner)["Parents"][0]["Id"]
    assert inner != stacks.root
    assert outer != stacks.root
    stacks.make()
    stacks.end_of(stacks.deploy(outer))
    summaries = stacks.client.list_stack_instances(StackSetName=NAME)["Summaries"]
    assert {s["Account"]: s["OrganizationalUnitId"] for s in summaries}[account] == outer
    described = stacks.client.describe_stack_set(StackSetName=NAME)["StackSet"]
    assert described["OrganizationalUnitIds"] == [outer]


def test_an_operation_takes_its_time(sandbox, stacks):
    control.pace(sandbox.endpoint_url, 600)
    stacks.make()
    operation = stacks.deploy()  # one at a time: the default
    assert stacks.operation(operation)["Status"] == "RUNNING"
    assert "PENDING" in stacks.details.values()
    control.pace(sandbox.endpoint_url, 0)
    assert stacks.end_of(operation) == "SUCCEEDED"
    assert stacks.operation(operation)["EndTimestamp"]


def test_a_second_operation_waits_or_is_refused(sandbox, stacks):
    control.pace(sandbox.endpoint_url, 600)
    stacks.make()
    first = stacks.deploy()
    second = stacks.delete(retain=False)
    assert stacks.operation(second)["Status"] == "QUEUED"
    control.pace(sandbox.endpoint_url, 0)
    assert (stacks.end_of(first), stacks.end_of(second)) == ("SUCCEEDED", "SUCCEEDED")
    stacks.client.delete_stack_set(StackSetName=NAME)
    stacks.make(ManagedExecution=None)
    control.pace(sandbox.endpoint_url, 600)
    running = stacks.deploy()
    assert code(stacks.deploy) == "OperationInProgressException"
    control.pace(sandbox.endpoint_url, 0)
    stacks.end_of(running)


def test_failures_over_the_tolerance_stop_the_rest(sandbox, stacks):
    control.add_fault(
        sandbox.endpoint_url,
        {"service": "cloudformation", "action": "CreateStack", "error": "AccessDenied"},
    )
    stacks.make()
    operation = stacks.deploy()
    assert stacks.end_of(operation) == "FAILED"
    counted = sorted(status for status, _ in stacks.results(operation).values())
    assert counted.count("FAILED") == 1
    assert set(counted) == {"CANCELLED", "FAILED"}
    assert stacks.operation(operation)["StatusDetails"]["FailedStackInstancesCount"] == 1


def test_failures_within_the_tolerance_still_say_succeeded(sandbox, stacks):
    failing = sandbox.accounts["linked-2"]
    control.add_fault(
        sandbox.endpoint_url,
        {
            "service": "cloudformation",
            "action": "CreateStack",
            "error": "Throttling",
            "account": failing,
        },
    )
    stacks.make()
    operation = stacks.deploy(OperationPreferences={"FailureTolerancePercentage": 50})
    assert stacks.end_of(operation) == "SUCCEEDED"
    assert stacks.operation(operation)["StatusDetails"]["FailedStackInstancesCount"] == 1
    assert stacks.results(operation)[failing] == (
        "FAILED",
        "Rate exceeded (Service: Iam, Status Code: 400, Error Code: Throttling)",
    )
    assert stacks.details[failing] == "FAILED"


def test_a_role_that_is_there_already_fails_its_account(sandbox, session, stacks):
    iam = session("linked-1").client("iam")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Statement": [statement]})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    stacks.make()
    operation = stacks.deploy(OperationPreferences={"FailureTolerancePercentage": 50})
    stacks.end_of(operation)
    status, reason = stacks.results(operation)[sandbox.accounts["linked-1"]]
    assert status == "FAILED"
    assert "already exists" in reason
    stacks.end_of(stacks.delete(retain=False))
    assert ROLE in roles(session, "linked-1")  # the one by hand is nobody else's
    iam.delete_role(RoleName=ROLE)


def test_a_stopped_operation_finishes_what_it_has_begun(sandbox, stacks):
    control.pace(sandbox.endpoint_url, 600)
    stacks.make()
    operation = stacks.deploy()
    stacks.client.stop_stack_set_operation(StackSetName=NAME, OperationId=operation)
    control.pace(sandbox.endpoint_url, 0)
    assert stacks.end_of(operation) == "STOPPED"
    assert "CANCELLED" in stacks.details.values()


@pytest.mark.parametrize("retain", [True, False])
def test_deleting_instances_keeps_the_stacks_or_not(session, stacks, retain):
    stacks.make()
    stacks.end_of(stacks.deploy())
    assert code(lambda: stacks.client.delete_stack_set(StackSetName=NAME)) == (
        "StackSetNotEmptyException"
    )
    stacks.end_of(stacks.delete(retain=retain))
    assert stacks.details == {}
    assert (ROLE in roles(session, "linked-1")) is retain
    if retain:
        for profile in ("linked-1", "linked-2", "linked-3"):
            iam = session(profile).client("iam")
            iam.delete_role(RoleName=ROLE)


def test_an_update_reaches_every_stack(session, stacks):
    stacks.make()
    stacks.end_of(stacks.deploy())
    allowed = {"Effect": "Allow", "Action": "ce:GetTags", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    changed = template(Policies=[{"PolicyName": "more", "PolicyDocument": policy}])
    begun = stacks.client.update_stack_set(
        StackSetName=NAME,
        TemplateBody=changed,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        OperationPreferences={"MaxConcurrentPercentage": 100},
    )
    assert stacks.end_of(begun["OperationId"]) == "SUCCEEDED"
    iam = session("linked-3").client("iam")
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["more"]
    assert iam.get_role_policy(RoleName=ROLE, PolicyName="more")["PolicyDocument"] == policy


def test_an_update_changes_the_roles_where_they_are(session, stacks):
    iam = session("linked-1").client("iam")
    stacks.make(TemplateBody=template(MaxSessionDuration=7200))
    stacks.end_of(stacks.deploy())
    before = iam.get_role(RoleName=ROLE)["Role"]
    assert stacks.end_of(_updated(stacks, template())) == "SUCCEEDED"
    after = iam.get_role(RoleName=ROLE)["Role"]
    assert after["RoleId"] == before["RoleId"]
    assert (before["MaxSessionDuration"], after["MaxSessionDuration"]) == (7200, 3600)


def test_an_update_without_a_change_leaves_what_was_changed_by_hand(session, stacks):
    iam = session("linked-1").client("iam")
    stacks.make()
    stacks.end_of(stacks.deploy())
    iam.update_role(RoleName=ROLE, Description="by hand")
    assert stacks.end_of(_updated(stacks, template())) == "SUCCEEDED"
    assert iam.get_role(RoleName=ROLE)["Role"]["Description"] == "by hand"


def test_another_logical_id_fails_where_the_role_has_a_name(session, stacks):
    iam = session("linked-1").client("iam")
    stacks.make()
    stacks.end_of(stacks.deploy())
    before = iam.get_role(RoleName=ROLE)["Role"]
    another = json.loads(template())
    another["Resources"] = {"Another": another["Resources"]["Role"]}
    operation = _updated(stacks, json.dumps(another))
    assert stacks.end_of(operation) == "FAILED"
    reasons = [reason for status, reason in stacks.results(operation).values() if reason]
    assert "already exists" in reasons[0]
    assert iam.get_role(RoleName=ROLE)["Role"] == before


def _updated(stacks: Stacks, body: str) -> str:
    begun = stacks.client.update_stack_set(
        StackSetName=NAME,
        TemplateBody=body,
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": "the-id"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return str(begun["OperationId"])


def test_who_moves_is_deployed_to_or_taken_out(sandbox, stacks):
    account = sandbox.accounts["linked-3"]
    inner = stacks.home(account)
    stacks.make()
    stacks.end_of(stacks.deploy(inner))
    assert account in stacks.details
    move = {"AccountId": account, "SourceParentId": inner, "DestinationParentId": stacks.root}
    stacks.organizations.move_account(**move)
    try:
        wait_until(lambda: account not in stacks.details, "the account is taken out")
    finally:
        stacks.organizations.move_account(
            AccountId=account, SourceParentId=stacks.root, DestinationParentId=inner
        )
    wait_until(lambda: stacks.details.get(account) == "SUCCEEDED", "it is deployed to")


def test_lists_come_in_pages(stacks):
    stacks.make()
    operation = stacks.deploy()
    stacks.end_of(operation)
    for name, more in (
        ("list_stack_instances", {}),
        ("list_stack_set_operation_results", {"OperationId": operation}),
    ):
        pages = stacks.client.get_paginator(name).paginate(
            StackSetName=NAME, PaginationConfig={"PageSize": 1}, **more
        )
        sizes = [len(page["Summaries"]) for page in pages]
        assert len(sizes) >= 3
        assert set(sizes) == {1}
