"""The option sets whose policies are proved, each with its route and with what is disturbed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.model.module_contract.documents import delivery_statements
from tests.e2e.conftest import RunningSandbox
from tests.e2e.least_privilege import Route
from tests.e2e.project import EXTERNAL_ID
from tests.registered import trust
from tests.waiting import wait_until

ROLE = "AlphausAcctAccessRole"
LEFTOVER = "OctoSSMUpdaterRole"
BOUNDARY = "OctoExecutionBoundary"
EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
EXECUTION = {
    "features": ["cost", "recommendations", "execution"],
    "execution_actions": ["stop_ec2"],
}


@dataclass(frozen=True)
class OptionSet:
    """Options of an account.

    Attributes:
        profile: the sandbox's account.
        kind: its type.
        settings: makes what the options name, and returns them as octo.yaml has them.
        go: runs the route.
    """

    profile: str
    kind: str
    settings: Callable[[RunningSandbox], dict[str, Any]]
    go: Callable[[Route], None]


def route_of(sandbox: RunningSandbox, options: OptionSet) -> Route:
    """The route of an option set, before its first command."""
    settings = options.settings(sandbox)
    if options.go in (adopted_report, adopted_role, adopted_stack):
        project = sandbox.empty_project(options.profile)
        account = ("--account-id", project.account_id)
    else:
        project, account = sandbox.project(options.profile, **settings), ()
    key = key_of(sandbox, options.profile, settings)
    return Route(
        sandbox, project, options.profile, (*account, "--account-type", options.kind, *key)
    )


def key_of(sandbox: RunningSandbox, profile: str, settings: dict[str, Any]) -> tuple[str, ...]:
    """The option that names the key of an existing bucket, if a key of KMS encrypts it."""
    if settings.get("cur_s3_bucket_option") != "USE_EXISTING":
        return ()
    found = sandbox.client(profile, "s3", settings.get("cur_s3_bucket_region", "us-east-1"))
    encryption = found.get_bucket_encryption(Bucket=settings["cur_s3_bucket_name"])
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    key = rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")
    return ("--bucket-key", key) if key else ()


def registered(route: Route) -> None:
    """plan, apply, plan, verify, disturbed by hand, apply, and destroy with the bucket's data."""
    route.run("plan")
    # A linked account has no report to wait for, only recommendations, which take days.
    wait = () if route.profile.startswith("linked") else ("--wait", "60s")
    route.run("apply", "--yes", *wait)
    route.run("plan")
    route.run("verify")
    disturb(route)
    route.run("apply", "--yes", *wait, "--tag", "owner=b")


def leave(route: Route, *more: str, options: tuple[str, ...] = ()) -> None:
    account = ("--yes", "--confirm-account", route.project.account_id)
    route.run("destroy", *account, *more, options=options)


def linked(route: Route) -> None:
    registered(route)
    leave(route)


def with_bucket(route: Route) -> None:
    registered(route)
    bucket = f"alphaus-cur-export-{route.project.account_id}"
    leave(
        route,
        *("--delete-bucket", "--delete-data", "--confirm-bucket", bucket),
        options=("--delete-bucket", "--delete-data"),
    )


def upgraded(route: Route) -> None:
    """A payer gets its StackSet; an account is excluded, and one that failed is retried."""
    registered(route)
    route.options = (*route.options, "--use-stackset")
    enable = ("--enable-trusted-access",)
    route.run("upgrade", "--yes", "--wait", "60s", *enable, options=enable)
    route.run("plan")
    route.run("verify")
    route.project.settings(stackset_excluded_accounts=[route.sandbox.account("linked-2")])
    route.run("apply", "--yes", "--tag", "owner=c")
    outdate(route)
    route.run("stackset", "retry", "--yes", step="apply")
    leave(route)


def outdate(route: Route) -> None:
    """Have the update of one account's stack fail, so that it is retried by another update."""
    client = route.sandbox.client("payer", "cloudformation", route.region)
    route.sandbox.fault(
        service="cloudformation",
        action="UpdateStack",
        account=route.sandbox.account("linked-1"),
        error="Throttling",
        times=1,
    )
    name = client.list_stack_sets(Status="ACTIVE")["Summaries"][0]["StackSetName"]
    present = client.describe_stack_set(StackSetName=name)["StackSet"]
    started = client.update_stack_set(
        StackSetName=name,
        UsePreviousTemplate=True,
        Parameters=present["Parameters"],
        Capabilities=present["Capabilities"],
        Tags=[{"Key": "by", "Value": "hand"}],
    )

    def ended() -> bool:
        found = client.describe_stack_set_operation(
            StackSetName=name, OperationId=started["OperationId"]
        )["StackSetOperation"]
        return found["Status"] not in ("RUNNING", "QUEUED")

    wait_until(ended, "the operation has ended")


