"""Plain stacks as CloudFormation makes, changes, shows and deletes them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.sandbox import control
from tests.waiting import wait_until

BUCKET = "stack-bucket-of-tests"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::131920598436:root"}},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
        }
    ],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ce:GetTags", "Resource": "*"}],
}


def resource(type_: str, properties: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties, **attributes}


def role(name: str = "StackRole", **properties: Any) -> dict[str, Any]:
    document = {"PolicyName": "reads", "PolicyDocument": READ}
    policies = {"AssumeRolePolicyDocument": TRUST, "Policies": [document]}
    return resource("AWS::IAM::Role", {"RoleName": name, **policies, **properties})


def template(resources: dict[str, Any] | None = None, **sections: Any) -> str:
    parameters = {
        "ExternalId": {"Type": "String", "AllowedPattern": "[a-z-]+", "MinLength": 2},
        "Size": {"Type": "String", "Default": "small", "AllowedValues": ["small", "large"]},
    }
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A stack of tests.",
        "Parameters": {**parameters, **sections.pop("Parameters", {})},
        "Resources": resources or {"Role": role()},
        **sections,
    }
    return json.dumps(document)


class Stacks:
    """The stacks of one account and region."""

    def __init__(self, session: Any, region: str = "us-east-1") -> None:
        self.session = session
        self.client = session.client("cloudformation", region_name=region)

    def create(self, name: str = "stack", body: str = "", **settings: Any) -> str:
        self.client.create_stack(
            StackName=name,
            **({"TemplateBody": body or template()} if "TemplateURL" not in settings else {}),
            Capabilities=settings.pop("Capabilities", ["CAPABILITY_NAMED_IAM"]),
            Parameters=parameters(**settings.pop("Parameters", {"ExternalId": "right-id"})),
            **settings,
        )
        return self.status(name)

    def update(self, body: str, name: str = "stack", **settings: Any) -> str:
        self.client.update_stack(
            StackName=name,
            TemplateBody=body,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=parameters(**settings.pop("Parameters", {"ExternalId": "right-id"})),
            **settings,
        )
        return self.status(name)

    def describe(self, name: str = "stack") -> dict[str, Any]:
        return self.client.describe_stacks(StackName=name)["Stacks"][0]

    def status(self, name: str = "stack") -> str:
        return self.describe(name)["StackStatus"]

    def reasons(self, name: str = "stack") -> list[str]:
        """Why resources failed, the first failure first."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [e for e in reversed(events) if e["ResourceStatus"].endswith("_FAILED")]
        return [event["ResourceStatusReason"] for event in failed]

    def refused(self, call: Any, *arguments: Any, **settings: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            call(*arguments, **settings)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    def roles(self) -> set[str]:
        return {r["RoleName"] for r in self.session.client("iam").list_roles()["Roles"]}


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


@pytest.fixture
def stacks(session) -> Iterator[Stacks]:
    made = Stacks(session("standalone"))
    yield made
    clear(made.session)


def clear(session: Any) -> None:
    """Nothing of a test stays: stacks, and what they have retained."""
    for region in ("us-east-1", "eu-central-1"):
        client = session.client("cloudformation", region_name=region)
        for stack in client.describe_stacks()["Stacks"]:
            client.delete_stack(StackName=stack["StackName"])
    iam, s3, cur = session.client("iam"), session.client("s3"), session.client("cur")
    for found in iam.list_roles()["Roles"]:
        if found["RoleName"].startswith("Stack"):
            for policy in iam.list_role_policies(RoleName=found["RoleName"])["PolicyNames"]:
                iam.delete_role_policy(RoleName=found["RoleName"], PolicyName=policy)
            iam.delete_role(RoleName=found["RoleName"])
    for report in cur.describe_report_definitions()["ReportDefinitions"]:
        cur.delete_report_definition(ReportName=report["ReportName"])
    for bucket in s3.list_buckets()["Buckets"]:
        for entry in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", []):
            version = {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            s3.delete_object(Bucket=bucket["Name"], **version)
        s3.delete_bucket(Bucket=bucket["Name"])


# Create


def test_a_stack_makes_a_role_that_trusts_as_its_parameters_say(stacks, session):
    assert stacks.create() == "CREATE_COMPLETE"
    made = stacks.session.client("iam").get_role(RoleName="StackRole")["Role"]
    statement = made["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == "right-id"
    sts = session("octo").client("sts")
    settings = {"RoleArn": made["Arn"], "RoleSessionName": "session"}
    assert sts.assume_role(**settings, ExternalId="right-id")["Credentials"]
    assert stacks.refused(sts.assume_role, **settings, ExternalId="wrong")[0] == "AccessDenied"


def test_inline_policies_are_json(stacks):
    stacks.create()
    iam = stacks.session.client("iam")
    found = iam.get_role_policy(RoleName="StackRole", PolicyName="reads")
    assert found["PolicyDocument"] == READ


def test_without_the_capability_nothing_is_made(stacks):
    for acknowledged in ([], ["CAPABILITY_IAM"]):
        code, message = stacks.refused(stacks.create, Capabilities=acknowledged)
        assert code == "InsufficientCapabilitiesException"
        assert message == "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    assert stacks.client.describe_stacks()["Stacks"] == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Parameters: [ExternalId] must have values"),
        ({"ExternalId": "right", "Other": "x"}, "Parameters: [Other] do not exist in the template"),
        ({"externalid": "right"}, "Parameters: [externalid] do not exist in the template"),
        ({"ExternalId": "WRONG"}, "Parameter 'ExternalId' must match pattern [a-z-]+"),
        ({"ExternalId": "a"}, "Parameter 'ExternalId' must contain at least 2 characters"),
        (
            {"ExternalId": "right", "Size": "huge"},
            "Parameter 'Size' must be one of AllowedValues",
        ),
    ],
)
def test_parameters_are_checked(stacks, given, says):
    code, message = stacks.refused(stacks.create, Parameters=given)
    assert (code, message) == ("ValidationError", says)


