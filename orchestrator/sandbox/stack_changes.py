"""How a stack comes, changes and goes, and back again where something fails.

A change is a generator that stops wherever it waits; ``advance`` takes each one step further
whenever anybody calls the sandbox.

Source: CloudFormation User Guide, "Stack failure options", "DeletionPolicy attribute", "Update
behaviors of stack resources".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import resources
from orchestrator.sandbox.resources import Act, Made, ResourceError
from orchestrator.sandbox.stacks import Resource, Stack, Work
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.world import World

_BEGUN = "User Initiated"  # the reason of the first event of every change
_RETAINS = ("Retain", "RetainExceptOnCreate")
_RETAINS_ON_ROLLBACK = ("Retain",)  # what was only just made, too


def check(act: Act, name: str, body: str, given: Mapping[str, str]) -> None:
    """What CloudFormation looks at before it makes or changes anything.

    Raises:
        TemplateError: it refuses.
    """
    scope = Stack(act, name, body, {}).scope(body, given)
    kinds = resources.find()
    types = {resource["Type"] for resource in scope.template["Resources"].values()}
    unknown = sorted(
        t for t in types if t not in kinds or act.region not in (kinds[t].regions or {act.region})
    )
    if unknown:
        raise TemplateError(
            f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]"
        )
    scope.check_references()
    scope.check_rules()
    scope.wanted()


def begin(stack: Stack, work: Work) -> None:
    """Sets a change going."""
    stack.work = work
    stack.act.world.stacks_at_work.append(stack)
    _step(stack)


def advance(world: World) -> None:
    """Takes every change as far as it goes now; the world's lock is held."""
    for stack in world.stacks_at_work:
        _step(stack)
    world.stacks_at_work = [stack for stack in world.stacks_at_work if stack.work is not None]


def at_once(stack: Stack, work: Work) -> None:
    """Carries a change out to its end, however long it would take."""
    for _ in work:
        pass
    stack.work = None


def _step(stack: Stack) -> None:
    if stack.work is not None and next(stack.work, StopIteration) is StopIteration:
        stack.work = None


def create(stack: Stack, seconds: float = 0.0) -> Work:
    """Makes every resource in turn, or rolls back."""
    stack.becomes("CREATE_IN_PROGRESS", _BEGUN)
    yield from _pause(seconds)
    scope = stack.scope(stack.template, stack.given)
    for logical_id, declared in scope.wanted().items():
        resource = Resource(logical_id, declared["Type"], {})
        stack.resources[logical_id] = resource
        try:
            yield from _make(stack, scope, resource, declared)
        except ResourceError as error:
            stack.note(resource, "CREATE_FAILED", str(error))
            why = f"The following resource(s) failed to create: [{logical_id}]. "
            if not stack.rolls_back:
                stack.becomes("CREATE_FAILED", why)
                return
            stack.becomes("ROLLBACK_IN_PROGRESS", why + "Rollback requested by user.")
            failed = yield from _remove(stack, list(stack.resources), keep=_RETAINS_ON_ROLLBACK)
            stack.becomes("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", why.strip())
            return
    stack.outputs = _outputs(scope)
    stack.becomes("CREATE_COMPLETE")


