"""identify: whose credentials these are, and what type of account that is. Never a guess."""

from __future__ import annotations

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of, explained, is_denied
from orchestrator.aws.session import AssumeRole, Aws, connect
from orchestrator.errors import AwsError, ConfigError, WrongAccount
from orchestrator.model.account import Account, AccountType
from orchestrator.model.registration import Credentials


def reach(region: str, credentials: Credentials) -> Aws:
    """Connect by the credentials that octo.yaml, flags or the environment name.

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
        )


def identify(
    aws: Aws, expected_account_id: str, *, declared_type: AccountType | None = None
) -> Account:
    """Makes sure of the account, then finds out its type (STS, Organizations).

    Args:
        aws: calls with the credentials at hand.
        expected_account_id: the account that was meant.
        declared_type: what octo.yaml says; taken where the organization may not be read.

    Raises:
        WrongAccount: the credentials are another account's.
        ConfigError: the declared type is not what AWS says.
        AwsError: AWS cannot be asked, or the type stays unknown.
    """
    with explained("identifying the account"):
        caller = aws.client("sts").get_caller_identity()
    if caller["Account"] != expected_account_id:
        raise WrongAccount(
            f"these credentials belong to account {caller['Account']} ({caller['Arn']}), not to"
            f" account {expected_account_id}; nothing was written",
            hint="Use credentials of the account that is meant (--aws-profile, --role), or correct"
            " account_id in octo.yaml.",
        )
    own_id, arn = caller["Account"], caller["Arn"]
    try:
        with explained("reading the organization"):
            management = _management_account(aws)
    except AwsError as error:
        denied = isinstance(error.__cause__, ClientError) and is_denied(error.__cause__)
        if denied and declared_type is not None:
            return Account(own_id, declared_type, arn, None)
        if denied:
            raise AwsError(
                "the account's type is unknown: the organization may not be read",
                where=expected_account_id,
                hint=f"Grant {arn} organizations:DescribeOrganization, or set account_type in"
                " octo.yaml.",
            ) from error
        raise
    found: AccountType = "linked"
    if management is None:
        found = "standalone"
    elif management == own_id:
        found = "payer"
    if declared_type is not None and declared_type != found:
        raise ConfigError(
            f"account_type is {declared_type}, but AWS says that this is a {found} account",
            where=expected_account_id,
            hint=f"Leave account_type out, or set it to {found}.",
        )
    return Account(own_id, found, arn, management)


def _management_account(aws: Aws) -> str | None:
    """The organization's management account; None for an account in no organization."""
    try:
        organization = aws.client("organizations").describe_organization()["Organization"]
    except ClientError as error:
        if code_of(error) == "AWSOrganizationsNotInUseException":
            return None
        raise
    return str(organization["MasterAccountId"])
