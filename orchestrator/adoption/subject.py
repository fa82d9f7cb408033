"""What an adoption is about: the account, what it has, and the folder that made it, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.adoption import hcl, inventory, release
from orchestrator.adoption.expressions import Input
from orchestrator.adoption.hcl import NoModule, Theirs
from orchestrator.adoption.inventory import OTHER_ROLES, Inventory
from orchestrator.adoption.proposal import Proposal, propose
from orchestrator.adoption.release import Held
from orchestrator.aws import sts
from orchestrator.aws.errors import explained
from orchestrator.aws.identity import identify, reach
from orchestrator.aws.session import Aws
from orchestrator.config.load import access, load, read_document
from orchestrator.config.write import write_config as write
from orchestrator.detection.compare import ROLES
from orchestrator.errors import ConfigError, OctoTfError, Refused, WrongAccount
from orchestrator.model.account import Account
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, flag_of
from orchestrator.terraform import binary
from orchestrator.terraform.client import Terraform


@dataclass(frozen=True)
class Subject:
    """What was read, and what is proposed.

    Attributes:
        settings: of the octo.yaml to be written; flags come on top.
        aws: calls as the account, which was made sure of.
        inventory: what the account has.
        proposal: what to do about it.
        theirs: the published module in the user's folder, if one was named.
        held: what that folder's state holds.
        terraform: in that folder.
    """

    settings: Mapping[str, Any] = field(repr=False)
    aws: Aws
    inventory: Inventory
    proposal: Proposal
    theirs: Theirs | None
    held: Held
    terraform: Terraform | None


def read(
    config: Path,
    flags: Mapping[str, Any],
    folder: Path | None,
    environ: Mapping[str, str],
    *,
    module: str | None,
    var_files: list[Path],
    tf_path: str | None,
) -> Subject:
    """Reads files, state and account; writes nothing.

    Raises:
        ConfigError: the files do not say what is needed, or the account is not named anywhere.
        WrongAccount: the credentials belong to another account than the state or octo.yaml.
    """
    known = access(config, flags)
    theirs = None
    if folder:
        try:
            read_there = hcl.read(folder, environ, name=module, var_files=var_files)
            theirs = _overridden(read_there, flags)
        except NoModule:
            if not config.exists():
                raise
            theirs = Theirs(folder, "", "", {})  # taken out already; its state may still hold some
    names = _names(theirs, config, flags)
    held, terraform = Held(), None
    if theirs:
        terraform = Terraform(
            binary.find(tf_path, environ),
            theirs.folder.absolute(),
            environ=environ,
            secrets=_secrets(theirs),
        )
        held = release.held(terraform, theirs, {*names, *ROLES.values(), *OTHER_ROLES})
    account_id = _account_id(known.account_id, held, config)
    aws = reach(known.region, known.credentials)
    account: Account = identify(aws, account_id, declared_type=known.account_type)
    with explained("looking at what is there"):
        found = inventory.take(aws, account, names=names)
    proposal = propose(found, theirs, external_id=_given_id(config, flags, environ, account_id))
    if proposal.external_id is None:
        raise ConfigError(
            "the external id is unknown: no role asks for one, and no file says it",
            where=account_id,
            hint="Give it with --external-id-file or --external-id-env.",
        )
    settings = {"account_id": account_id, **proposal.settings}
    if not any(source in flags for source in EXTERNAL_ID_SOURCES):
        settings["external_id"] = proposal.external_id
    return Subject(settings, aws, found, proposal, theirs, held, terraform)


def look(config: Path, flags: Mapping[str, Any]) -> tuple[Inventory, Proposal | None]:
    """What is in the account of the credentials, and what could be taken over; None for nothing.

    Raises:
        WrongAccount: octo.yaml or a flag means another account.
        AwsError: AWS could not be asked.
    """
    known = access(config, flags)
    aws = reach(known.region, known.credentials)
    account_id = known.account_id
    if account_id is None:  # it only reads: whoever the caller is
        with explained("identifying the account"):
            account_id = sts.caller_identity(aws)["Account"]
    account = identify(aws, account_id, declared_type=known.account_type)
    with explained("looking at what is there"):
        found = inventory.take(aws, account, names=_names(None, config, flags))
    try:
        return found, propose(found, None)
    except Refused:
        return found, None


def _account_id(known: str | None, held: Held, config: Path) -> str:
    """The account that is meant: as it was said, or as the other state's roles say."""
    if known is None and len(held.accounts) == 1:
        (known,) = held.accounts
    if known is None:
        raise ConfigError(
            "account_id is missing",
            where=f"{config} or --account-id",
            hint="Say which account is meant: octo-tf refuses any other.",
        )
    if held.accounts - {known}:
        raise WrongAccount(
            f"the state holds roles of account {', '.join(sorted(held.accounts))}, not of account"
            f" {known}; nothing was written",
            hint="Name the folder of this account, or correct the account id.",
        )
    return known


def _overridden(theirs: Theirs, flags: Mapping[str, Any]) -> Theirs:
    """What a flag says is known, whatever stands in the files."""
    given = {
        name: Input(value, flag_of(name)) for name, value in flags.items() if name in theirs.inputs
    }
    return Theirs(theirs.folder, theirs.address, theirs.where, {**theirs.inputs, **given})


def _names(theirs: Theirs | None, config: Path, flags: Mapping[str, Any]) -> set[str]:
    """Buckets, reports and StackSets that somebody named."""
    document = read_document(config)
    wanted = ("cur_s3_bucket_name", "cur_report_name", "stackset_name")
    given = [flags.get(n) or document.get(n) for n in wanted]
    if theirs:
        given += [theirs.inputs[n].value for n in wanted if n in theirs.inputs]
    return {str(name) for name in given if name}


def _secrets(theirs: Theirs) -> list[str]:
    return [
        str(theirs.inputs[n].value)
        for n in ("external_id", *hcl.SECRET_KEYS)
        if n in theirs.inputs and theirs.inputs[n].value
    ]


def _given_id(
    config: Path, flags: Mapping[str, Any], environ: Mapping[str, str], account_id: str
) -> str | None:
    """The external id that octo.yaml or a flag says; None where that is left to Octo."""
    if not config.exists() and not any(source in flags for source in EXTERNAL_ID_SOURCES):
        return None
    given = {"account_id": account_id, **flags}
    known = load(config, given, environ, octo_has_external_id=True).external_id
    return known.get_secret_value() if known else None


def write_config(config: Path, subject: Subject, flags: Mapping[str, Any]) -> None:
    """Writes octo.yaml and the external id's file, once; what is there stays.

    Raises:
        OctoTfError: they cannot be written.
    """
    if config.exists():
        return
    try:
        write(config, {**subject.settings, **flags})
    except OSError as error:
        raise OctoTfError(
            f"cannot be written: {error.strerror}",
            where=str(error.filename or config),
            hint="Free the space or the permissions, then run the same command again.",
        ) from error
