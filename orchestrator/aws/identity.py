"""Identify the account of the credentials, and whether it is a payer, linked or standalone."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.aws import organizations, sts
from orchestrator.aws.billing_transfers import read_billing_transfers
from orchestrator.aws.errors import explained
from orchestrator.aws.session import AssumeRole, Aws, connect
from orchestrator.errors import AccessDenied, AwsError, ConfigError, WrongAccount
from orchestrator.model.account import Account, AccountType
from orchestrator.model.registration import Credentials


def reach(
    region: str,
    credentials: Credentials,
    *,
    on_question: Callable[[str], None] = lambda _question: None,
) -> Aws:
    """Connect by the credentials that octo.yaml, flags or the environment name.

    ``on_question`` is called before a person is asked for an MFA code.

    Raises:
        AwsError: there are none, or the role may not be assumed.
    """
    role = credentials.assume_role
    with explained("connecting to AWS"):
        return connect(
            region=region,
            profile=credentials.profile,
            assume_role=AssumeRole(role.role_arn, role.session_name, role.external_id)
            if role
            else None,
            on_question=on_question,
        )


def identify(
    aws: Aws, expected_account_id: str, *, declared_type: AccountType | None = None
) -> Account:
    """Check that the credentials are the expected account's, and read its type.

    Sources: STS GetCallerIdentity, Organizations DescribeOrganization, and for a payer the lists
    of billing transfers.

    Args:
        expected_account_id: the account of octo.yaml, 12 digits.
        declared_type: octo.yaml's account_type; used if the organization may not be read.

    Raises:
        WrongAccount: the credentials belong to another account.
        ConfigError: the declared type is not the one that AWS reports.
        AwsError: a call failed, or the type stays unknown.
    """
    with explained("identifying the account"):
        caller = sts.caller_identity(aws)
    if caller["Account"] != expected_account_id:
        raise WrongAccount(
            f"these credentials belong to account {caller['Account']} ({caller['Arn']}), not to"
            f" account {expected_account_id}; nothing was written",
            hint="Use credentials of the intended account (--aws-profile, --role), or correct"
            " account_id in octo.yaml.",
        )
    own_id, arn = caller["Account"], caller["Arn"]
    try:
        with explained("reading the organization"):
            management = organizations.management_account(aws)
    except AccessDenied as error:
        if declared_type is not None:
            return Account(own_id, declared_type, arn, None)
        raise AwsError(
            "the account's type is unknown: the organization may not be read",
            where=expected_account_id,
            hint=f"Grant {arn} organizations:DescribeOrganization, or set account_type in"
            " octo.yaml.",
        ) from error
    account_type: AccountType = "linked"
    if management is None:
        account_type = "standalone"
    elif management == own_id:
        account_type = "payer"
    if declared_type is not None and declared_type != account_type:
        raise ConfigError(
            f"account_type is {declared_type}, but AWS says that this is a {account_type} account",
            where=expected_account_id,
            hint=f"Leave account_type out, or set it to {account_type}.",
        )
    if account_type != "payer":
        return Account(own_id, account_type, arn, management)
    with explained("reading billing transfers"):
        return Account(own_id, account_type, arn, management, read_billing_transfers(aws))
