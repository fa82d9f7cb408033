"""Compare the permissions of policies, modules, roles in AWS, and what octo.yaml asks for."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import assets
from orchestrator.app.context import AccountContext
from orchestrator.errors import ConfigError
from orchestrator.files import read_bounded
from orchestrator.model.effects import RoleChange, role_change
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.inputs import Inputs, module_inputs
from orchestrator.model.module_contract.octo_names import CUR_ROLE, EXECUTION_BOUNDARY, cur_bucket
from orchestrator.model.observed import Document, Role
from orchestrator.model.partition import partition_of_region
from orchestrator.model.policy import document, statements
from orchestrator.model.policy.grammar import fault
from orchestrator.model.registration import Registration

_POLICY = "policy"  # the name of a document of its own
_LARGEST_POLICY = 100_000  # bytes; AWS takes 32 KB, without white space, of a key's policy
_ROLE = re.compile(r"(?:arn:[\w-]+:iam::\d{12}:role/(?:[!-~]+/)?)?([\w+=,.@-]{1,64})", re.ASCII)
_ACCOUNT = "111122223333"  # for a module's folder, which belongs to no account
_MEANS = (
    "Name a file with a policy in JSON, the folder of a module with features.yaml, an octo.yaml,"
    " or a role of the account."
)
Connect = Callable[[], AccountContext]
Load = Callable[[Path], Registration]


def compare(first: str, second: str, *, load: Load, connect: Connect) -> tuple[RoleChange, ...]:
    """Compare what the roles of two sources may do, and who may assume them.

    Args:
        first: a file, a folder, a role's name or its ARN.
        second: likewise.
        connect: gives the account in whose AWS roles are read; called only if one is named.

    Raises:
        ConfigError: a name is none of these, or the two have no role in common.
    """
    boundaries: dict[str, Document | None] = {}
    before, after = (_roles(name, load, connect, boundaries) for name in (first, second))
    if len(before) == 1 or len(after) == 1:  # one role, or one policy: only that is compared
        names = before.keys() & after.keys()
        if not names and len(before) == len(after) == 1:  # of whatever name
            (other,) = after
            before = {other: replace(next(iter(before.values())), name=other)}
            names = {other}
        if not names:
            raise ConfigError(
                f"{first} and {second} have no role in common",
                where=f"{', '.join(before)} and {', '.join(after)}",
                hint=_MEANS,
            )
    else:
        names = before.keys() | after.keys()
    before, after = _comparable(before, after)
    named = {r.boundary for r in (*before.values(), *after.values()) if r.boundary}
    if others := named - boundaries.keys():
        boundaries |= connect().cloud.read_policies(others)
    changes = (role_change(before.get(n), after.get(n), boundaries) for n in sorted(names))
    has_ids = not (_is_desired(Path(first)) or _is_desired(Path(second)))
    plain = (_plain(change, has_ids=has_ids) for change in changes)
    return tuple(change for change in plain if change)


def _plain(change: RoleChange, *, has_ids: bool) -> RoleChange:
    """Ignore the account in a boundary's ARN, and external ids unless both sides have real ones."""
    before, after = (boundary.rpartition("/")[2] for boundary in change.boundary)
    trust = replace(change.trust, another_external_id=has_ids and change.trust.another_external_id)
    return replace(change, trust=trust, boundary=(before, after))


def _is_desired(path: Path) -> bool:
    """Tell whether roles are what a module or an octo.yaml asks for, which has no external id."""
    return path.is_dir() or (path.exists() and path.suffix in (".yaml", ".yml"))


def _comparable(
    before: Mapping[str, Role], after: Mapping[str, Role]
) -> tuple[Mapping[str, Role], Mapping[str, Role]]:
    """Leave out of roles what the document that they are compared with says nothing of.

    Raises:
        ConfigError: a trust policy is compared with a policy that grants permissions.
    """
    sides = (before, after)
    # By the ARN: one that is compared with a role got that role's name.
    documents = [r for side in sides for r in side.values() if r.arn == _POLICY]
    if not documents:
        return sides
    kinds = {bool(role.trust) for role in documents}
    if len(kinds) > 1:
        raise ConfigError(
            "one is a trust policy, and the other one grants permissions: nothing can be compared",
            where="A and B",
            hint="Name two policies of the same kind.",
        )
    left: dict[str, Any] = {"inline": {}, "managed": {}, "boundary": None}
    if not kinds.pop():
        left = {"trust": {}}
    was, now = ({name: replace(r, **left) for name, r in side.items()} for side in sides)
    return was, now


