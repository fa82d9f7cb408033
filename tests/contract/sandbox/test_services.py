"""The sandbox answers boto3 as AWS would, in this flow and where it says no."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator.sandbox import control
from tests.waiting import wait_until

OCTO = "131920598436"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OCTO}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "right-id"}},
        }
    ],
}


def code(call, **arguments) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def role(session):
    """Makes roles in a profile's account, and removes them."""
    made = []

    def make(profile: str, name: str, trust: dict = TRUST, **policies: dict) -> str:
        iam = session(profile).client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"][
            "Arn"
        ]
        made.append((iam, name, policies))
        for policy, document in policies.items():
            iam.put_role_policy(
                RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document)
            )
        return arn

    yield make
    for iam, name, policies in made:
        for policy in policies:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


@pytest.fixture
def bucket(session):
    """Makes buckets in a profile's account, and removes them with what is in them."""
    made = []

    def make(profile: str, name: str, region: str = "us-east-1") -> str:
        s3 = session(profile).client("s3", region_name=region)
        where = {} if region == "us-east-1" else {"LocationConstraint": region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        made.append((s3, name))
        return name

    yield make
    for s3, name in made:
        for entry in s3.list_objects_v2(Bucket=name).get("Contents", []):
            s3.delete_object(Bucket=name, Key=entry["Key"])
        s3.delete_bucket(Bucket=name)


def delivery_policy(bucket: str, account_id: str, **changes) -> dict:
    condition = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cur:us-east-1:{account_id}:definition/*"},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "billingreports.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": condition,
        **changes,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def report(bucket: str, name: str = "report", **changes) -> dict:
    return {
        "ReportName": name,
        "TimeUnit": "HOURLY",
        "Format": "textORcsv",
        "Compression": "GZIP",
        "AdditionalSchemaElements": ["RESOURCES"],
        "S3Bucket": bucket,
        "S3Prefix": "pre",
        "S3Region": "us-east-1",
        "ReportVersioning": "OVERWRITE_REPORT",
        **changes,
    }


# Identity


@pytest.mark.parametrize("profile", ["payer", "linked-1", "standalone", "octo"])
def test_each_profile_is_its_own_account(sandbox, session, profile):
    identity = session(profile).client("sts").get_caller_identity()
    assert identity["Account"] == sandbox.accounts[profile]
    assert identity["Arn"].endswith(":user/administrator")


def test_accounts_are_the_same_on_every_start(sandbox):
    assert sandbox.accounts["payer"] == "111111111111"
    assert sandbox.accounts["octo"] == OCTO
    assert len(set(sandbox.accounts.values())) == len(sandbox.accounts)


def test_nobodys_key_is_refused(sandbox):
    stranger = boto3.Session(aws_access_key_id="AKIAXXXXXXXXXXXXXXXX", aws_secret_access_key="x")
    sts = stranger.client("sts", region_name="us-east-1")
    assert code(sts.get_caller_identity) == "InvalidClientTokenId"
    assert code(stranger.client("s3", region_name="us-east-1").list_buckets) == "InvalidAccessKeyId"


# Organizations


def test_members_see_the_organization_but_not_its_accounts(session):
    member = session("linked-1").client("organizations")
    organization = member.describe_organization()["Organization"]
    assert organization["MasterAccountId"] == "111111111111"
    assert organization["FeatureSet"] == "ALL"
    assert code(member.list_accounts) == "AccessDeniedException"


def test_a_standalone_account_is_in_no_organization(session):
    client = session("standalone").client("organizations")
    assert code(client.describe_organization) == "AWSOrganizationsNotInUseException"


def test_organizational_units_are_two_levels_deep(session):
    client = session("payer").client("organizations")
    (root,) = client.list_roots()["Roots"]
    outer = client.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
    inner = [
        unit
        for parent in outer
        for unit in client.list_organizational_units_for_parent(ParentId=parent["Id"])[
            "OrganizationalUnits"
        ]
    ]
    assert len(outer) >= 2
    assert len(inner) >= 2


# AssumeRole


def assume(session, arn: str, **arguments):
    return session.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", **arguments)


def test_the_right_external_id_gets_in_and_becomes_the_role(session, role):
    arn = role("linked-1", "Trusting")
    credentials = assume(session("octo"), arn, ExternalId="right-id")["Credentials"]
    inside = boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
    )
    assert (
        inside.client("sts", region_name="us-east-1")
        .get_caller_identity()["Arn"]
        .endswith(":assumed-role/Trusting/test")
    )


@pytest.mark.parametrize("arguments", [{}, {"ExternalId": "wrong-id"}])
def test_a_missing_and_a_wrong_external_id_are_denied(session, role, arguments):
    arn = role("linked-1", "Trusting")
    assert code(assume, session=session("octo"), arn=arn, **arguments) == "AccessDenied"


def test_a_session_is_no_longer_than_the_role_allows(session, role):
    octo, arn = session("octo"), role("linked-1", "Trusting")
    wanted = {"session": octo, "arn": arn, "ExternalId": "right-id"}
    assert code(assume, **wanted, DurationSeconds=7200) == "ValidationError"
    session("linked-1").client("iam").update_role(RoleName="Trusting", MaxSessionDuration=7200)
    assert assume(**wanted, DurationSeconds=7200)["Credentials"]


def test_a_longer_session_leaves_the_description_alone(session, role):
    role("linked-1", "Trusting")
    iam = session("linked-1").client("iam")
    iam.update_role(RoleName="Trusting", Description="trusting")
    iam.update_role(RoleName="Trusting", MaxSessionDuration=7200)
    found = iam.get_role(RoleName="Trusting")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("trusting", 7200)


def test_another_account_is_denied_even_with_the_right_id(session, role):
    arn = role("linked-1", "Trusting")
    stranger = session("standalone")
    assert code(assume, session=stranger, arn=arn, ExternalId="right-id") == "AccessDenied"


def test_the_roles_own_account_is_denied_what_its_trust_does_not_say(session, role):
    arn = role("linked-1", "Trusting")
    own = session("linked-1")
    assert code(assume, session=own, arn=arn, ExternalId="right-id") == "AccessDenied"


def test_a_role_that_is_not_there_is_denied_like_any_other(session):
    arn = "arn:aws:iam::111111111111:role/Nowhere"
    assert code(assume, session=session("octo"), arn=arn) == "AccessDenied"


def test_an_assumed_role_may_do_what_its_policies_say_and_no_more(session, role):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}],
    }
    arn = role("linked-1", "Reader", read=policy)
    credentials = assume(session("octo"), arn, ExternalId="right-id")["Credentials"]
    inside = boto3.Session(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
        region_name="us-east-1",
    )
    assert "Reader" in [r["RoleName"] for r in inside.client("iam").list_roles()["Roles"]]
    with pytest.raises(ClientError, match="not authorized to perform: iam:ListUsers"):
        inside.client("iam").list_users()


# IAM


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "13192059843"},
        {"AWS": "arn:iam::131920598436:root"},
        {"AWS": "arn:aws:iam::111111111111:role/Nowhere"},
        {"Service": "billing"},
    ],
)
def test_a_principal_that_cannot_be_is_refused(session, principal):
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    iam = session("payer").client("iam")
    arguments = {"RoleName": "Wrong", "AssumeRolePolicyDocument": json.dumps(trust)}
    assert code(iam.create_role, **arguments) == "MalformedPolicyDocument"


def test_simulation_tells_each_action_and_goes_through_pages(session, role):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ce:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "ce:Delete*", "Resource": "*"},
        ],
    }
    arn = role("payer", "Simulated", policy=policy)
    pages = (
        session("payer")
        .client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=arn,
            ActionNames=["ce:GetTags", "ce:DeleteAnomalyMonitor", "ec2:DescribeInstances"],
            PaginationConfig={"PageSize": 1},
        )
    )
    decisions = {
        r["EvalActionName"]: r["EvalDecision"] for p in pages for r in p["EvaluationResults"]
    }
    assert decisions == {
        "ce:GetTags": "allowed",
        "ce:DeleteAnomalyMonitor": "explicitDeny",
        "ec2:DescribeInstances": "implicitDeny",
    }


def test_a_permissions_boundary_bounds(session, role):
    allow_all = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    arn = role("payer", "Bounded", all=allow_all)
    iam = session("payer").client("iam")
    narrow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ce:*", "Resource": "*"}],
    }
    boundary = iam.create_policy(PolicyName="Narrow", PolicyDocument=json.dumps(narrow))["Policy"][
        "Arn"
    ]
    iam.put_role_permissions_boundary(RoleName="Bounded", PermissionsBoundary=boundary)
    (result,) = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["ec2:DescribeInstances"]
    )["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    iam.delete_role_permissions_boundary(RoleName="Bounded")
    iam.delete_policy(PolicyArn=boundary)


# S3


def test_bucket_names_are_global(session, bucket):
    bucket("payer", "taken-by-the-payer")
    other = session("standalone").client("s3")
    assert code(other.create_bucket, Bucket="taken-by-the-payer") == "BucketAlreadyExists"


def test_another_accounts_bucket_stays_closed(session, bucket):
    bucket("payer", "the-payers-own")
    other = session("standalone").client("s3")
    assert code(other.list_objects_v2, Bucket="the-payers-own") == "AccessDenied"


def test_an_expected_owner_must_be_the_owner(session, bucket):
    bucket("payer", "the-payers-own")
    s3 = session("payer").client("s3")
    arguments = {"Bucket": "the-payers-own", "ExpectedBucketOwner": "222222222222"}
    assert code(s3.get_bucket_location, **arguments) == "AccessDenied"


@pytest.mark.parametrize(
    "policy",
    ["nonsense", {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}],
)
def test_a_bucket_policy_that_is_none_is_refused(session, bucket, policy):
    bucket("payer", "policy-bucket")
    s3 = session("payer").client("s3")
    text = policy if isinstance(policy, str) else json.dumps(policy)
    assert code(s3.put_bucket_policy, Bucket="policy-bucket", Policy=text) == "MalformedPolicy"
    assert code(s3.get_bucket_policy, Bucket="policy-bucket") == "NoSuchBucketPolicy"


# CUR and delivery


@pytest.fixture
def ready(session, bucket):
    """A bucket that the billing service may deliver to, and a clean list of reports."""
    name = bucket("payer", "cur-contract")
    s3, cur = session("payer").client("s3"), session("payer").client("cur")
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(delivery_policy(name, "111111111111")))
    yield name, cur, s3
    for found in cur.describe_report_definitions()["ReportDefinitions"]:
        cur.delete_report_definition(ReportName=found["ReportName"])


def test_a_report_is_kept_as_it_was_put(ready):
    name, cur, _ = ready
    cur.put_report_definition(ReportDefinition=report(name), Tags=[{"Key": "a", "Value": "1"}])
    (found,) = cur.describe_report_definitions()["ReportDefinitions"]
    assert {**report(name), "ReportStatus": {}} == found
    cur.tag_resource(ReportName="report", Tags=[{"Key": "b", "Value": "2"}])
    cur.untag_resource(ReportName="report", TagKeys=["a"])
    assert cur.list_tags_for_resource(ReportName="report")["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ReportName": "with space"}, "ValidationException"),
        ({"S3Prefix": "with space"}, "ValidationException"),
        ({"Format": "Parquet"}, "ValidationException"),
        ({"AdditionalArtifacts": ["ATHENA"]}, "ValidationException"),
        ({"S3Bucket": "nobodys-bucket"}, "ValidationException"),
        ({"S3Region": "eu-west-1"}, "ValidationException"),
    ],
)
def test_a_report_that_aws_would_refuse_is_refused(ready, changes, expected):
    name, cur, _ = ready
    definition = report(name, **{k: v for k, v in changes.items() if k != "ReportName"})
    definition["ReportName"] = changes.get("ReportName", "report")
    assert code(cur.put_report_definition, ReportDefinition=definition) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy"]},
        {"Action": ["s3:PutObject"]},
        {"Principal": {"Service": "bcm-data-exports.amazonaws.com"}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "222222222222"}}},
    ],
)
def test_a_bucket_that_does_not_let_the_billing_service_in_is_refused(ready, changes):
    name, cur, s3 = ready
    policy = delivery_policy(name, "111111111111", **changes)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    assert code(cur.put_report_definition, ReportDefinition=report(name)) == "ValidationException"


def test_a_second_report_of_one_name_and_a_sixth_one_are_refused(ready):
    name, cur, _ = ready
    for number in range(5):
        cur.put_report_definition(ReportDefinition=report(name, f"report-{number}"))
    again = report(name, "report-0")
    assert code(cur.put_report_definition, ReportDefinition=again) == "DuplicateReportNameException"
    sixth = report(name, "report-5")
    assert code(cur.put_report_definition, ReportDefinition=sixth) == "ReportLimitReachedException"
    assert len(cur.describe_report_definitions(MaxResults=5)["ReportDefinitions"]) == 5


def test_what_a_report_is_made_of_cannot_be_modified(ready):
    name, cur, _ = ready
    cur.put_report_definition(ReportDefinition=report(name))
    cur.modify_report_definition(
        ReportName="report", ReportDefinition=report(name, S3Prefix="other")
    )
    fixed = report(name, TimeUnit="DAILY")
    assert (
        code(cur.modify_report_definition, ReportName="report", ReportDefinition=fixed)
        == "ValidationException"
    )


def test_cur_is_not_to_be_had_in_other_regions(sandbox, session):
    cur = session("payer").client("cur", region_name="eu-west-1")
    assert code(cur.describe_report_definitions) == "UnknownEndpoint"


def test_a_delivery_writes_a_complete_report_and_says_so(sandbox, ready):
    name, cur, s3 = ready
    cur.put_report_definition(ReportDefinition=report(name))
    (done,) = control.deliver(sandbox.endpoint_url)
    assert done["status"] == "SUCCESS"
    keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]}
    (manifest_key,) = (key for key in keys if key.endswith("/report-Manifest.json"))
    manifest = json.loads(s3.get_object(Bucket=name, Key=manifest_key)["Body"].read())
    assert "aws-programmatic-access-test-object" in keys
    assert manifest_key.startswith("pre/report/")
    assert set(manifest["reportKeys"]) <= keys
    (found,) = cur.describe_report_definitions()["ReportDefinitions"]
    assert found["ReportStatus"]["lastStatus"] == "SUCCESS"


def test_a_delivery_that_the_policy_forbids_is_an_error_and_writes_nothing(sandbox, ready):
    name, cur, s3 = ready
    cur.put_report_definition(ReportDefinition=report(name))
    s3.delete_bucket_policy(Bucket=name)
    (done,) = control.deliver(sandbox.endpoint_url)
    assert done["status"] == "ERROR_PERMISSIONS"
    assert "Contents" not in s3.list_objects_v2(Bucket=name)
    (found,) = cur.describe_report_definitions()["ReportDefinitions"]
    assert found["ReportStatus"] == {"lastStatus": "ERROR_PERMISSIONS"}


def test_automatic_delivery_needs_nobody(sandbox, ready, monkeypatch):
    name, cur, _ = ready
    monkeypatch.setattr(sandbox.state, "delivery", "auto")
    cur.put_report_definition(ReportDefinition=report(name))

    def delivered() -> bool:
        (found,) = cur.describe_report_definitions()["ReportDefinitions"]
        return found["ReportStatus"].get("lastStatus") == "SUCCESS"

    wait_until(delivered, "the report is delivered")


# What is not known


@pytest.mark.parametrize(
    ("service", "operation", "noted"),
    [
        ("freetier", "get_account_plan_state", "freetier:GetAccountPlanState"),
        ("account", "get_primary_email_update_status", "account:GetPrimaryEmailUpdateStatus"),
        ("health", "describe_tags_onboarding_status", "health:DescribeTagsOnboardingStatus"),
        ("efs", "describe_account_preferences", "efs:DescribeAccountPreferences"),
        ("pricing", "describe_services", "pricing:DescribeServices"),  # it lists what AWS offers
        ("route53", "get_geo_location", "route53:GetGeoLocation"),  # its answers are XML
        ("sesv2", "list_contact_lists", "ses:GET /v2/email/contact-lists"),  # signs as SES does
    ],
)
def test_an_unknown_call_is_refused_at_once_and_noted_by_name(
    sandbox, session, service, operation, noted
):
    before = control.state(sandbox.endpoint_url)["unknown_calls"].get(noted, 0)
    client = session("payer").client(service)
    assert code(getattr(client, operation)) == "UnknownOperationException"
    after = control.state(sandbox.endpoint_url)["unknown_calls"][noted]
    assert after - before == 1  # the SDK does not ask again


@pytest.mark.parametrize(
    ("service", "operation", "member"),
    [
        ("accessanalyzer", "list_analyzers", "analyzers"),
        ("ec2", "describe_reserved_instances", "ReservedInstances"),
        ("elb", "describe_load_balancers", "LoadBalancerDescriptions"),
        ("elbv2", "describe_load_balancers", "LoadBalancers"),
        ("health", "describe_events", "events"),
        ("route53", "list_cidr_collections", "CidrCollections"),
        ("savingsplans", "describe_savings_plans", "savingsPlans"),
        ("stepfunctions", "list_state_machines", "stateMachines"),
    ],
)
def test_a_list_of_resources_is_empty_in_a_service_that_is_not_simulated(
    session, service, operation, member
):
    assert getattr(session("payer").client(service), operation)()[member] == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("elasticache", "describe_cache_engine_versions"),
        ("kafka", "list_kafka_versions"),
        ("lightsail", "get_bundles"),
        ("securityhub", "list_connectors"),
    ],
)
def test_a_list_of_what_aws_itself_offers_is_refused_as_unknown(session, service, operation):
    with pytest.raises(ClientError, match="does not know"):
        getattr(session("payer").client(service), operation)()


def test_an_unknown_call_about_one_resource_is_not_answered_with_an_empty_list(session):
    client = session("payer").client("ec2")
    with pytest.raises(ClientError, match="does not know"):
        client.describe_reserved_instances(ReservedInstancesIds=["a"])
