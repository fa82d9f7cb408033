"""Looks at what AWS has: roles, buckets, reports, StackSets, and which stack owns a thing.

Sources: IAM GetRole, ListRoles and the calls for a role's policies; S3's calls for a bucket's
settings; CUR DescribeReportDefinitions; CloudFormation DescribeStackSet, DescribeStackResources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws import stack_template as aws_template
from orchestrator.aws import stacksets
from orchestrator.aws.errors import code_of, is_denied
from orchestrator.aws.session import Aws
from orchestrator.detection import stackset_template
from orchestrator.detection.existing import Bucket, Deploys, Role, StackSet

# A setting's Terraform type, the call that reads it, and the error for one that is not there.
_SETTINGS = (
    ("aws_s3_bucket_public_access_block", "get_public_access_block"),
    ("aws_s3_bucket_ownership_controls", "get_bucket_ownership_controls"),
    ("aws_s3_bucket_server_side_encryption_configuration", "get_bucket_encryption"),
)
_ABSENT = {
    "NoSuchBucketPolicy",
    "NoSuchTagSet",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


def role(aws: Aws, name: str) -> Role | None:
    """The role of that name, with its policies; None if there is none."""
    iam = aws.client("iam")
    try:
        found = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return None
        raise
    return _with_policies(aws, found)


def roles_that_trust(aws: Aws, principal: str) -> Iterator[str]:
    """The names of the roles whose trust names an account (IAM ListRoles)."""
    for page in aws.client("iam").get_paginator("list_roles").paginate():
        for found in page["Roles"]:
            if principal in json.dumps(found["AssumeRolePolicyDocument"]):
                yield found["RoleName"]


def _with_policies(aws: Aws, found: dict[str, Any]) -> Role:
    iam, name = aws.client("iam"), found["RoleName"]
    inline = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
        for policy in page["PolicyNames"]
    }
    managed = {
        policy["PolicyArn"]: _managed_document(aws, policy["PolicyArn"])
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        for policy in page["AttachedPolicies"]
    }
    return Role(
        name,
        found["Arn"],
        found["RoleId"],
        found.get("Description", ""),
        found["AssumeRolePolicyDocument"],
        inline,
        managed,
        found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        _tags(found.get("Tags", [])),
        found.get("MaxSessionDuration", 3600),
    )


def _managed_document(aws: Aws, arn: str) -> dict[str, Any] | None:
    """A managed policy's default version; None where it may not be read: its name then speaks."""
    iam = aws.client("iam")
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    except ClientError as error:
        if is_denied(error) or code_of(error) in ("NoSuchEntity", "ValidationError"):
            return None  # unknown, or known only in the accounts themselves (${AWS::AccountId})
        raise
    document: dict[str, Any] = found["Document"]
    return document


def owns_bucket(aws: Aws, name: str, account_id: str) -> bool:
    """Whether the bucket is there and the account's (S3 HeadBucket)."""
    try:
        aws.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account_id)
    except ClientError as error:
        if is_denied(error) or code_of(error) in ("404", "NoSuchBucket"):
            return False  # nobody's, or somebody else's: making it says which
        raise
    return True


def bucket(aws: Aws, name: str) -> Bucket:
    """A bucket of the account's own, with its settings."""
    place = aws.client("s3").get_bucket_location(Bucket=name)["LocationConstraint"]
    region = {"EU": "eu-west-1", None: "us-east-1"}.get(place, place)
    s3 = aws.client("s3", region)
    settings = {kind for kind, call in _SETTINGS if _answer(s3, call, name)}
    if _answer(s3, "get_bucket_versioning", name).get("Status"):
        settings.add("aws_s3_bucket_versioning")
    policy = _answer(s3, "get_bucket_policy", name).get("Policy")
    if policy:
        settings.add("aws_s3_bucket_policy")
    rules = _answer(s3, "get_bucket_lifecycle_configuration", name).get("Rules", [])
    if rules:
        settings.add("aws_s3_bucket_lifecycle_configuration")
    told = _answer(s3, "get_bucket_notification_configuration", name)
    told.pop("ResponseMetadata", None)
    if told:
        settings.add("aws_s3_bucket_notification")
    return Bucket(
        name,
        region,
        not s3.list_objects_v2(Bucket=name, MaxKeys=1).get("Contents"),
        json.loads(policy) if policy else None,
        tuple(rule.get("ID", "without an id") for rule in rules),
        sum(len(v) for v in told.values() if isinstance(v, list)),
        frozenset(settings),
        _tags(_answer(s3, "get_bucket_tagging", name).get("TagSet", [])),
    )