def test_a_name_that_is_taken_is_refused(stacks):
    stacks.create()
    assert stacks.refused(stacks.create)[0] == "AlreadyExistsException"


def test_a_role_that_exists_rolls_the_stack_back_with_the_reason(stacks):
    stacks.session.client("iam").create_role(
        RoleName="StackRole",
        AssumeRolePolicyDocument=json.dumps(TRUST)
        .replace('{"Fn::Sub": "arn:${AWS::Partition}:iam::131920598436:root"}', '"131920598436"')
        .replace('{"Ref": "ExternalId"}', '"x"'),
    )
    assert stacks.create() == "ROLLBACK_COMPLETE"
    (reason,) = stacks.reasons()
    assert "Resource of type 'AWS::IAM::Role' with identifier 'StackRole' already exists" in reason
    assert "AlreadyExists" in reason
    assert "StackRole" in stacks.roles()  # it was not the stack's
    code, message = stacks.refused(stacks.update, template())
    assert (code, "is in ROLLBACK_COMPLETE state and can not be updated" in message) == (
        "ValidationError",
        True,
    )


def test_what_was_made_before_a_failure_is_taken_back(stacks):
    body = template(
        {
            "Bucket": resource("AWS::S3::Bucket", {"BucketName": BUCKET}),
            "Role": {**role(Nonsense=True), "DependsOn": "Bucket"},
        }
    )
    assert stacks.create(body=body) == "ROLLBACK_COMPLETE"
    assert "extraneous key [Nonsense]" in stacks.reasons()[0]
    assert stacks.session.client("s3").list_buckets()["Buckets"] == []


def test_unknown_types_and_references_are_refused(stacks):
    strange = template({"Role": resource("AWS::Strange::Thing", {})})
    assert (
        "Unrecognized resource types: [AWS::Strange::Thing]"
        in stacks.refused(stacks.create, body=strange)[1]
    )
    dangling = template({"Role": role(Description={"Ref": "Nothing"})})
    assert (
        "Unresolved resource dependencies [Nothing]"
        in stacks.refused(stacks.create, body=dangling)[1]
    )


def test_a_caller_without_permission_makes_nothing(stacks, user):
    weak = Stacks(user("standalone", "cloudformation:*"))
    assert weak.create() == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform: iam:GetRole" in weak.reasons()[0]


