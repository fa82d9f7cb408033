"""The steps that several use cases share; each takes values and returns values.

None of them changes anything but the root folder, and that only once the account is identified.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pydantic import SecretStr

from orchestrator.app.context import AccountContext
from orchestrator.errors import ConfigError, OctoUnreachable, Refused
from orchestrator.model import partition
from orchestrator.model.account import Account
from orchestrator.model.coverage import WANTING, State
from orchestrator.model.existing_report import choose
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract import features
from orchestrator.model.module_contract.outputs import APPLIED_INPUTS, Outputs, parse_outputs
from orchestrator.model.registration import settings, unused
from orchestrator.octo import external_id
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.messages import OUTDATED
from orchestrator.stackset import preflight
from orchestrator.terraform import render
from orchestrator.terraform.client import Terraform
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import STACKSET, StateEdit, StateResource

PAYER_FIRST = (
    "Whether the payer {payer} is registered with Octo is not known here. Register it first: a"
    " linked account that comes before its payer shows no data in Octo."
)


@dataclass(frozen=True)
class Prepared:
    """An account that is ready to be planned.

    Attributes:
        external_id: the id that Octo presents.
        linked: the payer's linked accounts; None unless the registration has a StackSet.
        lacks_access: whether CloudFormation may not deploy into the organization yet.
        root: the root folder's content, as it was written.
        terraform: initialized there.
        registered: whether Octo knows the account; None where there are no credentials to ask, or
            it does not matter.
    """

    account: Account
    external_id: SecretStr = field(repr=False)
    linked: LinkedAccounts | None
    lacks_access: bool
    root: render.Root
    terraform: Terraform
    registered: bool | None = None


def identify(context: AccountContext, *, registering: bool = True) -> Account:
    """Make sure that the credentials belong to the account that was meant.

    Args:
        registering: whether the command registers or changes the account. If it only reads or
            removes the registration, an account is taken as it was registered.

    Raises:
        ConfigError: a region or an ARN of octo.yaml is of another partition than the account.
    """
    with context.events.step("identify", "Identifying the account"):
        account = context.cloud.identify()
    if not registering:
        account = partition.as_registered(account)
    check_partition(context, account)
    for sentence in account.billing.warnings:
        context.events.warn(sentence)
    if names := unused(context.registration, account.account_type):
        context.events.warn(
            f"a {account.account_type} account does not use {', '.join(names)}: ignored."
        )
    return account


def refuse_report(account: Account) -> NoReturn:
    """Refuse to create a report in an account whose billing is transferred to another one.

    Raises:
        Refused: always.
    """
    raise Refused(
        f"the billing of this organization is transferred to account {account.billing.paid_by}: AWS"
        " delivers no Cost and Usage Report here",
        where=f"account {account.account_id}",
        hint=account.billing.remedy,
    )


def check_partition(context: AccountContext, account: Account) -> None:
    """Refuse regions and ARNs that the caller's partition does not have.

    Raises:
        ConfigError: octo.yaml or a flag names one of another partition.
    """
    if found := partition.mismatch(context.registration, account):
        where = context.settings.place_of(found.setting)
        raise ConfigError(found.what, where=where, hint=found.hint)


def decide_external_id(context: AccountContext) -> SecretStr:
    """Take the external id from Octo or octo.yaml; see ``octo.external_id.decide``."""
    return external_id.decide(
        context.registration,
        context.octo.api,
        context.settings.octo_credentials,
        context.settings.place_of,
        warn=context.events.warn,
    )


def warn_of_features(context: AccountContext) -> None:
    """Say what the chosen features depend on, before anybody consents to them."""
    for name in context.registration.features or ():
        for sentence in features.table().features[name].notices:
            context.events.warn(f"{name}: {sentence}")


def prepare(context: AccountContext, account: Account, *, registering: bool = False) -> Prepared:
    """Decide the external id, look into the organization, render the root, initialize Terraform.

    Args:
        registering: whether the account may be registered with Octo by this run.

    Raises:
        ConfigError: octo.yaml asks for what cannot be.
        Refused: AWS is not ready for it, or the bucket is another account's.
        OctoRefused: Octo would refuse the account.
    """
    secret = decide_external_id(context)
    if registering:
        warn_of_features(context)
    terraform = context.open_terraform(secret)
    terraform.check_lock(context.provider_version)  # before anything is written: init would fail
    registered = is_registered(context, account) if registering else None
    if registering:
        check_bucket(context, account)
    report = existing_report(context, account, must_fit=registering)
    if account.account_type == "payer":
        check_region(context, terraform.resources(STACKSET, here_only=True))
    linked, lacks_access = observe_linked_accounts(context, account, deploying=registering)
    if linked and registering:
        warn_of_names(context, linked)
    targets = linked.targets if linked else None
    root = render_root(context, account, secret, targets, report=report)
    render.write(root, context.folder)
    initialize(context, terraform, root)
    return Prepared(account, secret, linked, lacks_access, root, terraform, registered)


def check_bucket(context: AccountContext, account: Account) -> None:
    """Refuse to deliver the report to another account's bucket.

    Raises:
        Refused: the bucket that octo.yaml names is one.
    """
    registration = context.registration
    bucket = registration.cur_s3_bucket_name
    is_existing = registration.cur_s3_bucket_option == "USE_EXISTING"
    if bucket and is_existing and account.account_type != "linked":
        context.cloud.check_bucket(bucket)


def existing_report(
    context: AccountContext, account: Account, *, must_fit: bool
) -> Mapping[str, Any]:
    """Find the report that octo.yaml asks to use; return what the module must know of it.

    Args:
        must_fit: whether a report that Octo cannot read is refused; else verification says so.

    Raises:
        Refused: there is no such report, it does not fit, or its bucket is another account's.
    """
    option = context.registration.cur_report_option
    if option != "USE_EXISTING" or account.account_type == "linked":
        return {}
    try:
        report = choose(context.registration, context.cloud.reports())
    except Refused:
        if must_fit:
            raise
        return {}
    if must_fit:
        context.cloud.check_bucket(report["S3Bucket"])
        say = context.events.note if context.registration.cur_report_name else context.events.warn
        say(
            f"Octo is to read the report {report['ReportName']} in"
            f" {report['S3Bucket']}/{report['S3Prefix']} ({report['S3Region']}), which octo-tf does"
            " not manage."
        )
    return {"cur_report_name": report["ReportName"]}


def is_registered(context: AccountContext, account: Account) -> bool | None:
    """Ask Octo whether it knows the account; None where there are no credentials to ask with.

    What Octo has already is said here, before anything is planned.

    Raises:
        OctoRefused: it does not, and would not take it: its payer comes first, or its name is
            another account's.
    """
    record = context.octo.ledger.account(account.account_id)
    noted = record is not None and record.is_registered
    name = context.account_name
    if context.octo.api is None:
        payer = account.management_account_id if account.account_type == "linked" else None
        is_new = record is None or record.applied_at is None
        if payer and is_new and not is_noted(context, payer):
            context.events.warn(PAYER_FIRST.format(payer=payer))
        return True if noted else None
    try:
        known = context.octo.api.status(account.account_id)
        if known is not None and known.aws_options.status == OUTDATED:
            context.events.warn(
                f"Octo calls the access of account {account.account_id} outdated because Octo's"
                " template has changed. Run octo-tf status: it shows the permissions that the new"
                " template asks for and what grants them."
            )
        if known is None:
            context.octo.check_new(account, name)
        elif record is None or record.registered_at is None:
            called = known.aws_options.account_name
            also = f" as {called}" if called else ""
            kept = (
                f"; it keeps that name, not {name}" if called and name not in ("", called) else ""
            )
            context.events.warn(
                f"Octo has account {account.account_id} already{also}: it is not registered"
                f" again{kept}."
            )
        return known is not None
    except OctoUnreachable as error:
        context.events.warn(f"{error}. Going on with what is known here.")
        return noted


def is_noted(context: AccountContext, account_id: str) -> bool:
    """Tell whether a run on this machine registered another account with Octo."""
    ledger = Ledger(context.folder.parent / account_id / "ledger.json")
    record = ledger.account(account_id)
    return record is not None and record.is_registered


def initialize(context: AccountContext, terraform: Terraform, root: render.Root) -> None:
    """Have Terraform install what the root needs; init is skipped if nothing has changed."""
    with context.events.step("init", "Preparing Terraform"):
        terraform.init(
            provider_version=context.provider_version, backend_config=root.backend_config
        )


def run_plan(
    context: AccountContext,
    prepared: Prepared,
    file: Path,
    edits: tuple[StateEdit, ...] = (),
    *,
    destroy: bool = False,
) -> Plan:
    """Have Terraform plan, into a file.

    Args:
        edits: changes of the state that the run will make first. With any, the plan is made from a
            copy of the state that has these changes: it is a preview, and cannot be applied.
        destroy: whether everything that the state has is to be destroyed.
    """
    if not edits:
        return prepared.terraform.plan(file, destroy=destroy)
    return prepared.terraform.preview(
        file, edits, provider_version=context.provider_version, destroy=destroy
    )


def observe_linked_accounts(
    context: AccountContext, account: Account, *, deploying: bool
) -> tuple[LinkedAccounts | None, bool]:
    """Look into the organization before a StackSet is planned.

    Args:
        deploying: whether a deployment is planned, which the organization's policies may deny.

    Returns:
        The linked accounts (None without a StackSet), and whether CloudFormation's trusted access
        is to be switched on.

    Raises:
        ConfigError: only a payer has linked accounts, or octo.yaml names an unknown OU or account.
        Refused: trusted access is off and may not be switched on, such a role exists, ...
    """
    if not context.registration.use_stackset:
        return None, False
    preflight.check_type(account)
    with context.events.step("organization", "Reading the organization"):
        linked = context.cloud.observe_linked_accounts()
        found = context.cloud.check_linked_accounts(
            account, linked, may_enable=context.settings.enable_access, deploying=deploying
        )
    for note in found.notes:
        context.events.note(f"  {note}")
    for warning in found.warnings:
        context.events.warn(warning)
    return linked, found.lacks_access


def warn_of_names(context: AccountContext, linked: LinkedAccounts) -> None:
    """Say which linked accounts Octo knows by other names before it may overwrite them.

    Octo's pages say so of accounts that were registered before their payer. It may register every
    account that it reaches, also one that is excluded from the StackSet.
    """
    if not linked.coverage.of(*WANTING):
        return
    accounts = {a.account_id: a.name for a in linked.coverage.of(*WANTING, State.EXCLUDED)}
    for account_id, name in sorted(context.octo.linked.other_names(accounts).items()):
        context.events.warn(
            f"Octo has linked account {account_id} as {name}, the organization as"
            f" {accounts[account_id]}: Octo may overwrite its name."
        )


def render_root(
    context: AccountContext,
    account: Account,
    secret: SecretStr,
    targets: Collection[str] | None,
    *,
    report: Mapping[str, Any],
) -> render.Root:
    """Render the root folder's content; nothing is written.

    Args:
        secret: the external id.
        targets: the OUs of the StackSet; None without one.
        report: inputs of the module about an existing report.
    """
    registration = context.registration
    bucket = registration.cur_s3_bucket_name
    merges = registration.cur_s3_bucket_merge_policy and bucket
    stackset: dict[str, Any] = {}
    if targets is not None:
        stackset["stackset_name"] = context.cloud.stackset_name
        stackset["stackset_targets"] = list(targets)
    return render.render(
        registration.model_copy(update={"external_id": secret}),
        account.account_type,
        bucket_has_policy=context.cloud.bucket_has_policy(bucket) if merges and bucket else None,
        found={**report, **stackset},
        allow_destroy=context.settings.allow_destroy,
    )


def check_region(context: AccountContext, known: list[StateResource]) -> None:
    """Refuse another region than the StackSet's: Terraform would make a second one there.

    Args:
        known: the StackSets in the state.

    Raises:
        Refused: octo.yaml names another region.
    """
    wanted = context.registration.region
    for resource in known:
        if resource.type == STACKSET and resource.region not in ("", wanted):
            raise Refused(
                f"the StackSet is in {resource.region} and cannot move to {wanted}",
                where=resource.address,
                hint=f"Set region: {resource.region}. Nothing else depends on it: roles are global,"
                " and the bucket's region is cur_s3_bucket_region.",
            )


def applied_outputs(context: AccountContext, terraform: Terraform) -> Outputs:
    """Read what was applied last from the state.

    Raises:
        EngineError: nothing was.
    """
    return parse_outputs(terraform.outputs(), context.registration.account_id)


def unapplied_settings(prepared: Prepared, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the settings that octo.yaml asks for otherwise than they were applied last.

    Args:
        prepared: the root folder as octo.yaml asks for it now.
        values: the root's outputs; one that an older version applied says nothing of it.
    """
    applied = values.get(APPLIED_INPUTS)
    if applied is None:
        return ()
    wanted = {name: prepared.root.values.get(name) for name in prepared.root.meant["applied"]}
    return tuple(
        name
        for name in sorted(wanted.keys() | (applied.keys() & settings().keys()))
        if wanted.get(name) != applied.get(name)
    )
