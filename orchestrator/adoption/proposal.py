"""Propose the octo.yaml by which existing resources are imported without replacing any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.adoption import feature_proposal, report_proposal, stackset_proposal
from orchestrator.adoption.foreign_module import SECRET_KEYS, ForeignModule, input_of
from orchestrator.adoption.inventory import Inventory
from orchestrator.detection import permissions
from orchestrator.detection.compare import as_octos
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.differences import required_external_id
from orchestrator.model.module_contract.features import feature_roles, policy_names
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    APPROVER_ROLE,
    CUR_ROLE,
    EXECUTOR_ROLE,
    UPDATER_ROLE,
)
from orchestrator.model.observed import OwningStack, Removal, Role


@dataclass(frozen=True)
class LeftoverRole:
    """A role that trusts Octo and is not adopted; it stays unless the user has it deleted.

    ``risks``: what is dangerous about its policies, in words.
    """

    name: str
    risks: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What adoption would do, before Terraform plans it.

    Attributes:
        settings: for octo.yaml, by field name.
        external_id: the one that the account's role requires, else the one that was given; a
            secret. None if there is neither.
        adopted: the resources to import, by kind and name, like ``role AlphausAcctAccessRole``.
        removals: what the import removes from them; users must consent.
        leftovers: roles for Octo that are not adopted.
        warnings: sentences that the user should read.
        owners: the CloudFormation stack that owns an adopted resource, by the resource.
    """

    settings: Mapping[str, Any]
    external_id: str | None = field(repr=False)
    adopted: tuple[str, ...]
    removals: tuple[Removal, ...]
    leftovers: tuple[LeftoverRole, ...]
    warnings: tuple[str, ...]
    owners: Mapping[str, OwningStack]


def propose(
    found: Inventory,
    module: ForeignModule | None,
    *,
    external_id: str | None = None,
    octo_has_id: bool = False,
) -> Proposal:
    """Decide what to adopt; what AWS has overrides what files say.

    Args:
        found: what the account has.
        module: the published module in the user's Terraform files; None without such files.
        external_id: the one that Octo, octo.yaml or a flag gives; None if none does.
        octo_has_id: whether ``external_id`` comes from Octo.

    Raises:
        ConfigError: an input that is needed cannot be resolved, or contradicts AWS.
        Refused: the account has nothing to adopt.
    """
    warnings: list[str] = []
    api = found.roles.get(API_ROLE)
    if api is None and not (CUR_ROLE in found.roles or module):
        raise Refused(
            f"there is nothing to adopt: the account has no role {API_ROLE}",
            where=found.account.account_id,
            hint="Register the account with octo-tf init and octo-tf apply.",
        )
    settings: dict[str, Any] = {"account_type": found.account.account_type}
    settings |= {
        **feature_proposal.propose(found.roles),
        **_boundary(found, warnings),
        **_sessions(found),
    }
    kept = [API_ROLE, CUR_ROLE, *feature_roles(settings.get("features", ["cost"]))]
    if octo_has_id and external_id is not None:
        _check_octos_id(api, external_id)
    known_id = _external_id(api, module, external_id, warnings)
    adopted = [f"role {n}" for n in kept if n in found.roles]
    removals: list[Removal] = []
    if found.account.account_type != "linked":
        report = report_proposal.propose(found, module)
        settings |= report.settings
        adopted += report.adopted
        removals += report.removals
        warnings += report.warnings
    if found.account.account_type == "payer":
        adopted += _stack_set(found, module, settings, warnings, removals, known_id)
    for name in kept:
        if role := found.roles.get(name):
            desired = as_octos(role, policy_names(name))
            if name in (EXECUTOR_ROLE, APPROVER_ROLE):
                desired = replace(desired, trust=role.trust)
            removals += permissions.removals(f"role {name}", desired, role)
    if UPDATER_ROLE in found.roles and UPDATER_ROLE not in kept:
        warnings.append(
            f"Octo executes recommendations by {UPDATER_ROLE}, {EXECUTOR_ROLE} and {APPROVER_ROLE}."
            " They stay as they are. To have octo-tf manage them, with only the actions that you"
            " choose, add execution to features and the actions to execution_actions (see octo-tf"
            " features); deleting them ends execution in Octo."
        )
    settings |= _tags(found, adopted, warnings)
    if module and (given := [n for n in SECRET_KEYS if _is_set(module, n)]):
        warnings.append(
            f"{' and '.join(given)} ({module.inputs[given[0]].where}) are not adopted: octo-tf"
            " uses the AWS credential chain. Delete the key pair."
        )
    return Proposal(
        settings,
        known_id,
        tuple(adopted),
        tuple(removals),
        tuple(
            LeftoverRole(name, permissions.role_risks(role))
            for name, role in sorted(found.roles.items())
            if name not in kept
        ),
        tuple(warnings),
        {one: stack for one, stack in found.owners.items() if one in adopted},
    )