def _tags(found: list[dict[str, str]]) -> dict[str, str]:
    """Tags by key; those of AWS itself are nobody's to set."""
    return {t["Key"]: t["Value"] for t in found if not t["Key"].startswith("aws:")}


def _answer(s3: Any, call: str, name: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = getattr(s3, call)(Bucket=name)
    except ClientError as error:
        if code_of(error) in _ABSENT:
            return {}
        raise
    return answer


def reports(aws: Aws) -> list[dict[str, Any]]:
    """The account's report definitions; CUR lives in one region per partition."""
    region = "cn-northwest-1" if aws.region.startswith("cn-") else "us-east-1"
    pages = aws.client("cur", region).get_paginator("describe_report_definitions").paginate()
    return [dict(found) for page in pages for found in page["ReportDefinitions"]]


def stack_set(aws: Aws, name: str) -> StackSet | None:
    """The StackSet of that name; None if there is none."""
    found = stacksets.read(aws, name)
    if found is None:
        return None
    automatic = found.settings.get("AutoDeployment", {})
    return StackSet(
        name,
        found.settings["StackSetId"],
        _deploys(aws, found.settings),
        tuple(sorted(a for a, i in found.instances.items() if i.is_current)),
        tuple(sorted(found.instances)),
        found.regions,
        aws.region,
        {
            "enabled": bool(automatic.get("Enabled")),
            "retain": bool(automatic.get("RetainStacksOnAccountRemoval")),
        },
        tuple(found.targets),
        found.settings.get("PermissionModel") == "SERVICE_MANAGED",
    )


def makes_role(aws: Aws, name: str) -> bool:
    """Whether the StackSet's template makes Octo's role; its instances are not gone through."""
    settings = stacksets.describe(aws, name)
    makes = _made_by(settings) if settings else None
    return makes is not None and makes.role is not None


def _made_by(settings: dict[str, Any]) -> Deploys | None:
    partition = settings["StackSetARN"].split(":")[1]
    body, given = settings.get("TemplateBody", ""), aws_template.parameters(settings)
    return stackset_template.read(body, given, partition)


def _deploys(aws: Aws, settings: dict[str, Any]) -> Deploys | None:
    makes = _made_by(settings)
    if makes is None or makes.role is None:
        return makes
    managed = {arn: _managed_document(aws, arn) for arn in makes.role.managed}
    return replace(makes, role=replace(makes.role, managed=managed))


def stack_set_names(aws: Aws) -> list[str]:
    """The names of the payer's StackSets (ListStackSets)."""
    pages = aws.client("cloudformation").get_paginator("list_stack_sets").paginate(Status="ACTIVE")
    return [found["StackSetName"] for page in pages for found in page["Summaries"]]


def owner(aws: Aws, physical_id: str, *regions: str) -> str | None:
    """The CloudFormation stack that has a resource of that name; None if none has.

    Args:
        aws: calls as the account.
        physical_id: a role's or a bucket's name, a report's name.
        regions: where to look: a global resource's stack can be in any of them.
    """
    for region in sorted({aws.region, *regions}):
        try:
            found = aws.client("cloudformation", region).describe_stack_resources(
                PhysicalResourceId=physical_id
            )["StackResources"]
        except ClientError as error:
            if code_of(error) == "ValidationError":  # "Stack for ... does not exist"
                continue
            raise
        for resource in found:
            return str(resource["StackName"])
    return None