def update(
    stack: Stack, body: str, given: dict[str, str], tags: list[dict[str, str]], seconds: float = 0.0
) -> Work:
    """Brings the resources to another template or other parameters, or back on failure."""
    before = {name: resource.properties for name, resource in stack.resources.items()}
    stack.changed = time.time()
    stack.becomes("UPDATE_IN_PROGRESS", _BEGUN)
    yield from _pause(seconds)
    former_tags, stack.tags = stack.tags, tags
    try:
        scope = stack.scope(body, given)
        yield from _bring(stack, scope, scope.wanted())
    except ResourceError as error:
        stack.becomes("UPDATE_ROLLBACK_IN_PROGRESS", str(error))
        stack.tags = former_tags
        yield from _remove(
            stack, [n for n in stack.resources if n not in before], _RETAINS_ON_ROLLBACK
        )
        for name, properties in before.items():
            if stack.resources[name].properties != properties:
                yield from _change(stack, stack.resources[name], properties)
        stack.becomes("UPDATE_ROLLBACK_COMPLETE")
        return
    stack.template, stack.given = body, given
    stack.becomes("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    gone = [name for name in stack.resources if name not in scope.wanted()]
    yield from _remove(stack, gone, keep=_RETAINS)
    for name in gone:
        del stack.resources[name]
    stack.outputs = _outputs(scope)
    stack.becomes("UPDATE_COMPLETE")


def delete(stack: Stack, retain: Iterable[str] = (), seconds: float = 0.0) -> Work:
    """Removes the resources, the last first; those that are to be retained stay."""
    stack.becomes("DELETE_IN_PROGRESS", _BEGUN)
    yield from _pause(seconds)
    for name in retain:
        stack.resources[name].deletion_policy = "Retain"
    failed = yield from _remove(stack, list(stack.resources), keep=_RETAINS)
    if failed:
        names = ", ".join(failed)
        stack.becomes("DELETE_FAILED", f"The following resource(s) failed to delete: [{names}]. ")
        return
    stack.deleted = time.time()
    stack.becomes("DELETE_COMPLETE")


def failure(stack: Stack) -> str:
    """What a StackSet says of a stack that could not be made or changed; empty if it could."""
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
        return ""
    # The newest change's events: earlier ones may have failed in their own time.
    begun = max(i for i, e in enumerate(stack.events) if e.reason == _BEGUN)
    failed = next(e for e in stack.events[begun:] if e.status.endswith("_FAILED"))
    return (
        f"ResourceLogicalId:{failed.logical_id}, ResourceType:{failed.type},"
        f" ResourceStatusReason:{failed.reason}."
    )


def _pause(seconds: float) -> Work:
    until = time.time() + seconds
    while time.time() < until:
        yield


def _make(
    stack: Stack, scope: TemplateScope, resource: Resource, declared: Mapping[str, Any]
) -> Generator[None, None, None]:
    kind = resources.find()[resource.type]
    stack.note(resource, "CREATE_IN_PROGRESS")
    resource.properties = _properties(stack, scope, declared)
    resource.deletion_policy = declared.get("DeletionPolicy", "Delete")
    made = _try(lambda: kind.create(stack.act, resource.properties))
    _made(scope, resource, made)
    stack.note(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
    while not _try(lambda: kind.settled(stack.act, resource.physical_id)):
        yield
    stack.note(resource, "CREATE_COMPLETE")


def _bring(stack: Stack, scope: TemplateScope, wanted: Mapping[str, Mapping[str, Any]]) -> Work:
    for name, declared in wanted.items():
        known = stack.resources.get(name)
        if known is None:
            known = stack.resources[name] = Resource(name, declared["Type"], {})
            try:
                yield from _make(stack, scope, known, declared)
            except ResourceError as error:
                stack.note(known, "CREATE_FAILED", str(error))
                raise
            continue
        known.deletion_policy = declared.get("DeletionPolicy", "Delete")
        properties = _properties(stack, scope, declared)
        if properties != known.properties:
            try:
                yield from _change(stack, known, properties)
            except ResourceError as error:
                stack.note(known, "UPDATE_FAILED", str(error))
                raise
        scope.made[name] = {"Ref": known.physical_id, **known.attributes}


def _change(stack: Stack, resource: Resource, properties: Mapping[str, Any]) -> Work:
    kind = resources.find()[resource.type]
    replaces = any(resource.properties.get(n) != properties.get(n) for n in kind.replaced_by)
    stack.note(resource, "UPDATE_IN_PROGRESS")
    former = resource.physical_id
    if replaces:
        made = _try(lambda: kind.create(stack.act, properties))
    else:
        made = _try(lambda: kind.update(stack.act, former, properties))
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    resource.properties = properties
    while not _try(lambda: kind.settled(stack.act, resource.physical_id)):
        yield
    if replaces:
        _try(lambda: kind.delete(stack.act, former))
    stack.note(resource, "UPDATE_COMPLETE")


def _remove(
    stack: Stack, names: list[str], keep: tuple[str, ...]
) -> Generator[None, None, list[str]]:
    """Removes resources, the last first; the names of those that could not be."""
    failed = []
    for resource in [stack.resources[name] for name in reversed(names)]:
        if not resource.physical_id or resource.status == "DELETE_COMPLETE":
            continue
        if resource.deletion_policy in keep:
            stack.note(resource, "DELETE_SKIPPED")
            continue
        kind = resources.find()[resource.type]
        stack.note(resource, "DELETE_IN_PROGRESS")
        try:
            _try(lambda k=kind, r=resource: k.delete(stack.act, r.physical_id))
            while not _try(lambda k=kind, r=resource: k.settled(stack.act, r.physical_id)):
                yield
        except ResourceError as error:
            stack.note(resource, "DELETE_FAILED", str(error))
            failed.append(resource.logical_id)
            continue
        stack.note(resource, "DELETE_COMPLETE")
    return failed


def _properties(
    stack: Stack, scope: TemplateScope, declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    """A resource's properties, resolved; the stack's tags go onto what takes tags."""
    kind = resources.find()[declared["Type"]]
    properties: dict[str, Any] = _try(lambda: scope.resolve(declared.get("Properties", {})))
    if extraneous := sorted(properties.keys() - kind.properties):
        raise ResourceError(
            f"Properties validation failed for resource with message: #: extraneous key"
            f" [{extraneous[0]}] is not permitted"
        )
    if stack.tags and "Tags" in kind.properties:
        own = {tag["Key"] for tag in properties.get("Tags", [])}
        inherited = [tag for tag in stack.tags if tag["Key"] not in own]
        properties["Tags"] = [*properties.get("Tags", []), *inherited]
    return properties


def _made(scope: TemplateScope, resource: Resource, made: Made) -> None:
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    scope.made[resource.logical_id] = {"Ref": made.physical_id, **made.attributes}


def _outputs(scope: TemplateScope) -> dict[str, str]:
    return {
        name: str(scope.resolve(output["Value"]))
        for name, output in scope.template.get("Outputs", {}).items()
        if "Condition" not in output or scope.holds(output["Condition"])
    }


def _try(do: Any) -> Any:
    """Errors of the services, as CloudFormation passes them on."""
    try:
        return do()
    except ServiceException as error:
        raise ResourceError(
            f'Resource handler returned message: "{error.message}" (RequestToken: {uuid.uuid4()},'
            f" HandlerErrorCode: {_HANDLER_CODES.get(error.code, 'GeneralServiceException')})"
        ) from None
    except KeyError as missing:
        raise ResourceError(
            "Properties validation failed for resource with message: #: required key"
            f" [{missing.args[0]}] not found"
        ) from None


_HANDLER_CODES = {
    "AccessDenied": "AccessDenied",
    "AccessDeniedException": "AccessDenied",
    "NameAlreadyExistsException": "AlreadyExists",
    "ValidationException": "InvalidRequest",
    "ValidationError": "InvalidRequest",
    "MalformedPolicyDocument": "InvalidRequest",
}
