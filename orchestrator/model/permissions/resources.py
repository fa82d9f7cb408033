"""The resources and conditions of permissions, by the chosen options.

Source: Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.model.module_contract import octo_names
from orchestrator.model.partition import cur_region
from orchestrator.model.permissions.scope import Condition, Scope
from orchestrator.model.registration import S3Backend
from orchestrator.model.report_delivery import TEST_OBJECT


@dataclass(frozen=True)
class Resources:
    """The resources of a statement: as the documentation says it, and their ARNs if any."""

    text: str
    arns: Callable[[Scope], Sequence[str]]


@dataclass(frozen=True)
class Limit:
    """The condition of a statement, and how the documentation says it."""

    text: str
    condition: Callable[[Scope], Condition]


def _roles(names: Callable[[Scope], Sequence[str]]) -> Callable[[Scope], list[str]]:
    return lambda scope: [scope.arn("iam", f"role/{name}") for name in names(scope)]


def _own_boundary(scope: Scope) -> str:
    return scope.arn("iam", f"policy/{octo_names.EXECUTION_BOUNDARY}")


def _report(scope: Scope) -> list[str]:
    region = cur_region(scope.partition)
    return [scope.arn("cur", f"definition/{scope.inputs.cur_report_name}", region=region)]


def _bucket(scope: Scope, *objects: str) -> list[str]:
    """The bucket's ARN, or those of its objects."""
    bucket = scope.arn("s3", scope.inputs.cur_s3_bucket_name, account="")
    if not scope.has_report:
        return []
    return [f"{bucket}/{name}" for name in objects] if objects else [bucket]


def _delivered(scope: Scope) -> str:
    """The report's keys; the prefix of an existing report is read from AWS, not from octo.yaml."""
    inputs = scope.inputs
    return f"{inputs.cur_s3_prefix}/*" if scope.makes_report else f"*/{inputs.cur_report_name}/*"


def _stackset(scope: Scope) -> str:
    region = scope.registration.region
    return scope.arn("cloudformation", f"stackset/{scope.inputs.stackset_name}:*", region=region)


def _deployment(scope: Scope) -> list[str]:
    """The StackSet, its targets, and the types of resources in its template.

    Source: CloudFormation User Guide, "Grant self-managed permissions", which lists the resources
    of StackSet actions.
    """
    target = f"stackset-target/{scope.inputs.stackset_name}:*"
    types = "type/resource/AWS-IAM-*"
    return [
        _stackset(scope),
        scope.arn("cloudformation", target, region="*"),
        scope.arn("cloudformation", types, region="*", account="*"),
    ]


def _state(name: Callable[[S3Backend], str]) -> Callable[[Scope], list[str]]:
    return lambda scope: [scope.arn("s3", name(scope.backend), account="")] if scope.backend else []


def _state_key(scope: Scope) -> list[str]:
    backend = scope.backend
    if backend is None or backend.kms_key_id is None:
        return []
    key = backend.kms_key_id  # an ARN or an id, as Terraform's backend takes it
    return [
        key if key.startswith("arn:") else scope.arn("kms", f"key/{key}", region=backend.region)
    ]


def _bucket_key(scope: Scope) -> list[str]:
    return [scope.bucket_key] if scope.bucket_key else []


