"""Read an account that may be adopted: what it has, and the Terraform folder that created it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from orchestrator.adoption import foreign_module, foreign_state
from orchestrator.adoption.discovery import Discovery, discover
from orchestrator.adoption.foreign_module import ForeignModule, NoModule
from orchestrator.adoption.foreign_state import ForeignState
from orchestrator.adoption.inventory import Inventory, read_inventory
from orchestrator.adoption.proposal import Proposal, propose
from orchestrator.adoption.stated import Stated
from orchestrator.aws import sts
from orchestrator.aws.errors import explained
from orchestrator.aws.identity import identify, reach
from orchestrator.aws.session import Aws
from orchestrator.cancellation import Cancellation
from orchestrator.config.document import read_document
from orchestrator.config.load import access, load
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.account import Account
from orchestrator.model.module_contract.addresses import ROLES
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import CUR_BUCKET, OTHER_ROLES
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, Registration
from orchestrator.terraform import binary
from orchestrator.terraform.client import Terraform

# Octo's external id for a registration; None if Octo does not answer.
AskOcto = Callable[[Registration], SecretStr | None]
# The names of roles, buckets, reports and StackSets in octo-tf's own state, by account id.
NamesInState = Callable[[str], frozenset[str]]


# What the module names, with the options by which it is not created.
_CREATED_UNLESS = {
    "cur_s3_bucket_name": ("cur_s3_bucket_option", "cur_report_option"),
    "cur_report_name": ("cur_report_option",),
    "stackset_name": (),
}
# The published module's defaults; ours are the same but for the bucket's, which has the account id.
_DEFAULTS = {
    "cur_s3_bucket_name": CUR_BUCKET,
    "cur_report_name": Inputs.cur_report_name,
    "stackset_name": Inputs.stackset_name,
}


@dataclass(frozen=True)
class Folder:
    """The user's Terraform folder: its path, and how to read it.

    Attributes:
        module: names the module's block, if the folder has several.
        keep_state: whether its state is to stay as it is, so that it need not be readable.
    """

    path: Path
    environ: Mapping[str, str] = field(repr=False)
    module: str | None = None
    var_files: tuple[Path, ...] = ()
    tf_path: str | None = None
    keep_state: bool = False


@dataclass(frozen=True)
class Candidate:
    """An account that may be adopted.

    Attributes:
        settings: the settings to add to octo.yaml; all of them if the file is absent.
        module: the published module in the user's folder; None without a folder.
        state: what that folder's state has of the module.
        aws: the observation by which the account was read.
    """

    settings: Mapping[str, Any] = field(repr=False)
    inventory: Inventory
    proposal: Proposal
    module: ForeignModule | None
    state: ForeignState
    terraform: Terraform | None
    managed: frozenset[str] = frozenset()
    aws: Aws | None = field(default=None, repr=False)


def read_candidate(
    config: Path,
    flags: Mapping[str, Any],
    folder: Folder | None,
    environ: Mapping[str, str],
    *,
    names_in_state: NamesInState,
    ask_octo: AskOcto | None = None,
    cancellation: Cancellation | None = None,
    aws: Aws | None = None,
) -> Candidate:
    """Read files, state and account; nothing is written.

    Args:
        config: octo.yaml; it may be absent.
        flags: what to register, by field name.
        folder: the user's Terraform folder; None adopts what the account has.
        environ: for ``external_id_env``.
        ask_octo: reads the external id from Octo; None without credentials for Octo.
        cancellation: stops the Terraform that reads the user's state.
        aws: the observation to use; None begins one.

    Raises:
        ConfigError: the files lack something, or no file and no flag names the account.
        WrongAccount: the credentials belong to another account than the state or octo.yaml.
        Refused: the account has nothing to adopt.
    """
    known = access(config, flags)
    module, state, terraform = None, ForeignState(), None
    if folder:
        module, state, terraform = _read_folder(
            folder, known.account_id, config, flags, cancellation
        )
    names = _names(module, config, flags)
    account_id = _account_id(known.account_id, state, config)
    aws = aws or reach(known.region, known.credentials).observe()
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
    managed = names_in_state(account_id)
    proposal = propose(
        inventory,
        _stated(module, config, flags, managed),
        external_id=external_id.get_secret_value() if external_id else None,
        octo_has_id=octos is not None,
    )
    if proposal.external_id is None:
        raise ConfigError(
            "the external id is unknown: no role requires exactly one, and no file has it",
            where=account_id,
            hint="Give it with --external-id-file or --external-id-env, or set ALPHAUS_CLIENT_ID"
            " and ALPHAUS_CLIENT_SECRET: Octo has it.",
        )
    settings = {} if config.exists() else {"account_id": account_id, **proposal.settings}
    if external_id is None:
        settings["external_id"] = proposal.external_id
    return Candidate(settings, inventory, proposal, module, state, terraform, managed, aws)


def read_account(
    config: Path, flags: Mapping[str, Any], *, names_in_state: NamesInState
) -> Discovery:
    """Describe what the account of the credentials has, and what could be adopted of it.

    Raises:
        WrongAccount: octo.yaml or a flag names another account.
    """
    known = access(config, flags)
    aws = reach(known.region, known.credentials).observe()
    account_id = known.account_id
    if account_id is None:  # nothing is changed, so any account of the caller may be read
        with explained("identifying the account"):
            account_id = sts.caller_identity(aws)["Account"]
    account = identify(aws, account_id, declared_type=known.account_type)
    with explained("reading what the account has"):
        inventory = read_inventory(aws, account, names=_names(None, config, flags))
    managed = names_in_state(account_id)
    try:
        proposal = propose(inventory, _stated(None, config, flags, managed))
        return discover(inventory, proposal, managed)
    except Refused:
        return discover(inventory, None, managed)


def _read_folder(
    folder: Folder,
    account_id: str | None,
    config: Path,
    flags: Mapping[str, Any],
    cancellation: Cancellation | None,
) -> tuple[ForeignModule, ForeignState, Terraform]:
    """Read the module's inputs and what the state has of it, for the account's instance of it.

    The block may have been removed already, as after an adoption. If the folder's state still has
    resources of the module, the next apply there would delete them.
    """
    program = binary.find(folder.tf_path, folder.environ)

    def read(instance: str = "") -> ForeignModule:
        return foreign_module.read_module(
            folder.path,
            folder.environ,
            name=folder.module,
            var_files=[*folder.var_files],
            tofu=program.product == "tofu",
            instance=instance,
        )

    missing: NoModule | None = None
    try:
        module = read()
    except NoModule as error:
        if folder.module and not config.exists():
            raise
        module = ForeignModule(folder.path, "", "", {})
        missing = None if config.exists() else error
    terraform = Terraform(
        program,
        module.folder.absolute(),
        environ=folder.environ,
        secrets=_secrets(module),
        cancellation=cancellation,
        keep=binary.STATE_SELECTION,
    )
    names, stays = {*ROLES.values(), *OTHER_ROLES}, set[str]()
    ours = _ours(config, flags)
    for name, options in _CREATED_UNLESS.items():
        own = {str(one) for one in _given(name, module, ours)} or {_DEFAULTS[name]}
        names |= own
        if any("USE_EXISTING" in _given(option, module, ours)[:1] for option in options):
            stays |= own
    states = foreign_state.read_state(
        terraform,
        module,
        names,
        stays=stays,
        account_id=account_id,
        may_fail=folder.keep_state or missing is not None,
    )
    if missing and not any(state.accounts for state in states):
        raise missing  # without Octo's roles, what else has such a name is not the module's
    state = foreign_state.of_account(states, account_id, may_lack=config.exists())
    return read(state.instance) if "[" in state.instance else module, state, terraform


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
    return known


def _stated(
    module: ForeignModule | None, config: Path, flags: Mapping[str, Any], managed: frozenset[str]
) -> Stated:
    return Stated(module, {**read_document(config), **flags}, config.exists(), managed)


def _names(module: ForeignModule | None, config: Path, flags: Mapping[str, Any]) -> set[str]:
    """Collect the names of bucket, report and StackSet that flags, octo.yaml or files give."""
    ours = _ours(config, flags)
    return {str(one) for name in _CREATED_UNLESS for one in _given(name, module, ours)}


def _ours(config: Path, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of octo.yaml, and those that flags give instead."""
    return {**read_document(config), **{name: value for name, value in flags.items() if value}}


def _given(name: str, module: ForeignModule | None, ours: Mapping[str, Any]) -> list[Any]:
    """Return what our settings give a name, then what the module's files give it."""
    theirs = module.inputs[name].value if module and name in module.inputs else None
    return [value for value in (ours.get(name), theirs) if value]


def _secrets(module: ForeignModule) -> list[str]:
    return [
        str(module.inputs[n].value)
        for n in ("external_id", *foreign_module.SECRET_KEYS)
        if n in module.inputs and module.inputs[n].value
    ]