def test_conditions_choose_resources_and_no_value_takes_a_property_away(stacks):
    body = template(
        {
            "Role": role(Description={"Fn::If": ["Large", "large", {"Ref": "AWS::NoValue"}]}),
            "Second": {**role("StackSecond"), "Condition": "Large"},
        },
        Conditions={"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    )
    stacks.create(body=body)
    assert "StackSecond" not in stacks.roles()
    (output,) = stacks.describe()["Outputs"]
    assert output["OutputValue"].endswith(":role/StackRole")
    assert stacks.update(body, Parameters={"ExternalId": "right-id", "Size": "large"}) == (
        "UPDATE_COMPLETE"
    )
    assert "StackSecond" in stacks.roles()


def test_rules_refuse_combinations_of_parameters(stacks):
    body = template(
        Rules={
            "Small": {
                "Assertions": [
                    {
                        "Assert": {"Fn::Equals": [{"Ref": "Size"}, "small"]},
                        "AssertDescription": "Only small ones.",
                    }
                ]
            }
        }
    )
    given = {"ExternalId": "right-id", "Size": "large"}
    assert "Only small ones." in stacks.refused(stacks.create, body=body, Parameters=given)[1]
    assert stacks.create(body=body) == "CREATE_COMPLETE"


def test_yaml_with_short_forms_is_a_template(stacks):
    body = """
    AWSTemplateFormatVersion: 2010-09-09
    Parameters: {ExternalId: {Type: String}}
    Resources:
      Role:
        Type: AWS::IAM::Role
        Properties:
          RoleName: !Sub "Stack${AWS::Region}"
          AssumeRolePolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Principal: {AWS: !Join ["", ["131920598436"]]}
                Action: sts:AssumeRole
                Condition: {StringEquals: {"sts:ExternalId": !Ref ExternalId}}
    """
    assert stacks.create(body=body) == "CREATE_COMPLETE", stacks.reasons()
    assert "Stackus-east-1" in stacks.roles()
    assert stacks.client.get_template(StackName="stack")["TemplateBody"].strip() == body.strip()


def test_a_template_in_s3_is_read_with_the_callers_rights(stacks, session):
    s3 = stacks.session.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a/b.json", Body=template().encode())
    url = f"https://{BUCKET}.s3.us-east-1.amazonaws.com/a/b.json"
    assert stacks.create(TemplateURL=url) == "CREATE_COMPLETE"
    stranger = Stacks(session("linked-1"))
    assert stacks.refused(stranger.create, TemplateURL=url)[1].startswith("S3 error: Access Denied")
    assert (
        "supported URL"
        in stacks.refused(stacks.create, "other", TemplateURL=f"http://example.com/{BUCKET}")[1]
    )
    other = f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/a/b.json"
    assert "endpoint" in stacks.refused(stacks.create, "other", TemplateURL=other)[1]


# CUR and S3


def cur_template(**report: Any) -> str:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "billingreports.amazonaws.com"},
                "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:PutObject"],
                "Resource": [
                    {"Fn::GetAtt": ["Bucket", "Arn"]},
                    {"Fn::Sub": "${Bucket.Arn}/*"},
                ],
            }
        ],
    }
    definition = {
        "ReportName": "stack-report",
        "TimeUnit": "HOURLY",
        "Format": "textORcsv",
        "Compression": "ZIP",
        "RefreshClosedReports": True,
        "ReportVersioning": "OVERWRITE_REPORT",
        "S3Bucket": {"Ref": "Bucket"},
        "S3Prefix": "pre",
        "S3Region": {"Ref": "AWS::Region"},
        **report,
    }
    bucket = {
        "BucketName": BUCKET,
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            ]
        },
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "Id": "old",
                    "Status": "Enabled",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ]
        },
    }
    return template(
        {
            "Bucket": resource("AWS::S3::Bucket", bucket, DeletionPolicy="Retain"),
            "Policy": resource(
                "AWS::S3::BucketPolicy", {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy}
            ),
            "Report": resource("AWS::CUR::ReportDefinition", definition, DependsOn="Policy"),
        }
    )


def test_a_bucket_has_the_settings_that_the_template_gives_it(stacks):
    assert stacks.create(body=cur_template()) == "CREATE_COMPLETE", stacks.reasons()
    s3 = stacks.session.client("s3")
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    ownership = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


def test_a_report_of_a_stack_is_delivered(stacks, sandbox):
    stacks.create(body=cur_template())
    delivered = control.deliver(sandbox.endpoint_url)
    assert {d["status"] for d in delivered if d["report"] == "stack-report"} == {"SUCCESS"}


def test_reports_are_a_type_of_one_region(session):
    elsewhere = Stacks(session("standalone"), "eu-central-1")
    message = elsewhere.refused(elsewhere.create, body=cur_template())[1]
    assert "Unrecognized resource types: [AWS::CUR::ReportDefinition]" in message


