"""Service and resource control policies bind member accounts, at their place in the tree."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from orchestrator.sandbox import control

DENY_ROLES = {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def restored(sandbox) -> Iterator[None]:
    """The sandbox as it was, after the test."""
    control.snapshot(sandbox.endpoint_url, "before")
    yield
    control.restore(sandbox.endpoint_url, "before")


@pytest.fixture
def organizations(session, restored):
    return session("payer").client("organizations")


@pytest.fixture
def control_policy(organizations) -> Callable[[str, dict, str], None]:
    """Makes a policy of a type and attaches it to a place."""
    root = organizations.list_roots()["Roots"][0]["Id"]

    def make(kind: str, statement: dict, target: str = "") -> None:
        organizations.enable_policy_type(RootId=root, PolicyType=kind)
        made = organizations.create_policy(
            Content=document(statement), Description="d", Name="limit", Type=kind
        )
        organizations.attach_policy(
            PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=target or root
        )

    return make


def error(call, **arguments) -> dict:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def create_role(session, profile: str, name: str = "limited") -> None:
    session(profile).client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=document(TRUST)
    )


def test_a_policy_at_the_root_denies_in_members_and_names_itself(
    session, organizations, control_policy
):
    control_policy("SERVICE_CONTROL_POLICY", DENY_ROLES)
    denied = error(create_role, session=session, profile="linked-1")
    assert denied["Code"] == "AccessDenied"
    (limit,) = (
        policy["Arn"]
        for policy in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        if policy["Name"] == "limit"
    )
    assert denied["Message"].endswith(f"with an explicit deny in a service control policy: {limit}")


def test_the_management_account_is_never_bound(session, control_policy):
    control_policy("SERVICE_CONTROL_POLICY", DENY_ROLES)
    create_role(session, "payer")


def test_a_policy_binds_only_the_accounts_under_its_place(sandbox, session, control_policy):
    control_policy("SERVICE_CONTROL_POLICY", DENY_ROLES, sandbox.accounts["linked-2"])
    create_role(session, "linked-1")
    assert error(create_role, session=session, profile="linked-2")["Code"] == "AccessDenied"


def test_without_the_default_policy_nothing_is_allowed_below(
    sandbox, session, organizations, control_policy
):
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    control_policy("SERVICE_CONTROL_POLICY", allow, sandbox.accounts["linked-1"])
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=sandbox.accounts["linked-1"])
    session("linked-1").client("s3").list_buckets()
    denied = error(session("linked-1").client("iam").list_roles)
    assert "because no service control policy allows" in denied["Message"]


def test_a_resource_policy_binds_the_buckets_of_members(session, control_policy):
    own = session("linked-1").client("s3")
    own.create_bucket(Bucket="limited-bucket")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetBucketAcl", "Resource": "*"}
    control_policy("RESOURCE_CONTROL_POLICY", deny)
    denied = error(own.get_bucket_acl, Bucket="limited-bucket")
    assert "with an explicit deny in a resource control policy: arn:" in denied["Message"]


def test_the_simulation_says_what_the_organization_allows(sandbox, session, control_policy):
    control_policy("SERVICE_CONTROL_POLICY", DENY_ROLES)
    arn = f"arn:aws:iam::{sandbox.accounts['linked-1']}:user/administrator"
    results = (
        session("linked-1")
        .client("iam")
        .simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["iam:CreateRole", "iam:GetRole"]
        )["EvaluationResults"]
    )
    said = {
        r["EvalActionName"]: (
            r["EvalDecision"],
            r["OrganizationsDecisionDetail"]["AllowedByOrganizations"],
        )
        for r in results
    }
    assert said == {"iam:CreateRole": ("explicitDeny", False), "iam:GetRole": ("allowed", True)}


@pytest.fixture
def stack_set(session, organizations):
    """A stack set that makes a role in every account of the organization; its client."""
    client = session("payer").client("cloudformation")
    client.activate_organizations_access()
    role = {"RoleName": "of-the-set", "AssumeRolePolicyDocument": json.loads(document(TRUST))}
    client.create_stack_set(
        StackSetName="limited",
        TemplateBody=json.dumps(
            {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": role}}}
        ),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
    )
    return client


def deploy(client, organizations) -> dict[str, tuple[str, str]]:
    """Deploy to the root; each account's detailed status and reason."""
    root = organizations.list_roots()["Roots"][0]["Id"]
    client.create_stack_instances(
        StackSetName="limited",
        DeploymentTargets={"OrganizationalUnitIds": [root]},
        Regions=["us-east-1"],
        OperationPreferences={"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100},
    )
    return listed(client)


def listed(client) -> dict[str, tuple[str, str]]:
    instances = client.list_stack_instances(StackSetName="limited")["Summaries"]
    return {
        i["Account"]: (i["StackInstanceStatus"]["DetailedStatus"], i.get("StatusReason", ""))
        for i in instances
    }


def test_it_binds_what_stack_sets_make_and_the_failed_stack_can_be_read(
    sandbox, session, organizations, control_policy, stack_set
):
    limited = sandbox.accounts["linked-2"]
    own = session("linked-2").client("cloudformation")
    before = {stack["StackId"] for stack in own.list_stacks()["StackSummaries"]}
    control_policy("SERVICE_CONTROL_POLICY", DENY_ROLES, limited)
    found = deploy(stack_set, organizations)
    assert found[limited][0] == "FAILED"
    assert "explicit deny in a service control policy" in found[limited][1]
    assert found[sandbox.accounts["linked-1"]][0] == "SUCCEEDED"
    (left,) = (s for s in own.list_stacks()["StackSummaries"] if s["StackId"] not in before)
    assert left["StackStatus"] == "DELETE_COMPLETE"
    events = own.describe_stack_events(StackName=left["StackId"])["StackEvents"]
    assert any(event["ResourceStatus"] == "CREATE_FAILED" for event in events)


def test_an_instance_reports_the_target_that_it_was_deployed_to(organizations, stack_set):
    deploy(stack_set, organizations)
    root = organizations.list_roots()["Roots"][0]["Id"]
    instances = stack_set.list_stack_instances(StackSetName="limited")["Summaries"]
    assert {i["OrganizationalUnitId"] for i in instances} == {root}


def test_automatic_deployment_tolerates_no_failure(
    sandbox, organizations, control_policy, stack_set
):
    deploy(stack_set, organizations)
    control_policy("SERVICE_CONTROL_POLICY", DENY_ROLES)
    control.pace(sandbox.endpoint_url, 600)
    for name in ("first", "second"):
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")
    control.pace(sandbox.endpoint_url, 0)  # both are made, and deployed to, by the next call
    states = sorted(status for status, _ in listed(stack_set).values())
    assert states.count("FAILED") == 1
    assert states.count("CANCELLED") == 1


def test_an_account_is_in_progress_first_and_an_address_is_used_once(organizations):
    begun = organizations.create_account(AccountName="a", Email="a@example.com")
    status = begun["CreateAccountStatus"]
    assert (status["State"], "AccountId" in status) == ("IN_PROGRESS", False)
    assert describe(organizations, status)["State"] == "SUCCEEDED"
    second = organizations.create_account(AccountName="b", Email="a@example.com")
    assert describe(organizations, second["CreateAccountStatus"])["FailureReason"] == (
        "EMAIL_ALREADY_EXISTS"
    )


def describe(organizations, status: dict) -> dict:
    time.sleep(0.01)
    return organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])[
        "CreateAccountStatus"
    ]


def test_a_delegated_administrator_reads_the_organization_and_works_on_its_stack_sets(
    sandbox, session, organizations, stack_set
):
    member = session("linked-1")
    own = member.client("cloudformation")
    refused = error(own.list_stack_sets, CallAs="DELEGATED_ADMIN")
    assert refused["Message"] == "Account used is not a delegated administrator"
    organizations.register_delegated_administrator(
        AccountId=sandbox.accounts["linked-1"],
        ServicePrincipal="member.org.stacksets.cloudformation.amazonaws.com",
    )
    (listed_set,) = own.list_stack_sets(CallAs="DELEGATED_ADMIN")["Summaries"]
    assert listed_set["StackSetName"] == "limited"
    assert len(member.client("organizations").list_accounts()["Accounts"]) == 5
