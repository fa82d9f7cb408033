"""Read an account that may be adopted: what it has, and the Terraform folder that created it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from orchestrator.adoption import foreign_module, foreign_state
from orchestrator.adoption.expressions import Input
from orchestrator.adoption.foreign_module import ForeignModule, NoModule
from orchestrator.adoption.foreign_state import ForeignState
from orchestrator.adoption.inventory import Inventory, read_inventory
from orchestrator.adoption.proposal import Proposal, propose
from orchestrator.aws import sts
from orchestrator.aws.errors import explained
from orchestrator.aws.identity import identify, reach
from orchestrator.cancellation import Cancellation
from orchestrator.config.load import access, load, read_document
from orchestrator.errors import ConfigError, Refused, WrongAccount
from orchestrator.model.account import Account
from orchestrator.model.module_contract.addresses import ROLES
from orchestrator.model.module_contract.octo_names import OTHER_ROLES
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, Registration, flag_of
from orchestrator.terraform import binary
from orchestrator.terraform.client import Terraform

# Octo's external id for a registration; None if Octo does not answer.
AskOcto = Callable[[Registration], SecretStr | None]


@dataclass(frozen=True)
class Folder:
    """The user's Terraform folder: its path, and how to read it.

    ``module`` names the module's block if the folder has several.
    """

    path: Path
    environ: Mapping[str, str] = field(repr=False)
    module: str | None = None
    var_files: tuple[Path, ...] = ()
    tf_path: str | None = None


@dataclass(frozen=True)
class Candidate:
    """An account that may be adopted.

    Attributes:
        settings: what octo.yaml lacks, besides the flags: all of it if it is absent.
        inventory: what the account has.
        proposal: what to adopt of it.
        module: the published module in the user's folder; None without a folder.
        state: what that folder's state has of the module.
        terraform: in that folder.
    """

    settings: Mapping[str, Any] = field(repr=False)
    inventory: Inventory
    proposal: Proposal
    module: ForeignModule | None
    state: ForeignState
    terraform: Terraform | None


def read_candidate(
    config: Path,
    flags: Mapping[str, Any],
    folder: Folder | None,
    environ: Mapping[str, str],
    *,
    ask_octo: AskOcto | None = None,
    cancellation: Cancellation | None = None,
) -> Candidate:
    """Read files, state and account; nothing is written.

    Args:
        config: octo.yaml; it may be absent.
        flags: what to register, by field name.
        folder: the user's Terraform folder; None adopts what the account has.
        environ: for ``external_id_env``.
        ask_octo: reads the external id from Octo; None without credentials for Octo.
        cancellation: stops the Terraform that reads the user's state.

    Raises:
        ConfigError: the files lack something, or no file and no flag names the account.
        WrongAccount: the credentials belong to another account than the state or octo.yaml.
        Refused: the account has nothing to adopt.
    """
    known = access(config, flags)
    module = _read_module(folder, flags, may_lack=config.exists()) if folder else None
    names = _names(module, config, flags)
    state, terraform = ForeignState(), None
    if folder and module:
        terraform = Terraform(
            binary.find(folder.tf_path, folder.environ),
            module.folder.absolute(),
            environ=folder.environ,
            secrets=_secrets(module),
            cancellation=cancellation,
        )
        state = foreign_state.read_state(terraform, module, {*names, *ROLES.values(), *OTHER_ROLES})
    account_id = _account_id(known.account_id, state, config)
    aws = reach(known.region, known.credentials)
    account: Account = identify(aws, account_id, declared_type=known.account_type)
    with explained("reading what the account has"):
        inventory = read_inventory(aws, account, names=names)
    own, octos = None, None
    if ask_octo or config.exists() or any(source in flags for source in EXTERNAL_ID_SOURCES):
        given = {"account_id": account_id, **flags}
        registration = load(config, given, environ, octo_has_external_id=True)
        own = registration.external_id
        octos = ask_octo(registration) if ask_octo else None
    external_id = octos or own
    proposal = propose(
        inventory,
        module,
        external_id=external_id.get_secret_value() if external_id else None,
        octo_has_id=octos is not None,
    )
    if proposal.external_id is None:
        raise ConfigError(
            "the external id is unknown: no role requires one, and no file has it",
            where=account_id,
            hint="Give it with --external-id-file or --external-id-env, or set ALPHAUS_CLIENT_ID"
            " and ALPHAUS_CLIENT_SECRET: Octo has it.",
        )
    settings = {} if config.exists() else {"account_id": account_id, **proposal.settings}
    if external_id is None:
        settings["external_id"] = proposal.external_id
    return Candidate(settings, inventory, proposal, module, state, terraform)


def read_account(config: Path, flags: Mapping[str, Any]) -> tuple[Inventory, Proposal | None]:
    """Read what the account of the credentials has, and what could be adopted; None if nothing.

    Raises:
        WrongAccount: octo.yaml or a flag names another account.
        AwsError: an AWS call failed.
    """
    known = access(config, flags)
    aws = reach(known.region, known.credentials)
    account_id = known.account_id
    if account_id is None:  # nothing is changed, so any account of the caller may be read
        with explained("identifying the account"):
            account_id = sts.caller_identity(aws)["Account"]
    account = identify(aws, account_id, declared_type=known.account_type)
    with explained("reading what the account has"):
        inventory = read_inventory(aws, account, names=_names(None, config, flags))
    try:
        return inventory, propose(inventory, None)
    except Refused:
        return inventory, None


def _read_module(folder: Folder, flags: Mapping[str, Any], *, may_lack: bool) -> ForeignModule:
    """Read the module's inputs; flags override them.

    ``may_lack``: whether the block may be removed already, as after an adoption; the folder's state
    may still have some of its resources.
    """
    try:
        module = foreign_module.read_module(
            folder.path, folder.environ, name=folder.module, var_files=[*folder.var_files]
        )
    except NoModule:
        if not may_lack:
            raise
        return ForeignModule(folder.path, "", "", {})
    given = {n: Input(value, flag_of(n)) for n, value in flags.items() if n in module.inputs}
    return ForeignModule(module.folder, module.address, module.where, {**module.inputs, **given})


def _account_id(known: str | None, state: ForeignState, config: Path) -> str:
    """Decide which account is meant: the one that was named, or that the state's roles are in."""
    if known is None and len(state.accounts) == 1:
        (known,) = state.accounts
    if known is None:
        raise ConfigError(
            "account_id is missing",
            where=f"{config} or --account-id",
            hint="Name the account to adopt: octo-tf refuses any other.",
        )
    if state.accounts - {known}:
        raise WrongAccount(
            f"the state has roles of account {', '.join(sorted(state.accounts))}, not of account"
            f" {known}; nothing was written",
            hint="Name the folder of this account, or correct the account id.",
        )
    return known


def _names(module: ForeignModule | None, config: Path, flags: Mapping[str, Any]) -> set[str]:
    """Collect the names of bucket, report and StackSet that flags, octo.yaml or files give."""
    document = read_document(config)
    wanted = ("cur_s3_bucket_name", "cur_report_name", "stackset_name")
    given = [flags.get(n) or document.get(n) for n in wanted]
    if module:
        given += [module.inputs[n].value for n in wanted if n in module.inputs]
    return {str(name) for name in given if name}


def _secrets(module: ForeignModule) -> list[str]:
    return [
        str(module.inputs[n].value)
        for n in ("external_id", *foreign_module.SECRET_KEYS)
        if n in module.inputs and module.inputs[n].value
    ]