ANYTHING = Resources("`*`: these actions are not on resources", lambda _scope: ["*"])
ORGANIZATION = Resources(
    "the organization's root and OUs",
    lambda scope: [scope.arn("organizations", kind) for kind in ("root/o-*/r-*", "ou/o-*/ou-*")],
)
ROLES = Resources("Octo's roles", _roles(lambda scope: scope.roles))
SIMULATED_ROLES = Resources(
    "Octo's roles without the CUR role",
    _roles(lambda scope: [role for role in scope.roles if role != octo_names.CUR_ROLE]),
)
UNBOUNDED_ROLES = Resources(
    "those of Octo's roles that no boundary limits", _roles(lambda scope: scope.unbounded_roles)
)
BOUNDED_ROLES = Resources(
    "those of Octo's roles that a boundary limits", _roles(lambda scope: scope.bounded_roles)
)
OTHER_ROLES = Resources(
    "roles of Octo's names that octo.yaml does not ask for, and the roles of `--remove-role`",
    _roles(lambda scope: scope.other_roles),
)
OWNED = Resources("`*`: whether a stack owns what is adopted", lambda _scope: ["*"])
ENROLMENT_ROLES = Resources(
    "the service-linked roles of services to enrol in",
    lambda scope: [
        scope.arn("iam", f"role/aws-service-role/{one.principal}/*") for one in scope.services
    ],
)
# A role that does not exist yet has no path.
READ_ENROLMENT_ROLES = Resources(
    ENROLMENT_ROLES.text,
    _roles(
        lambda scope: [
            path + one.role
            for one in scope.services
            for path in ("", f"aws-service-role/{one.principal}/")
        ]
    ),
)
OWN_POLICIES = Resources(
    "the boundary of the feature execution, and the managed policies of `additional_actions`",
    lambda scope: [
        *([_own_boundary(scope)] if scope.own_boundary else []),
        *scope.additional_policies,
    ],
)
ADDITIONAL_POLICIES = Resources(
    "the managed policies of `additional_actions`", lambda scope: scope.additional_policies
)
ADDITIONAL_ROLES = Resources(
    "the roles by which Octo reads, if `additional_actions` need managed policies",
    _roles(
        lambda scope: [
            role
            for role in scope.roles
            if role in octo_names.READING_ROLES and scope.additional_policies
        ]
    ),
)
REPORT = Resources("the report", _report)
BUCKET = Resources("the bucket", _bucket)
DEFAULT_BUCKET = Resources(
    "a bucket of the default name",
    lambda scope: [scope.arn("s3", octo_names.cur_bucket(scope.account), account="")],
)
REPORT_OBJECTS = Resources(
    "the report's objects and AWS's test object",
    lambda scope: _bucket(scope, _delivered(scope), TEST_OBJECT),
)
OBJECTS = Resources("every object of the bucket", lambda scope: _bucket(scope, "*"))
BUCKET_KEY = Resources("the key of an existing bucket (`--bucket-key`)", _bucket_key)
STACKSET = Resources("the StackSet", lambda scope: [_stackset(scope)])
STACKSETS = Resources(
    "the StackSets in `region`",
    lambda scope: [scope.arn("cloudformation", "stackset/*:*", region=scope.registration.region)],
)
DEPLOYMENT = Resources("the StackSet, its targets and the types `AWS::IAM::*`", _deployment)
RELEASED_STACKS = Resources(
    "the stacks of `--release-stack`",
    lambda scope: [
        scope.arn("cloudformation", f"stack/{name}/*", region="*") for name in scope.released_stacks
    ],
)
REMOVED_ROLES = Resources("the roles of `--remove-role`", _roles(lambda scope: scope.removed_roles))
STATE_BUCKET = Resources("the bucket of the state", _state(lambda backend: backend.bucket))
STATE = Resources("the state", _state(lambda backend: f"{backend.bucket}/{backend.key}"))
STATE_LOCK = Resources(
    "the state's lock: its key with `.tflock` appended",
    _state(lambda backend: f"{backend.bucket}/{backend.key}.tflock"),
)
STATE_KEY = Resources("the key of the state (`backend.kms_key_id`)", _state_key)


def _tags(scope: Scope) -> Condition:
    tags = {f"aws:RequestTag/{key}": value for key, value in scope.inputs.tags.items()}
    return {"StringEquals": tags} if tags else {}


def _boundary(scope: Scope) -> Condition:
    return {"ArnEquals": {"iam:PermissionsBoundary": scope.boundary or _own_boundary(scope)}}


def _by_s3(region: str) -> Condition:
    return {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}


def _services(key: str) -> Callable[[Scope], Condition]:
    return lambda scope: {"StringEquals": {key: [one.principal for one in scope.services]}}


NONE = Limit("", lambda _scope: {})
TAGS = Limit("with the tags of octo.yaml", _tags)
BOUNDARY = Limit("with that boundary", _boundary)
BOUNDARY_AND_TAGS = Limit(
    "with that boundary, and the tags of octo.yaml",
    lambda scope: {**_boundary(scope), **_tags(scope)},
)
ADDITIONAL = Limit(
    "with those policies",
    lambda scope: {"ArnEquals": {"iam:PolicyARN": scope.additional_policies}},
)
# A bucket's ARN names no account; the key is absent as long as there is no such bucket.
OWN_BUCKET = Limit(
    "of this account only",
    lambda scope: {"StringEqualsIfExists": {"aws:ResourceAccount": scope.account}},
)
BUCKET_REGION = Limit(
    "in `cur_s3_bucket_region`",
    lambda scope: {"StringEquals": {"aws:RequestedRegion": scope.inputs.cur_s3_bucket_region}},
)
REGION = Limit(
    "in `region`",
    lambda scope: {"StringEquals": {"aws:RequestedRegion": scope.registration.region}},
)
SERVICES = Limit("for these services only", _services("iam:AWSServiceName"))
ORGANIZATION_SERVICES = Limit(
    "for the services to enrol in only", _services("organizations:ServicePrincipal")
)
BY_S3 = Limit("by S3 only", lambda scope: _by_s3(scope.inputs.cur_s3_bucket_region))
STATE_BY_S3 = Limit(
    "by S3 only", lambda scope: _by_s3(scope.backend.region if scope.backend else "")
)