def with_stackset(route: Route) -> None:
    """A payer with linked accounts from the start."""
    enable = ("--enable-trusted-access",)
    route.run("plan", *enable)
    route.run("apply", "--yes", "--wait", "60s", *enable, options=enable)
    route.run("plan")
    route.run("verify")
    disturb(route)
    route.project.settings(stackset_excluded_accounts=[route.sandbox.account("linked-2")])
    route.run("apply", "--yes", "--wait", "60s", "--tag", "owner=b")
    outdate(route)
    route.run("stackset", "retry", "--yes", step="apply")
    leave(route)


def adopted(route: Route, *given: str, options: tuple[str, ...] = ()) -> None:
    """What is there is adopted and repaired; then it is deleted, and apply creates it."""
    account = ("--account-id", route.project.account_id)
    route.run("adopt", "--yes", "--wait", "60s", *account, *given, *options, options=options)
    route.options = route.options[2:]  # octo.yaml names the account now
    disturb(route)
    route.run("apply", "--yes", "--wait", "60s", "--tag", "owner=b")
    leave(route)
    route.run("apply", "--yes", "--wait", "60s")


def adopted_role(route: Route) -> None:
    """A role made by hand, with a leftover one that is deleted."""
    adopted(route, "--purge-policies", options=("--remove-role", LEFTOVER))


def adopted_report(route: Route) -> None:
    """A report in a bucket of the owner: who asks for the policies names the bucket."""
    bucket = ("--cur-s3-bucket-option", "USE_EXISTING", "--cur-s3-bucket-name", "lost")
    adopted(route, options=(*bucket, "--cur-s3-bucket-merge-policy"))


def adopted_stack(route: Route) -> None:
    """A role that a stack of the console owns, which is released."""
    adopted(route, options=("--release-stack", "octo-console"))


def enrolled(route: Route) -> None:
    """The organization's accounts are enrolled by apply, and what that enrolled ends at the end."""
    registered(route)
    leave(route, "--with-enrolments", options=("--with-enrolments",))


def disturb(route: Route) -> None:
    """Change by hand what apply repairs: each of its permissions to change something is used."""
    disturb_roles(route)
    cur = route.sandbox.client(route.profile, "cur")
    for report in cur.describe_report_definitions()["ReportDefinitions"]:
        report.pop("ReportStatus", None)
        cur.modify_report_definition(
            ReportName=report["ReportName"],
            ReportDefinition={**report, "RefreshClosedReports": False},
        )
        cur.tag_resource(ReportName=report["ReportName"], Tags=[{"Key": "hand", "Value": "1"}])


def disturb_roles(route: Route) -> None:
    """Change Octo's roles by hand, with all that belongs to them."""
    iam, account = route.sandbox.client(route.profile, "iam"), route.project.account_id
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust["Principal"] = {"AWS": f"arn:aws:iam::{account}:root"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_role(RoleName=ROLE, MaxSessionDuration=7200, Description="by hand")
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)
    iam.put_role_policy(RoleName=ROLE, PolicyName="hand", PolicyDocument=EVERYTHING)
    hand = iam.create_policy(PolicyName="hand", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=hand)
    iam.tag_role(RoleName=ROLE, Tags=[{"Key": "hand", "Value": "1"}])
    for role in iam.list_roles()["Roles"]:
        found = iam.get_role(RoleName=role["RoleName"])["Role"]
        if "PermissionsBoundary" in found:
            iam.put_role_permissions_boundary(RoleName=role["RoleName"], PermissionsBoundary=hand)
            break
    own = f"arn:aws:iam::{account}:policy/{BOUNDARY}"
    if any(p["Arn"] == own for p in iam.list_policies(Scope="Local")["Policies"]):
        for _ in range(4):  # five versions are the most: one must go for another
            iam.create_policy_version(PolicyArn=own, PolicyDocument=EVERYTHING, SetAsDefault=True)
        iam.tag_policy(PolicyArn=own, Tags=[{"Key": "hand", "Value": "1"}])


def nothing(_sandbox: RunningSandbox) -> dict[str, Any]:
    return {}


