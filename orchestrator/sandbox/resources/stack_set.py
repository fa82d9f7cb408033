"""AWS::CloudFormation::StackSet with service-managed permissions: the set and its instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Act, Kind, Made, ResourceError
from orchestrator.sandbox.services import cloudformation
from orchestrator.sandbox.stacksets import StackSet

_OF_THE_SET = (
    *("Description", "TemplateBody", "Parameters", "Capabilities", "Tags"),
    *("PermissionModel", "AutoDeployment", "ManagedExecution"),
)


def _create(act: Act, properties: Mapping[str, Any]) -> Made:
    settings = _settings(properties)
    made = cloudformation.create_set(
        act.world, act.call("cloudformation", "CreateStackSet", settings)
    )["StackSetId"]
    for group in properties.get("StackInstancesGroup", []):
        parameters = {
            "StackSetName": properties["StackSetName"],
            "DeploymentTargets": group["DeploymentTargets"],
            "Regions": group["Regions"],
            "OperationPreferences": properties.get("OperationPreferences", {}),
        }
        cloudformation.create_instances(
            act.world, act.call("cloudformation", "CreateStackInstances", parameters)
        )
    return Made(made, {"StackSetId": made})


def _settings(properties: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: properties[name] for name in _OF_THE_SET if name in properties}
    return {**settings, "StackSetName": properties["StackSetName"]}


def _update(act: Act, stack_set_id: str, properties: Mapping[str, Any]) -> Made:
    cloudformation.update_set(
        act.world, act.call("cloudformation", "UpdateStackSet", _settings(properties))
    )
    return Made(stack_set_id, {"StackSetId": stack_set_id})


def _delete(act: Act, stack_set_id: str) -> None:
    stack_set = _of(act, stack_set_id)
    if stack_set is None:
        return
    if not stack_set.instances:
        cloudformation.delete_set(act.world, _named(act, "DeleteStackSet", stack_set))
    elif stack_set.running is None:
        instances = stack_set.instances.values()
        parameters = {
            "DeploymentTargets": {"OrganizationalUnitIds": sorted({i.ou for i in instances})},
            "Regions": sorted({i.region for i in instances}),
            "RetainStacks": False,
        }
        cloudformation.delete_instances(
            act.world, _named(act, "DeleteStackInstances", stack_set, **parameters)
        )


def _settled(act: Act, stack_set_id: str) -> bool:
    """Whether no operation is under way; the last one must have gone well."""
    stack_set = _of(act, stack_set_id)
    if stack_set is None or not stack_set.operations:
        return True
    if stack_set.running is not None:
        return False
    last = stack_set.operations[-1]
    if last.action == "DELETE" and last.status == "SUCCEEDED":
        if not stack_set.instances:
            cloudformation.delete_set(act.world, _named(act, "DeleteStackSet", stack_set))
        return True
    if last.status != "SUCCEEDED":
        raise ResourceError(
            f"Resource handler returned message: \"Operation '{last.id}' finished with status"
            f' {last.status}" (HandlerErrorCode: GeneralServiceException)'
        )
    return True


def _of(act: Act, stack_set_id: str) -> StackSet | None:
    sets = act.world.stack_sets_of(act.account_id, act.region).values()
    return next((found for found in sets if found.id == stack_set_id), None)


def _named(act: Act, operation: str, stack_set: StackSet, **more: Any) -> Any:
    return act.call("cloudformation", operation, {"StackSetName": stack_set.name, **more})


KIND = Kind(
    type="AWS::CloudFormation::StackSet",
    properties=frozenset(
        {*_OF_THE_SET, "StackSetName", "StackInstancesGroup", "OperationPreferences", "CallAs"}
    ),
    replaced_by=frozenset({"StackSetName", "PermissionModel"}),
    create=_create,
    update=_update,
    delete=_delete,
    settled=_settled,
)