def test_a_report_that_cannot_be_delivered_fails_with_the_reason_of_the_service(stacks):
    assert stacks.create(body=cur_template(S3Region="eu-west-1")) == "ROLLBACK_COMPLETE"
    assert "is not in eu-west-1" in stacks.reasons()[0]


# Update


def test_an_update_without_a_change_is_an_error(stacks):
    stacks.create()
    code, message = stacks.refused(stacks.update, template())
    assert (code, message) == ("ValidationError", "No updates are to be performed.")


def test_an_update_changes_the_role_in_place(stacks):
    stacks.create()
    iam = stacks.session.client("iam")
    before = iam.get_role(RoleName="StackRole")["Role"]["RoleId"]
    body = template({"Role": role(Policies=[], Description="changed")})
    assert stacks.update(body, Parameters={"ExternalId": "other-id"}) == "UPDATE_COMPLETE"
    after = iam.get_role(RoleName="StackRole")["Role"]
    assert (after["RoleId"], after["Description"]) == (before, "changed")
    assert "other-id" in json.dumps(after["AssumeRolePolicyDocument"])
    assert iam.list_role_policies(RoleName="StackRole")["PolicyNames"] == []


def test_a_failed_update_goes_back(stacks):
    stacks.create()
    bad = template({"Role": role(Description="new"), "Other": role("StackOther", Nonsense=1)})
    assert stacks.update(bad) == "UPDATE_ROLLBACK_COMPLETE"
    made = stacks.session.client("iam").get_role(RoleName="StackRole")["Role"]
    assert made.get("Description", "") == ""
    assert "StackOther" not in stacks.roles()
    assert stacks.update(template({"Role": role(Description="new")})) == "UPDATE_COMPLETE"


def test_previous_template_and_values_can_be_kept(stacks):
    sized = {"Tags": [{"Key": "Size", "Value": {"Ref": "Size"}}]}
    stacks.create(body=template({"Role": role(**sized)}))
    stacks.client.update_stack(
        StackName="stack",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "ExternalId", "UsePreviousValue": True},
            {"ParameterKey": "Size", "ParameterValue": "large"},
        ],
    )
    values = {p["ParameterKey"]: p["ParameterValue"] for p in stacks.describe()["Parameters"]}
    assert values == {"ExternalId": "right-id", "Size": "large"}


# Delete


def test_deleting_a_stack_deletes_its_resources(stacks):
    stacks.create()
    stack_id = stacks.describe()["StackId"]
    stacks.client.delete_stack(StackName="stack")
    assert "StackRole" not in stacks.roles()
    assert "does not exist" in stacks.refused(stacks.describe)[1]
    assert stacks.status(stack_id) == "DELETE_COMPLETE"
    listed = stacks.client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert stack_id in [stack["StackId"] for stack in listed]
    stacks.client.delete_stack(StackName="stack")  # deleting what is not there succeeds


def test_release_and_delete_leaves_the_resources(stacks):
    """How ownership is given up: the stack is updated with Retain, then deleted."""
    stacks.create()
    stack_id = stacks.describe()["StackId"]
    kept = template({"Role": {**role(), "DeletionPolicy": "Retain"}})
    assert stacks.update(kept) == "UPDATE_COMPLETE"
    stacks.client.delete_stack(StackName="stack")
    assert "StackRole" in stacks.roles()
    assert stacks.status(stack_id) == "DELETE_COMPLETE"
    (found,) = stacks.client.describe_stack_resources(StackName=stack_id)["StackResources"]
    assert found["ResourceStatus"] == "DELETE_SKIPPED"
    missing = stacks.refused(stacks.client.describe_stack_resources, PhysicalResourceId="StackRole")
    assert missing == ("ValidationError", "Stack for StackRole does not exist")


def test_a_bucket_with_objects_keeps_the_stack_from_being_deleted(stacks):
    bucket = {"Bucket": resource("AWS::S3::Bucket", {"BucketName": BUCKET})}
    stacks.create(body=template(bucket))
    s3 = stacks.session.client("s3")
    s3.put_object(Bucket=BUCKET, Key="object", Body=b"")
    stacks.client.delete_stack(StackName="stack")
    assert stacks.status() == "DELETE_FAILED"
    assert "not empty" in stacks.reasons()[0]
    stacks.client.delete_stack(StackName="stack", RetainResources=["Bucket"])
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [BUCKET]


# What is shown


