"""What must hold before a StackSet is planned; nothing is written while it does not."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.errors import code_of, explained, is_denied
from orchestrator.aws.permissions import deploying, refused
from orchestrator.aws.session import AssumeRole, Aws, Visitor
from orchestrator.errors import AwsError, ConfigError, Refused
from orchestrator.model.account import Account
from orchestrator.model.coverage import Coverage, State
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.organization import Organization
from orchestrator.model.registration import Registration
from orchestrator.model.resource_names import API_ROLE

# The roles by which a management account reaches the others: Organizations', Control Tower's.
_WAYS_IN = ("OrganizationAccountAccessRole", "AWSControlTowerExecution")
_PARALLEL = 16
_SHOWN = 20
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-quotas.html
_MOST_INSTANCES = 100_000


@dataclass(frozen=True)
class Preflight:
    """What a look before a deployment to linked accounts found.

    Attributes:
        lacks_access: whether CloudFormation's trusted access is to be switched on first.
        notes: what is to come, in sentences.
        warnings: what may fail, in sentences.
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
) -> Preflight:
    """Look for what would make a deployment to linked accounts fail; nothing is changed.

    Args:
        aws: calls as the payer.
        registration: what was asked for.
        account: the payer.
        linked: its linked accounts.
        may_enable: whether the user lets trusted access be switched on.

    Raises:
        ConfigError: octo.yaml names an OU or an account that the organization does not have.
        Refused: AWS is not ready for it.
    """
    check_targets(registration, linked.organization)
    lacks = lacks_access(aws, account.account_id, may_enable=may_enable)
    missing = [standing.account_id for standing in linked.coverage.of(State.MISSING)]
    check_quota(account.account_id, linked.coverage)
    unknown = check_clashes(aws, missing)
    denied = refused_actions(aws, account) if missing else []
    notes, warnings = [], []
    if missing:
        many = "account is" if len(missing) == 1 else "accounts are"
        notes.append(f"{len(missing)} linked {many} to be deployed to")
    if unknown:
        notes.append(
            f"{unknown} of them could not be inspected: a role {API_ROLE} that exists there already"
            " would make the deployment to that account fail"
        )
    if denied:
        warnings.append(
            f"{account.caller_arn} may not use {', '.join(denied)} on all resources: unless a"
            " policy allows them on this StackSet, the apply will fail there"
        )
    return Preflight(lacks, tuple(notes), tuple(warnings))


def check_type(account: Account) -> None:
    """Only a payer has linked accounts.

    Raises:
        ConfigError: another type of account.
    """
    if account.account_type != "payer":
        raise ConfigError(
            f"use_stackset is for a payer (the management account), and this is a"
            f" {account.account_type} account",
            where=account.account_id,
            hint="Set use_stackset: false here, and true in the payer's octo.yaml.",
        )


def check_targets(registration: Registration, organization: Organization) -> None:
    """Targets and excluded accounts are the organization's own, and no target is in another.

    Raises:
        ConfigError: names what is wrong.
    """
    targets = registration.stackset_targets or []
    for target in targets:
        if target not in organization.parents:
            raise ConfigError(
                f"stackset_targets: the organization has no OU {target}",
                where=registration.account_id,
                hint="Copy the ids from `aws organizations list-organizational-units-for-parent`.",
            )
        others = [other for other in targets if other != target]
        if organization.is_under(target, others):
            raise ConfigError(
                f"stackset_targets: {target} is inside another target",
                where=registration.account_id,
                hint="Leave it out: nested OUs are deployed to anyway, and taking one of the two"
                " away later would take accounts that the other still wants.",
            )
    members = {member.account_id for member in organization.members}
    if strangers := sorted(set(registration.stackset_excluded_accounts or []) - members):
        raise ConfigError(
            f"stackset_excluded_accounts: not in the organization: {', '.join(strangers)}",
            where=registration.account_id,
            hint="Correct the ids, or leave them out.",
        )