def state_under_a_key(sandbox: RunningSandbox) -> dict[str, Any]:
    """The state in a bucket that a key of KMS encrypts."""
    sandbox.existing_bucket("linked-1", "states")
    arn = encrypt(sandbox, "linked-1", "states", "us-east-1", [])
    place = {"type": "s3", "bucket": "states", "key": "octo/a.tfstate", "region": "us-east-1"}
    return {"backend": {**place, "kms_key_id": arn}}


def execution(_sandbox: RunningSandbox) -> dict[str, Any]:
    return {**EXECUTION, "tags": {"team": "a"}}


def bounded(sandbox: RunningSandbox) -> dict[str, Any]:
    """Every role is under a boundary of the account's owner."""
    made = sandbox.client("linked-1", "iam").create_policy(
        PolicyName="Boundary", PolicyDocument=EVERYTHING.replace("s3:*", "*")
    )
    return {**EXECUTION, "tags": {"team": "a"}, "permissions_boundary": made["Policy"]["Arn"]}


def tagged(_sandbox: RunningSandbox) -> dict[str, Any]:
    return {"tags": {"team": "a"}}


def of_everybody(sandbox: RunningSandbox) -> dict[str, Any]:
    """Enrolment of every account; one account has enrolled itself before."""
    member = sandbox.client("linked-1", "compute-optimizer")
    member.update_enrollment_status(status="Active")
    features = {"features": ["cost", "recommendations"], "enrolment": "organization"}
    return {**merged(sandbox), **features}


def merged(sandbox: RunningSandbox) -> dict[str, Any]:
    bucket = sandbox.existing_bucket("payer", "billing-of-the-payer")
    return {**bucket, "cur_s3_bucket_merge_policy": True, "tags": {"team": "a"}}


