"""Check what a StackSet requires before it is planned; nothing is written if a check fails."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.aws import cloudformation, organizations
from orchestrator.aws.errors import CALL_ERRORS, ServiceError, explained, is_not_found
from orchestrator.aws.permissions import denied
from orchestrator.aws.session import AssumeRole, Aws, IamInAccounts
from orchestrator.errors import AccessDenied, Clash, ConfigError, CutOff, Refused
from orchestrator.model.account import Account
from orchestrator.model.aws_cli import aws_line
from orchestrator.model.coverage import WANTING, Coverage, State
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.organization import Organization
from orchestrator.model.permissions import Permission, Scope, Step, permissions
from orchestrator.model.registration import Registration
from orchestrator.model.words import counted, listed
from orchestrator.stackset import guardrails
from orchestrator.stackset.guardrails import Guardrails

# The roles that a management account can assume in members: Organizations', Control Tower's.
_MEMBER_ROLES = ("OrganizationAccountAccessRole", "AWSControlTowerExecution")
_PARALLEL = 32  # as many connections as a client keeps
_SHOWN = 20
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-quotas.html
_MOST_INSTANCES = 100_000


@dataclass(frozen=True)
class Preflight:
    """What ``check`` found.

    Attributes:
        lacks_access: whether CloudFormation's trusted access must be enabled first.
        notes: what will be done, in sentences.
    """

    lacks_access: bool
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def check(
    aws: Aws,
    registration: Registration,
    account: Account,
    linked: LinkedAccounts,
    *,
    may_enable: bool,
    deploying: bool = True,
) -> Preflight:
    """Look for causes that would make a deployment to linked accounts fail.

    Args:
        aws: calls as the payer.
        may_enable: whether the user allows octo-tf to enable trusted access.
        deploying: whether a deployment is planned: the organization's policies are read only then.

    Raises:
        ConfigError: octo.yaml names an OU or an account that the organization does not have.
        Refused: the deployment would fail.
    """
    check_targets(registration, linked.organization)
    lacks = lacks_access(aws, account.account_id, may_enable=may_enable)
    missing = [standing.account_id for standing in linked.coverage.of(State.MISSING)]
    check_quota(account.account_id, linked.coverage)
    predicted = predict(aws, registration, linked) if deploying else Guardrails()
    check_guardrails(predicted, missing, registration.stackset_excluded_accounts or ())
    unknown = check_clashes(aws, missing, registration.stackset_excluded_accounts or ())
    lacking = denied_deployment_actions(aws, registration, account) if missing else []
    notes, warnings = [], guardrails.warnings(predicted)
    if missing:
        accounts = counted(len(missing), "linked account is", "linked accounts are")
        notes.append(f"{accounts} to be deployed to")
    if unknown:
        notes.append(
            f"{unknown} of them could not be inspected: a role {API_ROLE} that exists there already"
            " would make the deployment to that account fail"
        )
    if lacking:
        warnings.append(
            f"{account.caller_arn} may not use {', '.join(lacking)} on this StackSet: the"
            " deployment will fail. octo-tf policy prints what it needs"
        )
    return Preflight(lacks, tuple(notes), tuple(warnings))


def predict(aws: Aws, registration: Registration, linked: LinkedAccounts) -> Guardrails:
    """Predict what the organization's policies deny in the accounts that the StackSet covers.

    Raises:
        AwsError: a call failed, other than for a missing permission.
    """
    return guardrails.predict(
        aws,
        registration,
        linked.organization,
        deployed_to=[s.account_id for s in linked.coverage.of(*WANTING)],
        used=[s.account_id for s in linked.coverage.of(State.CURRENT, State.RUNNING)],
    )


def check_guardrails(
    predicted: Guardrails, accounts: Collection[str], excluded: Collection[str] = ()
) -> None:
    """Check that the organization's policies cut no account off that is deployed to first now.

    Accounts that were deployed to before are not refused: the other changes of a plan would then
    wait for an account that joined later. A warning names them.

    Args:
        accounts: ids of the accounts that were never deployed to.
        excluded: ids of those that octo.yaml excludes already.

    Raises:
        CutOff: some accounts would be; the message names the statements.
    """
    reasons = [(o, own) for o, own in predicted.of(accounts) if o.cuts_off]
    cut_off = sorted({account for _, own in reasons for account in own})
    if not cut_off:
        return
    named = "; ".join(guardrails.describe(obstacle, own) for obstacle, own in reasons)
    raise CutOff(
        f"the organization's policies cut {counted(len(cut_off), 'linked account')} off: {named};"
        " nothing was written",
        where=f"account {cut_off[0]}" if len(cut_off) == 1 else "",
        hint="`octo-tf preflight` shows the exemption for each policy. Or list the accounts under"
        " stackset_excluded_accounts; octo-tf upgrade writes that to octo.yaml with the options"
        f" {_excluding([*excluded, *cut_off])}.",
        count=len(cut_off),
        excluded=(*excluded, *cut_off),
    )


def check_type(account: Account) -> None:
    """Check that the account is a payer: only payers have linked accounts.

    Raises:
        ConfigError: it is a linked or a standalone account.
    """
    if account.account_type != "payer":
        raise ConfigError(
            f"use_stackset is for a payer (the management account), and this is a"
            f" {account.account_type} account",
            where=account.account_id,
            hint="Set use_stackset: false here, and true in the payer's octo.yaml.",
        )


def check_targets(registration: Registration, organization: Organization) -> None:
    """Check that targets and excluded accounts exist, and that no target is inside another.

    Raises:
        ConfigError: one does not exist, or is inside another.
    """
    targets = registration.stackset_targets or []
    shows = aws_line(
        *("organizations", "list-organizational-units-for-parent", "--parent-id"),
        organization.root,
        profile=registration.credentials.cli_profile,
        region=registration.region,
    )
    for target in targets:
        if target not in organization.parents:
            raise ConfigError(
                f"stackset_targets: the organization has no OU {target}",
                where=registration.account_id,
                hint=f"Copy the id of an OU: `{shows}` lists those directly below the root.",
            )
        others = [other for other in targets if other != target]
        if organization.is_under(target, others):
            raise ConfigError(
                f"stackset_targets: {target} is inside another target",
                where=registration.account_id,
                hint="Remove it: the StackSet deploys to nested OUs anyway, and removing one of the"
                " two later would remove accounts that are in both.",
            )
    members = {member.account_id for member in organization.members}
    if strangers := sorted(set(registration.stackset_excluded_accounts or []) - members):
        raise ConfigError(
            f"stackset_excluded_accounts: not in the organization: {', '.join(strangers)}",
            where=registration.account_id,
            hint="Correct the ids, or remove them.",
        )


def lacks_access(aws: Aws, account_id: str, *, may_enable: bool) -> bool:
    """Tell whether CloudFormation's trusted access to the organization must be enabled first.

    Args:
        aws: calls as the payer.
        may_enable: whether the user allows octo-tf to enable trusted access.

    Raises:
        Refused: it is off and may not be enabled, or the organization lacks all features.
    """
    with explained("reading CloudFormation's access to the organization"):
        status = cloudformation.trusted_access(aws)
    if status == "ENABLED":
        return False
    if not may_enable:
        raise Refused(
            f"CloudFormation's trusted access to the organization is {status.lower()}",
            where=account_id,
            hint="Run the same command with --enable-trusted-access, or enable it in the console:"
            " CloudFormation, StackSets, Enable trusted access.",
        )
    with explained("reading the organization's features"):
        if not organizations.has_all_features(aws):
            raise Refused(
                "StackSets need an organization with all features, and this one has consolidated"
                " billing only",
                where=account_id,
                hint="Enable all features in the Organizations console; every member must agree.",
            )
    return True


def enable_access(aws: Aws, account_id: str) -> None:
    """Let CloudFormation deploy into the organization (ActivateOrganizationsAccess)."""
    with explained(f"enabling CloudFormation's access to the organization of {account_id}"):
        cloudformation.enable_trusted_access(aws)


def check_quota(account_id: str, coverage: Coverage) -> None:
    """Check that a StackSet can hold the accounts: at most 100,000.

    Raises:
        Refused: there are more.
    """
    if coverage.wanted > _MOST_INSTANCES:
        raise Refused(
            f"{coverage.wanted:,} linked accounts are to be deployed to, and a StackSet holds at"
            f" most {_MOST_INSTANCES:,}; nothing was written",
            where=account_id,
            hint="Name fewer OUs under stackset_targets.",
        )


def denied_deployment_actions(aws: Aws, registration: Registration, account: Account) -> list[str]:
    """List the actions of a StackSet deployment that the caller is denied.

    Returns:
        The actions; empty for a caller who may not use the simulation.
    """
    try:
        with explained("simulating the caller's permissions"):
            found = denied(aws, account.caller_arn, deployment(registration, account))
            return sorted({action for action, _ in found})
    except AccessDenied:
        return []


def deployment(registration: Registration, account: Account) -> list[Permission]:
    """Return the permissions of ``apply`` in CloudFormation."""
    steps: tuple[Step, ...] = ("apply",)
    found = permissions(Scope(registration, account.account_type), steps)
    return [p for p in found if all(a.startswith("cloudformation:") for a in p.actions)]


def check_clashes(aws: Aws, accounts: Collection[str], excluded: Collection[str] = ()) -> int:
    """Check that no account has the role already, created by hand or by another stack.

    Each account is read through a role that its management account can assume there.

    Args:
        aws: calls as the payer.
        accounts: ids of the accounts that will be deployed to.
        excluded: ids of those that octo.yaml excludes already.

    Returns:
        How many accounts could not be read.

    Raises:
        Clash: some accounts have the role; the message lists them.
    """
    iam, partition = aws.in_accounts(), aws.client("sts").meta.partition
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        answers = pool.map(lambda account: _has_role(iam, partition, account), accounts)
        found = dict(zip(accounts, answers, strict=True))
    clashes = sorted(account for account, has in found.items() if has)
    if clashes:
        have = counted(len(clashes), "linked account has", "linked accounts have")
        raise Clash(
            f"{have} a role {API_ROLE} already, so the StackSet cannot create it:"
            f" {listed(clashes, _SHOWN)}; nothing was written",
            where=f"account {clashes[0]}" if len(clashes) == 1 else "",
            hint="If Octo uses that role, keep it and list the account under"
            " stackset_excluded_accounts; octo-tf upgrade writes that to octo.yaml with the options"
            f" {_excluding([*excluded, *clashes])}. If a StackSet in"
            " another region created it, set region to that one. Otherwise delete the role, or the"
            " stack that created it, and run the same command again.",
            count=len(clashes),
            excluded=(*excluded, *clashes),
        )
    return sum(has is None for has in found.values())


def _excluding(accounts: Collection[str]) -> str:
    """Return the options that exclude accounts, or one as an example of many."""
    if len(accounts) > _SHOWN:
        return "--stackset-excluded-account ACCOUNT_ID (for each)"
    return " ".join(f"--stackset-excluded-account {account}" for account in accounts)


def _has_role(iam: IamInAccounts, partition: str, account_id: str) -> bool | None:
    """Tell whether the account has Octo's role; None if no member role can be assumed."""
    for name in _MEMBER_ROLES:
        try:
            member = iam.as_role(AssumeRole(f"arn:{partition}:iam::{account_id}:role/{name}"))
            member.get_role(RoleName=API_ROLE)
        except ServiceError as error:
            if is_not_found(error):
                return False
            continue
        except CALL_ERRORS:
            continue
        return True
    return None