def test_a_stack_is_found_by_the_physical_id_of_its_resource(stacks):
    stacks.create("of-the-role")
    (found,) = stacks.client.describe_stack_resources(PhysicalResourceId="StackRole")[
        "StackResources"
    ]
    assert (found["StackName"], found["LogicalResourceId"]) == ("of-the-role", "Role")


def test_events_tell_the_story_the_newest_first(stacks):
    stacks.create()
    events = stacks.client.describe_stack_events(StackName="stack")["StackEvents"]
    assert [(e["LogicalResourceId"], e["ResourceStatus"]) for e in reversed(events)] == [
        ("stack", "CREATE_IN_PROGRESS"),
        ("Role", "CREATE_IN_PROGRESS"),
        ("Role", "CREATE_IN_PROGRESS"),
        ("Role", "CREATE_COMPLETE"),
        ("stack", "CREATE_COMPLETE"),
    ]


def test_a_template_is_validated_before_it_is_used(stacks):
    found = stacks.client.validate_template(TemplateBody=template())
    assert found["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert [p["ParameterKey"] for p in found["Parameters"]] == ["ExternalId", "Size"]
    assert stacks.refused(stacks.client.validate_template, TemplateBody="[]")[0] == (
        "ValidationError"
    )


def test_values_that_are_not_echoed_are_hidden(stacks):
    body = template(Parameters={"Hidden": {"Type": "String", "NoEcho": True}})
    stacks.create(body=body, Parameters={"ExternalId": "right-id", "Hidden": "secret"})
    values = {p["ParameterKey"]: p["ParameterValue"] for p in stacks.describe()["Parameters"]}
    assert values["Hidden"] == "****"


def test_stacks_of_one_account_and_region_are_not_those_of_another(stacks, session):
    stacks.create()
    for other in (Stacks(session("linked-1")), Stacks(stacks.session, "eu-central-1")):
        assert "does not exist" in stacks.refused(other.describe)[1]


def test_a_stack_takes_its_time_where_the_pace_says_so(stacks, sandbox):
    control.pace(sandbox.endpoint_url, 0.5)
    try:
        started = time.monotonic()
        stacks.create()

        def is_complete() -> bool:
            roles = stacks.roles()
            if stacks.status() != "CREATE_IN_PROGRESS":
                return True
            assert "StackRole" not in roles  # read while the stack was still on its way
            return False

        wait_until(is_complete, "the stack is complete")
        assert stacks.status() == "CREATE_COMPLETE"
        assert time.monotonic() - started >= 0.5
    finally:
        control.pace(sandbox.endpoint_url, 0)


# StackSets as resources


def set_template(root: str, **properties: Any) -> str:
    inner = json.dumps(
        {
            "Parameters": {"ExternalId": {"Type": "String"}},
            "Resources": {"ApiAccessRole": role("StackInner")},
        }
    )
    settings = {
        "StackSetName": "set-of-a-stack",
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "TemplateBody": inner,
        "Parameters": [{"ParameterKey": "ExternalId", "ParameterValue": {"Ref": "ExternalId"}}],
        "StackInstancesGroup": [
            {"DeploymentTargets": {"OrganizationalUnitIds": [root]}, "Regions": ["us-east-1"]}
        ],
        **properties,
    }
    return template({"Set": resource("AWS::CloudFormation::StackSet", settings)})


def test_a_stack_set_of_a_stack_reaches_the_linked_accounts_and_goes_with_it(session, sandbox):
    payer = Stacks(session("payer"))
    client = payer.client
    root = session("payer").client("organizations").list_roots()["Roots"][0]["Id"]
    assert payer.create(body=set_template(root)) == "ROLLBACK_COMPLETE"
    assert "You must enable organizations access" in payer.reasons()[0]
    client.delete_stack(StackName="stack")
    client.activate_organizations_access()
    try:
        assert payer.create(body=set_template(root)) == "CREATE_COMPLETE", payer.reasons()
        linked = Stacks(session("linked-1"))
        assert "StackInner" in linked.roles()
        inner = [s["StackName"] for s in linked.client.describe_stacks()["Stacks"]]
        assert len([n for n in inner if n.startswith("StackSet-set-of-a-stack-")]) == 1
        client.delete_stack(StackName="stack")
        wait_until(lambda: not client.describe_stacks()["Stacks"], "the stack is deleted")
        assert client.list_stack_sets(Status="ACTIVE")["Summaries"] == []
        assert "StackInner" not in linked.roles()
    finally:
        client.deactivate_organizations_access()