def kept_policy(sandbox: RunningSandbox) -> dict[str, Any]:
    """A bucket whose owner has let the billing service in."""
    bucket, account = "billing-of-the-payer", sandbox.account("payer")
    settings = sandbox.existing_bucket("payer", bucket)
    condition = {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cur:us-east-1:{account}:definition/*"},
    }
    service = {"Principal": {"Service": "billingreports.amazonaws.com"}, "Condition": condition}
    arn = f"arn:aws:s3:::{bucket}"
    statements = [
        {"Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy"], "Resource": arn},
        {"Action": "s3:PutObject", "Resource": f"{arn}/*"},
    ]
    sandbox.client("payer", "s3").put_bucket_policy(
        Bucket=bucket,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", **service, **s} for s in statements],
            }
        ),
    )
    return settings


BILLING = "billing-of-the-payer"


def existing_report(sandbox: RunningSandbox) -> dict[str, Any]:
    """A report of the owner, in the owner's bucket."""
    bucket, account = BILLING, sandbox.account("payer")
    sandbox.existing_bucket("payer", bucket)
    allowed = delivery_statements("aws", account, bucket, "us-east-1")
    sandbox.client("payer", "s3").put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": allowed})
    )
    sandbox.client("payer", "cur").put_report_definition(
        ReportDefinition={
            "ReportName": "hourly",
            "TimeUnit": "HOURLY",
            "Format": "textORcsv",
            "Compression": "ZIP",
            "AdditionalSchemaElements": ["RESOURCES"],
            "S3Bucket": bucket,
            "S3Prefix": "finance",
            "S3Region": "us-east-1",
            "RefreshClosedReports": True,
            "ReportVersioning": "OVERWRITE_REPORT",
        }
    )
    return {"cur_report_option": "USE_EXISTING"}


def reading_a_report(route: Route) -> None:
    """The policies name the report and its bucket; octo-tf itself finds both."""
    names = ("--cur-report-name", "hourly", "--cur-s3-bucket-name", BILLING)
    route.options = (*route.options, *names)
    route.run("plan")
    route.run("apply", "--yes", "--wait", "60s")
    route.run("plan")
    route.run("verify")
    disturb_roles(route)
    route.run("apply", "--yes", "--wait", "60s", "--tag", "owner=b")
    leave(route)


def under_a_key(sandbox: RunningSandbox) -> dict[str, Any]:
    """A bucket in another region, encrypted by a key that lets in the billing service and Octo."""
    region = "eu-west-1"
    settings = sandbox.existing_bucket("standalone", "billing-encrypted", region)
    account = sandbox.account("standalone")
    role = f"arn:aws:iam::{account}:role/AlphausAcctAccessCurRole"
    encrypt(
        *(sandbox, "standalone", "billing-encrypted", region),
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": "billingreports.amazonaws.com"},
                "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": role}},
            },
        ],
    )
    return {**settings, "cur_s3_bucket_merge_policy": True}


def encrypt(
    sandbox: RunningSandbox, profile: str, bucket: str, region: str, statements: list[Any]
) -> str:
    """Encrypt a bucket by a new key, and return the key's ARN."""
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{sandbox.account(profile)}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})
    key = sandbox.client(profile, "kms", region).create_key(Policy=policy)["KeyMetadata"]
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    sandbox.client(profile, "s3", region).put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )
    return str(key["Arn"])


def whole_organization(sandbox: RunningSandbox) -> dict[str, Any]:
    """A new bucket, and a StackSet for the OU of an account, both in another region."""
    client = sandbox.client("payer", "organizations")
    ((parent,),) = [client.list_parents(ChildId=sandbox.account("linked-1"))["Parents"]]
    ou = parent["Id"]
    return {
        "use_stackset": True,
        "stackset_targets": [ou],
        "region": "eu-west-1",
        "cur_s3_bucket_region": "eu-west-1",
        "tags": {"team": "a"},
    }


def by_hand(sandbox: RunningSandbox) -> dict[str, Any]:
    """A role that allows too much, and one that the module does not need."""
    iam = sandbox.client("linked-1", "iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust(EXTERNAL_ID))
    iam.put_role_policy(RoleName=ROLE, PolicyName="Everything", PolicyDocument=EVERYTHING)
    leave_over(sandbox, "linked-1")
    return {}


def leave_over(sandbox: RunningSandbox, profile: str) -> None:
    """Make a role of Octo's names that no feature asks for."""
    iam = sandbox.client(profile, "iam")
    iam.create_role(RoleName=LEFTOVER, AssumeRolePolicyDocument=trust(EXTERNAL_ID))
    iam.put_role_policy(RoleName=LEFTOVER, PolicyName="Everything", PolicyDocument=EVERYTHING)
    readers = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.attach_role_policy(RoleName=LEFTOVER, PolicyArn=readers)


def elsewhere(sandbox: RunningSandbox) -> dict[str, Any]:
    """A registration whose state is lost."""
    made = sandbox.project("standalone", "lost", **sandbox.existing_bucket("standalone", "lost"))
    made.settings(cur_s3_bucket_merge_policy=True)
    result = made("apply", "--yes", "--wait", "60s")
    assert result.returncode == 0, result.stdout + result.stderr
    leave_over(sandbox, "standalone")
    return {}


def in_the_console(sandbox: RunningSandbox) -> dict[str, Any]:
    """A role that a stack owns."""
    client = sandbox.client("linked-2", "cloudformation")
    properties = {"RoleName": ROLE, "AssumeRolePolicyDocument": json.loads(trust(EXTERNAL_ID))}
    role = {"Type": "AWS::IAM::Role", "Properties": properties}
    client.create_stack(
        StackName="octo-console",
        TemplateBody=json.dumps({"Resources": {"Octo": role}}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(
        StackName="octo-console", WaiterConfig={"Delay": 1}
    )
    leave_over(sandbox, "linked-2")
    return {}


OPTION_SETS: dict[str, OptionSet] = {
    "linked, state in S3 under a key": OptionSet("linked-1", "linked", state_under_a_key, linked),
    "linked, execution": OptionSet("linked-1", "linked", execution, linked),
    "linked, execution under a boundary": OptionSet("linked-1", "linked", bounded, linked),
    "standalone, new bucket": OptionSet("standalone", "standalone", tagged, with_bucket),
    "standalone, bucket under a key": OptionSet("standalone", "standalone", under_a_key, linked),
    "payer, existing bucket": OptionSet("payer", "payer", kept_policy, linked),
    "payer, existing report": OptionSet("payer", "payer", existing_report, reading_a_report),
    "payer, upgraded": OptionSet("payer", "payer", merged, upgraded),
    "payer, new bucket, StackSet": OptionSet("payer", "payer", whole_organization, with_stackset),
    "linked, adopted role": OptionSet("linked-1", "linked", by_hand, adopted_role),
    "standalone, adopted report": OptionSet("standalone", "standalone", elsewhere, adopted_report),
    "payer, organization enrolled": OptionSet("payer", "payer", of_everybody, enrolled),
    "linked, adopted stack": OptionSet("linked-2", "linked", in_the_console, adopted_stack),
}