def lacks_access(aws: Aws, account_id: str, *, may_enable: bool) -> bool:
    """Tell whether CloudFormation's trusted access to the organization is to be switched on.

    Raises:
        Refused: it is off, and may not or cannot be switched on.
        AwsError: AWS could not be asked.
    """
    with explained("asking for CloudFormation's access to the organization"):
        status = aws.client("cloudformation").describe_organizations_access()["Status"]
    if status == "ENABLED":
        return False
    if not may_enable:
        raise Refused(
            f"CloudFormation's trusted access to the organization is {status.lower()}",
            where=account_id,
            hint="Run the same command with --enable-trusted-access, or switch it on in the"
            " console: CloudFormation, StackSets, Enable trusted access.",
        )
    with explained("reading the organization's features"):
        features = aws.client("organizations").describe_organization()["Organization"]["FeatureSet"]
    if features != "ALL":
        raise Refused(
            "StackSets need an organization with all features, and this one has consolidated"
            " billing only",
            where=account_id,
            hint="Enable all features in the Organizations console; every member must agree.",
        )
    return True


def switch_on_access(aws: Aws, account_id: str) -> None:
    """Let CloudFormation deploy into the organization (ActivateOrganizationsAccess).

    Raises:
        AwsError: AWS refused.
    """
    with explained(f"switching on CloudFormation's access to the organization of {account_id}"):
        aws.client("cloudformation").activate_organizations_access()


def check_quota(account_id: str, coverage: Coverage) -> None:
    """The accounts are not more than a stack set can hold.

    Raises:
        Refused: they are.
    """
    if coverage.wanted > _MOST_INSTANCES:
        raise Refused(
            f"{coverage.wanted:,} linked accounts are wanted, and a stack set holds at most"
            f" {_MOST_INSTANCES:,}; nothing was written",
            where=account_id,
            hint="Name fewer OUs under stackset_targets.",
        )


def refused_actions(aws: Aws, account: Account) -> list[str]:
    """What the caller may not do of what a StackSet takes, as far as IAM tells.

    Not an error: a policy that is limited to this StackSet may hold them unseen.

    Raises:
        AwsError: IAM could not be asked; a caller who may not ask is told nothing.
    """
    try:
        with explained("asking what the caller may do"):
            return refused(aws, account.caller_arn, deploying())
    except AwsError as error:
        if isinstance(error.__cause__, ClientError) and is_denied(error.__cause__):
            return []
        raise


def check_clashes(aws: Aws, accounts: Collection[str]) -> int:
    """No account that is to be deployed to has the role already, by hand or by another stack.

    It is looked up through the role by which a management account reaches its members; where
    there is none, nothing is known.

    Returns:
        How many accounts could not be looked into.

    Raises:
        Refused: names each account that has the role.
    """
    iam, partition = aws.visitor("iam"), aws.client("sts").meta.partition
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        looked = pool.map(lambda account: _has_role(iam, partition, account), accounts)
        found = dict(zip(accounts, looked, strict=True))
    clashes = sorted(account for account, has in found.items() if has)
    if clashes:
        shown = ", ".join(clashes[:_SHOWN])
        more = f" and {len(clashes) - _SHOWN} more" if len(clashes) > _SHOWN else ""
        raise Refused(
            f"{len(clashes)} linked accounts have a role {API_ROLE} already, which the StackSet"
            f" could not make: {shown}{more}; nothing was written",
            where=f"account {clashes[0]}" if len(clashes) == 1 else "",
            hint="Where Octo uses that role, leave the account to it: list it under"
            " stackset_excluded_accounts. Where a StackSet in another region made it, set region to"
            " that one. Else delete the role, or the stack that made it, and run the same command"
            " again.",
        )
    return sum(has is None for has in found.values())


def _has_role(iam: Visitor, partition: str, account_id: str) -> bool | None:
    for name in _WAYS_IN:
        try:
            inside = iam.become(AssumeRole(f"arn:{partition}:iam::{account_id}:role/{name}"))
            inside.get_role(RoleName=API_ROLE)
        except ClientError as error:
            if code_of(error) == "NoSuchEntity":
                return False
            continue
        except BotoCoreError:
            continue
        return True
    return None