def _roles(
    name: str, load: Load, connect: Connect, boundaries: dict[str, Document | None]
) -> Mapping[str, Role]:
    """Read the roles of one side, and add the boundaries that are not in AWS."""
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0
    if stat.S_ISDIR(mode):
        return _of_module(path, boundaries)
    if mode and path.suffix in (".yaml", ".yml"):
        return _of_registration(load(path), boundaries)
    if mode:  # a pipe will do: <(aws iam get-role-policy ...)
        return {_POLICY: _of_document(path)}
    asked, is_arn = _ROLE.fullmatch(name), name.startswith("arn:")
    if asked is None or (path.suffix and not is_arn):
        raise ConfigError("does not exist", where=name, hint=_MEANS)
    role = connect().cloud.describe_role(asked[1])
    if role is None:
        raise ConfigError("there is no such file, folder or role", where=name, hint=_MEANS)
    if is_arn and role.arn and role.arn != name:
        raise ConfigError(f"is not in this account, which has {role.arn}", where=name, hint=_MEANS)
    return {role.name: role}


def _of_document(path: Path) -> Role:
    where = str(path)
    try:
        found = document(read_bounded(path, limit=_LARGEST_POLICY))
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        raise ConfigError(
            f"cannot be read as JSON: {error.msg}", where=where, hint=_MEANS
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON text"
        raise ConfigError(f"cannot be read as JSON: {reason}", where=where, hint=_MEANS) from None
    if wrong := fault(found):
        raise ConfigError(f"is not a policy as AWS takes it: {wrong}", where=where, hint=_MEANS)
    kinds = {
        ("Principal" in s or "NotPrincipal" in s, "Resource" in s or "NotResource" in s)
        for s in statements(found)
    }
    if kinds == {(True, False)}:
        return Role(_POLICY, _POLICY, trust=found)
    if kinds == {(False, True)}:
        return Role(_POLICY, _POLICY, inline={_POLICY: found})
    raise ConfigError(
        "is neither a trust policy (each statement with a Principal and no Resource) nor a policy"
        " that grants permissions (a Resource and no Principal)",
        where=where,
        hint="Policies of resources, like buckets, cannot be compared. " + _MEANS,
    )


def _of_module(folder: Path, boundaries: dict[str, Document | None]) -> dict[str, Role]:
    """Return the roles of a module with every feature and every execution action."""
    from ruamel.yaml.error import YAMLError

    try:
        known = table(folder.absolute())
        inputs = Inputs(
            _ACCOUNT,
            cur_bucket(_ACCOUNT),
            features=tuple(known.features),
            execution_actions=tuple(known.execution_actions),
        )
        return _of_inputs(inputs, boundaries, folder.absolute())
    except (OSError, ValueError, LookupError, RecursionError, YAMLError):
        raise ConfigError(
            "is not the folder of a module with a table of features and its policies",
            where=str(folder),
            hint=_MEANS,
        ) from None


def _of_registration(
    registration: Registration, boundaries: dict[str, Document | None]
) -> dict[str, Role]:
    inputs = module_inputs(registration)
    partition = partition_of_region(registration.region)
    found = _of_inputs(inputs, boundaries, partition=partition)
    if registration.account_type == "linked":
        found.pop(CUR_ROLE, None)
    return found


def _of_inputs(
    inputs: Inputs,
    boundaries: dict[str, Document | None],
    module: Path = assets.MODULE,
    *,
    partition: str = "aws",
) -> dict[str, Role]:
    account = inputs.account_id
    policies = documents.role_policies(
        inputs, inputs.features, partition=partition, account_id=account, module=module
    )
    bucket_arn = f"arn:{partition}:s3:::{inputs.cur_s3_bucket_name}"
    policies[CUR_ROLE] = documents.cur_policies(bucket_arn, inputs.cur_s3_prefix, module=module)
    octo = f"arn:{partition}:iam::{inputs.principal}:root"
    known = table(module)
    own = f"{module}/{EXECUTION_BOUNDARY}"
    boundaries[own] = documents.execution_boundary(partition, account, module=module)
    bounded = known.features["execution"].roles if "execution" in known.features else {}
    return {
        name: Role(
            name,
            f"arn:{partition}:iam::{account}:role/{name}",
            trust=documents.role_trust(
                known.roles[name].trust, octo, "id", partition=partition, account_id=account
            )
            if name != CUR_ROLE
            else documents.trust(octo, *(["id"] if inputs.cur_role_trust == "external_id" else [])),
            inline=inline,
            boundary=inputs.permissions_boundary or (own if name in bounded else None),
        )
        for name, inline in policies.items()
    }