def _is_set(module: ForeignModule, name: str) -> bool:
    """Tell whether an input has a value: the published module takes "" for none."""
    given = module.inputs.get(name)
    return given is not None and (not given.known or bool(given.value))


def _external_id(
    api: Role | None, module: ForeignModule | None, given: str | None, warnings: list[str]
) -> str | None:
    """Decide the external id: the one that the role requires today, so that Octo keeps access."""
    required = required_external_id(api)
    stated = input_of(module, "external_id") if given is None and required is None else None
    known = given or required or stated
    if required is not None and given not in (None, required):
        raise ConfigError(
            f"the external id is not the one that the role {API_ROLE} requires today",
            where="--external-id",
            hint="Omit it: the one of the role is used. With another, Octo would lose its access.",
        )
    in_file = module.inputs.get("external_id") if module else None
    if required is not None and in_file and in_file.known and in_file.value != required:
        warnings.append(
            f"{in_file.where}: external_id is not the one that the role requires. The one of the"
            " role is used, since Octo presents it today."
        )
    if api is not None and required is None:
        warnings.append(
            f"The role {API_ROLE} requires no external id today; adoption adds one. Make sure that"
            " Octo has the same one."
        )
    return known


def _check_octos_id(api: Role | None, octos: str) -> None:
    required = required_external_id(api)
    if required is not None and required != octos:
        raise ConfigError(
            f"Octo presents another external id than the role {API_ROLE} requires today",
            where=API_ROLE,
            hint="Check whose credentials for Octo these are (ALPHAUS_CLIENT_ID, --octo-profile)."
            " With --no-octo the one of the role is used.",
        )


def _tags(found: Inventory, adopted: list[str], warnings: list[str]) -> dict[str, Any]:
    """Keep the tags that all adopted resources have: octo.yaml has one set for all."""
    tagged = [r.tags for n, r in found.roles.items() if f"role {n}" in adopted]
    tagged += [b.tags for n, b in found.buckets.items() if f"bucket {n}" in adopted]
    everywhere = set.intersection(*(set(tags.items()) for tags in tagged)) if tagged else set()
    if lost := sorted({key for tags in tagged for key, _ in set(tags.items()) - everywhere}):
        warnings.append(
            f"Tags that only some of the resources have are removed: {', '.join(lost)}. Add those"
            " that matter to tags in octo.yaml, or with --tag."
        )
    return {"tags": dict(sorted(everywhere))} if everywhere else {}


def _sessions(found: Inventory) -> dict[str, Any]:
    """Keep the longest session that a role allows today: a shorter one could stop Octo."""
    usual = Inputs.max_session_duration
    longest = max((r.max_session_duration for r in _reading(found)), default=usual)
    return {"max_session_duration": longest} if longest != usual else {}


def _reading(found: Inventory) -> list[Role]:
    """List the roles by which Octo reads, here and in the accounts of the StackSets."""
    roles = [r for n in (API_ROLE, CUR_ROLE) if (r := found.roles.get(n))]
    linked = [s.deployed_content.role for s in found.stack_sets.values() if s.deployed_content]
    return [*roles, *(role for role in linked if role)]


def _boundary(found: Inventory, warnings: list[str]) -> dict[str, Any]:
    account_id = found.account.account_id
    boundaries = {
        r.boundary and r.boundary.replace("${AWS::AccountId}", account_id) for r in _reading(found)
    }
    if len(boundaries) == 1 and (boundary := boundaries.pop()):
        return {"permissions_boundary": boundary}
    if len(boundaries) > 1:
        warnings.append(
            "The roles have different permissions boundaries, and octo.yaml has one for all: set"
            " permissions_boundary before you apply, or they are removed."
        )
    return {}


def _stack_set(
    found: Inventory,
    module: ForeignModule | None,
    settings: dict[str, Any],
    warnings: list[str],
    removals: list[Removal],
    external_id: str | None,
) -> list[str]:
    wanted = input_of(module, "stackset_name")
    name = wanted if wanted in found.stack_sets else next(iter(sorted(found.stack_sets)), None)
    if name is None:
        if input_of(module, "use_stackset") is True:
            settings["use_stackset"] = True
        return []
    proposed = stackset_proposal.propose(
        found.stack_sets[name],
        found.organization,
        external_id=external_id,
        features=settings.get("features", ["cost"]),
    )
    settings |= proposed.settings
    warnings += proposed.warnings
    removals += proposed.removals
    return [f"StackSet {name}"] if proposed.settings else []
