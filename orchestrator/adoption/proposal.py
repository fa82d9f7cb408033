"""Propose the octo.yaml by which existing resources are imported without replacing any."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.adoption import feature_proposal, report_proposal, stackset_proposal
from orchestrator.adoption.foreign_module import SECRET_KEYS, ForeignModule
from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.stated import Stated
from orchestrator.detection import permissions
from orchestrator.detection.compare import as_octos, path_obstacle
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.differences import (
    accepts_external_id,
    external_ids,
    foreign_principals,
    required_external_id,
)
from orchestrator.model.module_contract.documents import role_trust
from orchestrator.model.module_contract.features import feature_roles, policy_names, table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    APPROVER_ROLE,
    CUR_ROLE,
    EXECUTOR_ROLE,
    PRINCIPAL,
    UPDATER_ROLE,
)
from orchestrator.model.observed import OwningStack, Removal, Role
from orchestrator.model.partition import partition_of_arn


@dataclass(frozen=True)
class LeftoverRole:
    """A role that trusts Octo and is not adopted; it stays unless the user has it deleted.

    ``risks``: what is dangerous about its policies, in words. ``feature``: what Octo does by it;
    empty for a role that Octo does not know.
    """

    name: str
    risks: tuple[str, ...]
    feature: str = ""


@dataclass(frozen=True)
class Proposal:
    """What adoption would do, before Terraform plans it.

    Attributes:
        settings: for octo.yaml, by field name.
        external_id: the one that the account's role requires, else the one that was given; a
            secret. None if there is neither.
        adopted: the resources to import, by kind and name, like ``role AlphausAcctAccessRole``.
        removals: what the import removes from them; users must consent.
        today: the features that Octo has here now and nobody has chosen or declined, each with its
            roles.
        owners: the CloudFormation stack that owns an adopted resource, by the resource.
        obstacles: why roles that must be adopted cannot be, in words.
    """

    settings: Mapping[str, Any]
    external_id: str | None = field(repr=False)
    adopted: tuple[str, ...]
    removals: tuple[Removal, ...]
    leftovers: tuple[LeftoverRole, ...]
    warnings: tuple[str, ...]
    owners: Mapping[str, OwningStack]
    obstacles: tuple[str, ...] = ()
    today: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def propose(
    found: Inventory,
    stated: Stated,
    *,
    external_id: str | None = None,
    octo_has_id: bool = False,
) -> Proposal:
    """Decide what to adopt; what AWS has overrides what files say.

    Args:
        stated: what octo.yaml, flags and the user's Terraform files say.
        external_id: the one that Octo, octo.yaml or a flag gives; None if none does.
        octo_has_id: whether ``external_id`` comes from Octo.

    Raises:
        ConfigError: inputs that are needed cannot be resolved, or contradict AWS.
        Refused: the account has nothing to adopt.
    """
    warnings: list[str] = []
    module = stated.module
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
    features = _features(stated, settings)
    if "execution" not in features:
        settings = {n: v for n, v in settings.items() if not n.startswith("execution_")}
    kept = [API_ROLE, CUR_ROLE, *feature_roles(features)]
    if octo_has_id and external_id is not None:
        _check_octos_id(api, external_id)
    known_id = _external_id(api, stated, external_id, warnings)
    own = [role for n in kept if (role := found.roles.get(n))]
    adopted = [f"role {role.name}" for role in own if not path_obstacle(role)]
    removals: list[Removal] = []
    if found.account.account_type != "linked":
        report = report_proposal.propose(found, stated)
        settings |= report.settings
        adopted += report.adopted
        removals += report.removals
        warnings += report.warnings
    if found.account.account_type == "payer":
        adopted += _stack_set(found, stated, settings, warnings, removals, known_id)
    for name in kept:
        if role := found.roles.get(name):
            desired = as_octos(role, policy_names(name))
            if (kind := table().roles[name].trust) != "external_id":
                partition, account_id = partition_of_arn(role.arn), found.account.account_id
                by_others = role_trust(kind, "", "", partition=partition, account_id=account_id)
                desired = replace(desired, trust=by_others)
            removals += permissions.removals(f"role {name}", desired, role)
    if UPDATER_ROLE in found.roles and UPDATER_ROLE not in kept:
        warnings.append(
            f"Octo executes recommendations by {UPDATER_ROLE}, {EXECUTOR_ROLE} and {APPROVER_ROLE}."
            " They stay as they are. To have octo-tf manage them, with only the actions that you"
            " choose, add execution to features and the actions to execution_actions (--feature,"
            " --execution-action; see octo-tf features); deleting them ends execution in Octo."
        )
    settings |= _tags(found, adopted, warnings)
    if module and (given := [n for n in SECRET_KEYS if _is_set(module, n)]):
        warnings.append(
            f"{' and '.join(given)} ({module.inputs[given[0]].where}) are not adopted: octo-tf"
            " uses the AWS credential chain. Delete the key pair."
        )
    stated.require_readable()
    return Proposal(
        settings,
        known_id,
        tuple(adopted),
        tuple(removals),
        tuple(
            LeftoverRole(name, permissions.role_risks(role), _feature_of(name))
            for name, role in sorted(found.roles.items())
            if name not in kept
        ),
        tuple(warnings),
        {one: stack for one, stack in found.owners.items() if one in adopted},
        tuple(f"role {role.name}: {why}" for role in own if (why := path_obstacle(role))),
        {} if stated.overrides("features") else feature_proposal.today(found.roles),
    )


def _features(stated: Stated, proposed: Mapping[str, Any]) -> list[str]:
    """Return the features of the adopted registration: as stated, else as the account has them."""
    chosen = stated.get("features")
    if chosen is None and not stated.has_file:
        chosen = proposed.get("features")
    return list(dict.fromkeys(["cost", *(chosen or [])]))


def _feature_of(role: str) -> str:
    return next((name for name, f in table().features.items() if role in f.roles), "")


def _is_set(module: ForeignModule, name: str) -> bool:
    """Tell whether an input has a value: the published module takes "" for none."""
    given = module.inputs.get(name)
    return given is not None and (not given.known or bool(given.value))


def _external_id(
    api: Role | None, stated: Stated, given: str | None, warnings: list[str]
) -> str | None:
    """Decide the external id: the one that the role requires today, so that Octo keeps access."""
    required = required_external_id(api)
    known = given or required or stated.get("external_id")
    if given is not None and not accepts_external_id(api, given):
        raise ConfigError(
            f"the external id is not {'the one' if required else 'one'} that the role {API_ROLE}"
            f" {'requires' if required else 'accepts'} today",
            where="--external-id",
            hint="Omit it: the one of the role is used. With another, Octo would lose its access."
            if required
            else "Give the one that Octo presents. With another, Octo would lose its access.",
        )
    in_file = stated.module.inputs.get("external_id") if stated.module else None
    if known is not None and not accepts_external_id(api, known):
        raise ConfigError(
            f"external_id is not one that the role {API_ROLE} accepts today",
            where=in_file.where if in_file else "",
            hint="Give the one that Octo presents with --external-id-file or --external-id-env."
            " With another, Octo would lose its access.",
        )
    if required is not None and in_file and in_file.known and in_file.value != required:
        warnings.append(
            f"{in_file.where}: external_id is not the one that the role requires. The one of the"
            " role is used, since Octo presents it today."
        )
    if api is not None and PRINCIPAL not in json.dumps(api.trust):
        others = ", ".join(foreign_principals(api)) or "nobody"
        warnings.append(
            f"The role {API_ROLE} trusts {others}, not Octo's account {PRINCIPAL}; adoption"
            " replaces that."
        )
    elif required is None and external_ids(api):
        warnings.append(
            f"The role {API_ROLE} accepts more than one external id today; adoption leaves one."
            " Make sure that it is the one that Octo presents."
        )
    elif api is not None and required is None:
        warnings.append(
            f"The role {API_ROLE} requires no external id today; adoption adds one. Make sure that"
            " Octo has the same one."
        )
    return known


def _check_octos_id(api: Role | None, octos: str) -> None:
    if not accepts_external_id(api, octos):
        raise ConfigError(
            f"Octo presents an external id that the role {API_ROLE} does not accept today",
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
    stated: Stated,
    settings: dict[str, Any],
    warnings: list[str],
    removals: list[Removal],
    external_id: str | None,
) -> list[str]:
    wanted = stated.get("stackset_name")
    name = wanted if wanted in found.stack_sets else next(iter(sorted(found.stack_sets)), None)
    if name is None:
        if str(stated.get("use_stackset")).lower() == "true":
            settings["use_stackset"] = True
            warnings.append(
                "There is no StackSet with Octo's role: one is created, and deploys to the linked"
                " accounts."
            )
        return []
    if stated.overrides("use_stackset") and not stated.registration.get("use_stackset"):
        warnings.append(
            f"The StackSet {name} is not adopted, since use_stackset is not true. Octo keeps its"
            " access to its accounts."
        )
        return []
    proposed = stackset_proposal.propose(
        found.stack_sets[name],
        found.organization,
        external_id=external_id,
        features=_features(stated, settings),
        stated=stated,
    )
    settings |= proposed.settings
    warnings += proposed.warnings
    removals += proposed.removals
    return [f"StackSet {name}"] if proposed.settings else []
