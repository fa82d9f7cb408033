"""AWS::CloudFormation::StackSet with service-managed permissions, and its instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceError, ResourceType
from orchestrator.sandbox.services import cloudformation
from orchestrator.sandbox.stacksets import StackSet

_STACK_SET_PROPERTIES = (
    *("Description", "TemplateBody", "Parameters", "Capabilities", "Tags"),
    *("PermissionModel", "AutoDeployment", "ManagedExecution"),
    *("AdministrationRoleARN", "ExecutionRoleName"),
)


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    settings = _settings(properties)
    made = cloudformation.create_set(
        actor.state, actor.call("cloudformation", "CreateStackSet", settings)
    )["StackSetId"]
    for group in properties.get("StackInstancesGroup", []):
        parameters = {
            "StackSetName": properties["StackSetName"],
            "DeploymentTargets": group["DeploymentTargets"],
            "Regions": group["Regions"],
            "OperationPreferences": properties.get("OperationPreferences", {}),
        }
        cloudformation.create_instances(
            actor.state, actor.call("cloudformation", "CreateStackInstances", parameters)
        )
    return CreatedResource(made, {"StackSetId": made})


def _settings(properties: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: properties[name] for name in _STACK_SET_PROPERTIES if name in properties}
    return {**settings, "StackSetName": properties["StackSetName"]}


def _update(actor: Actor, stack_set_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    cloudformation.update_set(
        actor.state, actor.call("cloudformation", "UpdateStackSet", _settings(properties))
    )
    return CreatedResource(stack_set_id, {"StackSetId": stack_set_id})


def _delete(actor: Actor, stack_set_id: str) -> None:
    stack_set = _of(actor, stack_set_id)
    if stack_set is None:
        return
    if not stack_set.instances:
        cloudformation.delete_set(actor.state, _named(actor, "DeleteStackSet", stack_set))
    elif stack_set.running is None:
        instances = stack_set.instances.values()
        parameters = {
            "DeploymentTargets": {"OrganizationalUnitIds": sorted({i.ou for i in instances})},
            "Regions": sorted({i.region for i in instances}),
            "RetainStacks": False,
        }
        cloudformation.delete_instances(
            actor.state, _named(actor, "DeleteStackInstances", stack_set, **parameters)
        )


def _is_stable(actor: Actor, stack_set_id: str) -> bool:
    """Whether no operation is running; raise if the last one failed."""
    stack_set = _of(actor, stack_set_id)
    if stack_set is None or not stack_set.operations:
        return True
    if stack_set.running is not None:
        return False
    last = stack_set.operations[-1]
    if last.action == "DELETE" and last.status == "SUCCEEDED":
        if not stack_set.instances:
            cloudformation.delete_set(actor.state, _named(actor, "DeleteStackSet", stack_set))
        return True
    if last.status != "SUCCEEDED":
        raise ResourceError(
            f"Resource handler returned message: \"Operation '{last.id}' finished with status"
            f' {last.status}" (HandlerErrorCode: GeneralServiceException)'
        )
    return True


def _of(actor: Actor, stack_set_id: str) -> StackSet | None:
    sets = actor.state.stack_sets_of(actor.account_id, actor.region).values()
    return next((found for found in sets if found.id == stack_set_id), None)


def _named(actor: Actor, operation: str, stack_set: StackSet, **more: Any) -> Any:
    return actor.call("cloudformation", operation, {"StackSetName": stack_set.name, **more})


RESOURCE_TYPE = ResourceType(
    type="AWS::CloudFormation::StackSet",
    properties=frozenset(
        {
            *_STACK_SET_PROPERTIES,
            "StackSetName",
            "StackInstancesGroup",
            "OperationPreferences",
            "CallAs",
        }
    ),
    replacement_properties=frozenset({"StackSetName", "PermissionModel"}),
    name_property="StackSetName",
    create=_create,
    update=_update,
    delete=_delete,
    is_stable=_is_stable,
)
