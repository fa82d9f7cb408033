"""A snapshot brings back what the accounts, the organization and Octo held, and nothing else."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from orchestrator import cli
from orchestrator.sandbox import control
from tests.contract.sandbox.test_stacks import template as stack_template
from tests.registered import ROLE, delivery_statements, policy, trust
from tests.waiting import wait_until

BUCKET = "bucket-of-the-snapshot"
REPORT = {
    "ReportName": "report",
    "TimeUnit": "DAILY",
    "Format": "textORcsv",
    "Compression": "ZIP",
    "AdditionalSchemaElements": [],
    "S3Bucket": BUCKET,
    "S3Prefix": "pre",
    "S3Region": "us-east-1",
}


@pytest.fixture
def endpoint(sandbox) -> Iterator[str]:
    control.snapshot(sandbox.endpoint_url, "before")
    yield sandbox.endpoint_url
    control.restore(sandbox.endpoint_url, "before")


@pytest.fixture
def roles(session):
    def names(profile: str = "payer") -> set[str]:
        return {role["RoleName"] for role in session(profile).client("iam").list_roles()["Roles"]}

    return names


def test_what_was_deleted_is_back_and_what_was_added_is_gone(endpoint, session, roles):
    iam = session("payer").client("iam")
    made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust())["Role"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="own", PolicyDocument=policy("cost"))
    control.snapshot(endpoint, "with the role")
    iam.delete_role_policy(RoleName=ROLE, PolicyName="own")
    iam.delete_role(RoleName=ROLE)
    session("linked-1").client("iam").create_role(
        RoleName="Later", AssumeRolePolicyDocument=trust()
    )
    for _ in range(2):  # as often as wanted
        control.restore(endpoint, "with the role")
        assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == made["RoleId"]
        assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["own"]
        assert "Later" not in roles("linked-1")
        iam.delete_role_policy(RoleName=ROLE, PolicyName="own")
        iam.delete_role(RoleName=ROLE)


def test_objects_and_their_bucket_s_policy_and_report_are_back(endpoint, session):
    s3, cur = session("payer").client("s3"), session("payer").client("cur")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"content")
    document = {"Version": "2012-10-17", "Statement": delivery_statements(BUCKET, "111111111111")}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
    cur.put_report_definition(ReportDefinition=REPORT)
    control.snapshot(endpoint, "with the bucket")
    control.restore(endpoint, "before")
    assert cur.describe_report_definitions()["ReportDefinitions"] == []
    with pytest.raises(ClientError) as caught:
        session("standalone").client("s3").head_bucket(Bucket=BUCKET)
    assert caught.value.response["Error"]["Code"] == "404"  # nobody owns it
    control.restore(endpoint, "with the bucket")
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"content"
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) == document
    assert [answer["status"] for answer in control.deliver(endpoint)] == ["SUCCESS"]


def test_keys_are_back_with_their_policies(endpoint, session):
    kms = session("payer").client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    control.snapshot(endpoint, "with the key")
    control.restore(endpoint, "before")
    assert key not in [found["KeyId"] for found in kms.list_keys()["Keys"]]
    control.restore(endpoint, "with the key")
    assert "Statement" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]


def test_the_organization_and_its_stack_sets_go_back_in_time(endpoint, session):
    payer = session("payer")
    organizations, cloudformation = payer.client("organizations"), payer.client("cloudformation")
    cloudformation.activate_organizations_access()
    cloudformation.create_stack_set(
        StackSetName="set",
        TemplateBody=json.dumps(
            {
                "Resources": {
                    "Role": {
                        "Type": "AWS::IAM::Role",
                        "Properties": {
                            "RoleName": ROLE,
                            "AssumeRolePolicyDocument": json.loads(trust()),
                        },
                    }
                }
            }
        ),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
    )
    root = organizations.list_roots()["Roots"][0]["Id"]
    cloudformation.create_stack_instances(
        StackSetName="set",
        DeploymentTargets={"OrganizationalUnitIds": [root]},
        Regions=["us-east-1"],
    )

    def state() -> tuple[set[str], dict[str, str]]:
        instances = cloudformation.list_stack_instances(StackSetName="set")["Summaries"]
        return (
            {account["Id"] for account in organizations.list_accounts()["Accounts"]},
            {instance["Account"]: instance["Status"] for instance in instances},
        )

    before = state()
    control.snapshot(endpoint, "with the set")
    organizations.create_account(AccountName="newcomer", Email="newcomer@example.com")
    assert len(state()[0]) == len(before[0]) + 1
    control.restore(endpoint, "with the set")
    assert state() == before
    made = organizations.create_account(AccountName="another", Email="another@example.com")
    account_id = organizations.describe_create_account_status(
        CreateAccountRequestId=made["CreateAccountStatus"]["Id"]
    )["CreateAccountStatus"]["AccountId"]
    assert account_id in state()[1]  # it deploys on


def test_what_octo_knows_goes_back_too(endpoint, sandbox):
    control.snapshot(endpoint, "without tokens")
    sandbox.octo.issue("octo-sandbox")
    control.restore(endpoint, "without tokens")
    assert sandbox.octo.tokens == {}


def test_faults_are_removed(endpoint):
    control.snapshot(endpoint, "calm")
    control.add_fault(endpoint, {"service": "iam", "error": "AccessDenied"})
    control.restore(endpoint, "calm")
    assert control.faults(endpoint) == []


def test_the_command_line_takes_and_restores_them(endpoint, session, roles, capsys):
    assert cli.run(["sandbox", "snapshot", "by command"]) == 0
    session("payer").client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust())
    assert cli.run(["sandbox", "restore", "by command"]) == 0
    assert ROLE not in roles()
    assert cli.run(["sandbox", "restore", "nowhere"]) == 64
    assert "no snapshot is called nowhere; there are:" in capsys.readouterr().err


def test_an_unknown_name_is_refused_and_changes_nothing(endpoint, session, roles):
    session("payer").client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust())
    with pytest.raises(urllib.error.HTTPError) as caught:
        control.restore(endpoint, "nowhere")
    assert "no snapshot is called nowhere" in caught.value.read().decode()
    assert ROLE in roles()


def test_a_stack_must_not_be_changing(endpoint, session):
    control.pace(endpoint, 600)
    session("payer").client("cloudformation").create_stack(
        StackName="slow",
        TemplateBody=stack_template(),
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": "right-id"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        control.snapshot(endpoint, "too early")
    assert "a stack is being changed" in caught.value.read().decode()


def test_a_report_that_was_not_delivered_yet_is_delivered_after_a_restore(
    endpoint, sandbox, session, monkeypatch
):
    monkeypatch.setattr(sandbox.state, "delivery", "auto")
    s3, cur = session("payer").client("s3"), session("payer").client("cur")
    statements = delivery_statements(BUCKET, "111111111111")
    s3.create_bucket(Bucket=BUCKET)
    document = {"Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
    cur.put_report_definition(ReportDefinition=REPORT)
    control.snapshot(endpoint, "at once")
    control.restore(endpoint, "at once")
    wait_for_delivery(cur)


def wait_for_delivery(cur) -> None:
    def delivered() -> bool:
        (report,) = cur.describe_report_definitions()["ReportDefinitions"]
        return report.get("ReportStatus", {}).get("lastStatus") == "SUCCESS"

    wait_until(delivered, "the report is delivered")
