"""The resource types of stacks: one module each, discovered by name.

Each module has ``RESOURCE_TYPE``, a ``ResourceType``. Resources are created by the functions that
implement the service's API, or in moto's backends, so that a stack's role is a role like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from orchestrator.sandbox.authorization import authorize, authorize_by_organization
from orchestrator.sandbox.discovery import submodules
from orchestrator.sandbox.state import Caller, SandboxState, execution_role
from orchestrator.sandbox.wire import Call

# Types beside those of the sandbox in the services that it knows, and services that it does not.
_OTHER_TYPES = {
    f"AWS::{service}::{name}"
    for service, names in {
        "CloudFormation": "CustomResource Macro WaitCondition",
        "IAM": "Group OIDCProvider SAMLProvider ServiceLinkedRole UserToGroupAddition RolePolicy"
        " UserPolicy GroupPolicy",
        "S3": "AccessPoint StorageLens",
        "SNS": "Subscription TopicPolicy TopicInlinePolicy",
        "SSM": "Association Document MaintenanceWindow MaintenanceWindowTarget"
        " MaintenanceWindowTask PatchBaseline ResourceDataSync",
    }.items()
    for name in names.split()
}
_NAMESPACES = (
    "ACMPCA ApiGateway ApiGatewayV2 AppSync Athena AutoScaling Backup Batch "
    "BCMDataExports Budgets CE CertificateManager Chatbot CloudFront CloudTrail "
    "CloudWatch CodeBuild CodeCommit CodeDeploy CodePipeline Cognito Config DynamoDB EC2 "
    "ECR ECS EFS EKS ElastiCache ElasticLoadBalancing ElasticLoadBalancingV2 "
    "Elasticsearch Events Glue GuardDuty Kinesis KinesisFirehose LakeFormation Lambda "
    "Logs OpenSearchService Organizations QuickSight RAM RDS Redshift ResourceGroups "
    "Route53 SageMaker Scheduler SecretsManager SecurityHub ServiceCatalog SES SQS SSO "
    "StepFunctions WAFv2 "
)
_OTHER_NAMESPACES = frozenset(_NAMESPACES.split())


class ResourceError(Exception):
    """A resource could not be created, updated or deleted; the text is CloudFormation's.

    ``physical_id`` is that of a resource whose creation has failed and that is there all the same.
    """

    def __init__(self, message: str, physical_id: str = "") -> None:
        super().__init__(message)
        self.physical_id = physical_id


@dataclass(frozen=True)
class CreatedResource:
    """A resource that exists: its physical id (the value of ``Ref``) and its attributes."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Actor:
    """The principal, account and region that a stack's changes are made with.

    ``caller`` is None for the execution role of a StackSet, which may do everything that the
    organization's policies allow.
    """

    state: SandboxState
    account_id: str
    region: str
    caller: Caller | None
    new_name: str = ""  # the name of a resource that is being created and was given none
    stack_id: str = ""  # of the stack whose resource is being created

    def call(self, service: str, operation: str, parameters: Mapping[str, Any], **uri: str) -> Call:
        """Make an API call for the stack, authorized for the caller.

        Raises:
            ServiceError: the caller is not allowed to.
        """
        caller = self.caller or execution_role(self.account_id)
        # A stack's own calls are the caller's; those for its resources are made through it.
        via = "" if service == "cloudformation" else "cloudformation.amazonaws.com"
        made = Call(
            service, operation, self.region, caller, dict(parameters), dict(uri), called_via=via
        )
        if self.caller is not None:
            authorize(self.state, made)
        else:
            authorize_by_organization(self.state, made)
        return made


@dataclass(frozen=True)
class ResourceType:
    """A type of resource.

    Attributes:
        type: ``AWS::IAM::Role``.
        properties: every property that the sandbox implements.
        unknown_properties: further ones of AWS, which the sandbox cannot set.
        replacement_properties: the properties whose change replaces the resource.
        create: creates the resource.
        update: updates the resource in place to new properties.
        delete: deletes the resource; one that does not exist is no error.
        is_stable: whether a change that takes time has finished.
        regions: the regions of the type; None for all.
        name_property: the property that names the resource, if a name can be given.
        attributes: what ``Fn::GetAtt`` knows of it; empty if that is not checked.
        identifiers: the properties that identify a resource for an import.
        read: reads the properties that drift is detected of; None if the resource is gone.
        tags_are_map: whether ``Tags`` is a map, not a list.
    """

    type: str
    properties: frozenset[str]
    replacement_properties: frozenset[str]
    create: Callable[[Actor, Mapping[str, Any]], CreatedResource]
    update: Callable[[Actor, str, Mapping[str, Any]], CreatedResource]
    delete: Callable[[Actor, str], None]
    is_stable: Callable[[Actor, str], bool] = lambda _actor, _physical_id: True
    unknown_properties: frozenset[str] = frozenset()
    regions: frozenset[str] | None = None
    name_property: str = ""
    attributes: frozenset[str] = frozenset()
    identifiers: tuple[str, ...] = ()
    tags_are_map: bool = False
    read: Callable[[Actor, str], Mapping[str, Any] | None] | None = None


@cache
def find() -> dict[str, ResourceType]:
    """Discover every resource type, by its name."""
    known_types = [module.RESOURCE_TYPE for module in submodules(__name__)]
    return {resource_type.type: resource_type for resource_type in known_types}


def is_recognized(type_: str, region: str) -> bool:
    """Whether CloudFormation knows a type in a region; the sandbox cannot create all of them."""
    if type_ in find():
        regions = find()[type_].regions
        return regions is None or region in regions
    if type_ in _OTHER_TYPES or type_.startswith("Custom::"):
        return True
    found = re.fullmatch(r"AWS::(\w+)::\w+", type_)
    return bool(found and found[1] in _OTHER_NAMESPACES)


def attributes_of(type_: str) -> frozenset[str]:
    """Get the attributes of a type; empty if they are not known."""
    return find()[type_].attributes if type_ in find() else frozenset()


def already_exists(type_: str, name: str, token: str) -> ResourceError:
    """Make the error for a name that is in use."""
    return ResourceError(
        f"Resource of type '{type_}' with identifier '{name}' already exists."
        f" (RequestToken: {token}, HandlerErrorCode: AlreadyExists)"
    )
