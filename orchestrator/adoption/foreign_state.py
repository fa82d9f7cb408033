"""Read which resources another Terraform state has of the published module, and remove them there.

The published module has a provider block inside, so ``removed`` blocks are refused for its
resources: ``terraform state rm`` is the way, and destroys nothing.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.errors import ConfigError, EngineError, WrongAccount
from orchestrator.files import write_atomically
from orchestrator.model.module_contract.octo_names import cur_bucket
from orchestrator.terraform.client import Terraform
from orchestrator.terraform.failures import ENCRYPTED_HINT
from orchestrator.terraform.state import address_of

_Held = tuple[dict[str, Any], dict[str, Any]]  # a resource of a state, and one of its instances
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/")
_KEY = r'(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?'
_LEVEL = re.compile(r"module\.[\w-]+" + _KEY)
# The attributes that hold a resource's own name, or the name of what it belongs to.
_NAMES = ("name", "role", "role_name", "bucket", "report_name", "stack_set_name")
# Of each type of the module's resources: the attributes that say whose it is.
_OWNERS = {
    r"aws_iam_role": ("name",),
    r"aws_iam_role_\w+": ("role", "role_name"),
    r"aws_s3_bucket(?!_object)\w*": ("bucket",),
    r"aws_cur_report_definition": ("report_name",),
    r"aws_cloudformation_stack_set": ("name",),
    r"aws_cloudformation_stack_set_instance": ("stack_set_name",),
}


@dataclass(frozen=True)
class ForeignState:
    """What another state has of the published module.

    Attributes:
        addresses: the module's resources, to be removed from that state.
        instance: the address of the module's instance, with its keys; empty if the
            resources were identified by their names instead.
    """

    addresses: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()
    instance: str = ""
    is_read: bool = True

    def commands(self, module: ForeignModule) -> list[str]:
        """Give the commands that remove the module's resources, for a shell.

        Of a state that was not read, they name the module, or its resources by the files. Of
        several instances of the module, the user has to name this account's.
        """
        if not self.is_read and module.is_repeated:
            return [
                f"terraform state list {module.address}",
                f"terraform state rm '{module.address}[KEY]'  # with the key of this account",
            ]
        unread = [module.address] if module.address else module.resources
        addresses = self.addresses if self.is_read else unread
        return [shlex.join(["terraform", "state", "rm", *addresses])] if addresses else []


def read_state(
    terraform: Terraform,
    module: ForeignModule,
    names: Collection[str],
    *,
    stays: Collection[str] = (),
    account_id: str | None = None,
    may_fail: bool = False,
) -> list[ForeignState]:
    """Read the state of the folder that uses the published module, by instances of the module.

    Args:
        module: the published module there.
        names: the roles, buckets, reports and StackSets to adopt. They identify the module's
            resources if the folder is the module itself, or if the state has the resources at
            another address than the files: a block was renamed, moved or removed since the last
            apply.
        stays: the ``names`` that Octo only reads (USE_EXISTING). They stay in the user's state,
            unless the folder is the module, or they are in a submodule that has Octo's roles.
        account_id: the account whose resources are identified by name; None if it is not known.
        may_fail: whether a state that cannot be read is no error, since it is to stay as it is.

    Raises:
        EngineError: the state cannot be read.
    """
    try:
        text = terraform.pull()
    except EngineError as error:
        if may_fail:
            return [ForeignState(is_read=False)]
        raise EngineError(
            error.what,
            where=str(module.folder),
            hint="Run terraform init in that folder, then the same command again. Where only"
            " HCP Terraform can read the state, add --keep-old-state: the command that removes the"
            f" resources from it is printed, to be run there. {ENCRYPTED_HINT}",
        ) from None
    resources = json.loads(text).get("resources", []) if text else []
    held: list[_Held] = [(r, instance) for r in resources for instance in r["instances"]]
    found: dict[str, list[_Held]] = {}
    for one in held:
        owner = _instance_of(one[0], module.address)
        if owner:
            found.setdefault(owner, []).append(one)
    at_address = [one for own in found.values() for one in own]
    has_roles = len(found) > 1 or any(_accounts(*one) for one in at_address)
    if not has_roles and (named := _named(held, names, stays, module, account_id)):
        found = {"": [*at_address, *(one for one in named if one not in at_address)]}
    return [
        ForeignState(
            tuple(sorted(address_of(*one) for one in own)),
            frozenset(account for one in own for account in _accounts(*one)),
            name,
        )
        for name, own in sorted(found.items())
    ] or [ForeignState()]


def of_account(
    states: list[ForeignState], account_id: str | None, *, may_lack: bool = False
) -> ForeignState:
    """Choose the instance of the module that is in an account, where ``for_each`` made several.

    ``may_lack``: whether an earlier run may have released the account's own.

    Raises:
        ConfigError: there are several, and the account is not known.
        WrongAccount: the instances are in other accounts.
    """
    if len(states) == 1 and (account_id is None or states[0].accounts <= {account_id}):
        return states[0]
    accounts = sorted({account for state in states for account in state.accounts})
    if account_id is None:
        raise ConfigError(
            f"the state has the module for several accounts: {', '.join(accounts)}",
            where="--account-id",
            hint="Name the account to adopt; each one has an octo.yaml of its own.",
        )
    own = [state for state in states if state.accounts == {account_id}]
    if not own and may_lack and all("[" in state.instance for state in states):
        return ForeignState()
    if len(own) != 1:
        raise WrongAccount(
            f"the state has roles of account {', '.join(accounts) or '(unknown)'}, not of account"
            f" {account_id}; nothing was written",
            hint="Name the folder of this account, or correct the account id.",
        )
    return own[0]


def names_in(state: str) -> frozenset[str]:
    """Return the names that a state's resources have in AWS; none of a text that is no state."""
    try:
        return frozenset(
            str(name)
            for resource in json.loads(state or "{}").get("resources", [])
            if resource.get("mode") == "managed"
            for instance in resource["instances"]
            for key in _NAMES
            if (name := _attributes(instance).get(key))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()


def _instance_of(resource: dict[str, Any], address: str) -> str | None:
    """Return the address of the module's instance that a resource is in; None if it is in none."""
    if not address:
        return None
    levels = r"\.module\.".join(re.escape(level) + _KEY for level in address.split(".module."))
    match = re.match(rf"({levels})(?:\.|$)", resource.get("module", ""))
    return match[1] if match else None


def _named(
    held: list[_Held],
    names: Collection[str],
    stays: Collection[str],
    module: ForeignModule,
    account_id: str | None,
) -> list[_Held]:
    """Find the module's resources by name: those in ``names``, and the policies of its roles.

    They are in a module that has Octo's roles, or next to it. Unless the folder is the module, all
    roles must be of one account: the adopted one, if it is known. Roles of other accounts do not
    count if they are in modules apart from this account's.
    """
    roles = [one for one in held if one[0]["type"] == "aws_iam_role" and _owner(*one) in names]
    own = [one for one in roles if account_id in (None, *_accounts(*one))]
    others = _homes([one for one in roles if one not in own])
    is_root = not module.address and bool(module.where)
    if own and not is_root and not any(_is_within(one, _around(_homes(own))) for one in others):
        roles = own
    accounts = {account for one in roles for account in _accounts(*one)}
    if module.address and (len(accounts) != 1 or account_id not in (None, *accounts)):
        return []
    names = {*names, *map(cur_bucket, accounts)}
    homes = _homes(roles)
    everywhere = {""} if is_root or not homes else set()
    around = everywhere | _around(homes)
    inside = {""} if is_root else homes - {""}  # of the module for certain
    policies = _attached_policies(held, names)
    found = []
    for resource, instance in held:
        path, arn = resource.get("module", ""), str(_attributes(instance).get("arn") or "")
        owner = _owner(resource, instance)
        is_own = owner in names and (owner not in stays or _is_within(path, inside))
        is_policy = resource["type"] == "aws_iam_policy" and arn in policies
        is_own |= is_policy and _is_within(path, everywhere | homes)
        elsewhere = len(accounts) == 1 and {*arn.split(":")[4:5]} - {"", *accounts}
        if is_own and not elsewhere and _is_within(path, around):
            found.append((resource, instance))
    return found


def _homes(roles: list[_Held]) -> set[str]:
    """Return the addresses of the modules that hold the roles; "" is the root."""
    return {resource.get("module", "") for resource, _ in roles}


def _around(homes: set[str]) -> set[str]:
    """Add each module's parent, which also holds the other parts if it is divided, as ours is.

    A module at the top adds nothing: its parent is the whole folder.
    """
    return homes | {".".join(_LEVEL.findall(home)[:-1]) or home for home in homes}


def _is_within(path: str, modules: Collection[str]) -> bool:
    return any(not one or path == one or path.startswith(f"{one}.") for one in modules)


def _owner(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    """Return the name of the role, bucket, report or StackSet that a resource is, or belongs to.

    Empty for other types, and for data sources: they stay, as other resources may need them.
    """
    kinds = _OWNERS if resource.get("mode") == "managed" else {}
    keys = next((k for kind, k in kinds.items() if re.fullmatch(kind, resource["type"])), ())
    return next((str(name) for key in keys if (name := _attributes(instance).get(key))), "")


def _attached_policies(held: list[_Held], names: Collection[str]) -> set[str]:
    """Return the ARNs of the managed policies that are attached to the roles of these names."""
    found: set[str] = set()
    for resource, instance in held:
        if resource["type"].startswith("aws_iam_role") and _owner(resource, instance) in names:
            attributes = _attributes(instance)
            found |= {*(attributes.get("managed_policy_arns") or ())}
            found.add(attributes.get("policy_arn") or "")
    return found - {""}


def _attributes(instance: dict[str, Any]) -> dict[str, Any]:
    """Return an instance's attributes; those of Terraform 0.11 are flat until the next apply."""
    return instance.get("attributes") or instance.get("attributes_flat") or {}


def _accounts(resource: dict[str, Any], instance: dict[str, Any]) -> list[str]:
    if resource["type"] != "aws_iam_role":
        return []
    return _ROLE_ARN.findall(str(_attributes(instance).get("arn")))


def release(terraform: Terraform, state: ForeignState, folder: Path) -> Path:
    """Remove the module's resources from the other state, after a copy of it was saved (0600).

    Returns:
        The path of the copy.

    Raises:
        EngineError: the copy cannot be written, or the state cannot be changed.
    """
    copy = folder / time.strftime("released-%Y%m%dT%H%M%SZ.tfstate", time.gmtime())
    try:
        write_atomically(copy, terraform.pull().encode())
    except OSError as error:
        raise EngineError(
            f"the copy of the state cannot be written: {error.strerror}", where=str(copy)
        ) from error
    terraform.forget(*state.addresses)
    return copy


def has_released(folder: Path) -> bool:
    """Tell whether another state released resources before: its copy is in the folder."""
    return any(folder.glob("released-*.tfstate"))
