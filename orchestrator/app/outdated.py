"""Ask Octo whether an account's access is outdated, and find out what its new template asks for.

Nothing is changed: Octo and AWS are read, and the template, which is public.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app.context import AccountContext
from orchestrator.detection import stackset_template
from orchestrator.errors import AwsError, OctoError, Refused
from orchestrator.model.account import Account
from orchestrator.model.observed import Role
from orchestrator.model.outdated_access import OutdatedAccess, compare
from orchestrator.model.partition import partition_of_arn
from orchestrator.octo.messages import OUTDATED, AccessTemplate, AwsOptions


def find(context: AccountContext, account: Account | None = None) -> OutdatedAccess | None:
    """Find out whether Octo calls the account's access outdated, and why.

    An Octo that does not answer is a warning. What of AWS or the template cannot be read is said in
    the answer.

    Args:
        account: as identified; None identifies it if it matters.

    Returns:
        None if it is not outdated, or if that cannot be found out.
    """
    if context.octo.api is None:
        return None
    try:
        known = context.octo.api.status(context.registration.account_id)
        if known is None or known.aws_options.status != OUTDATED:
            return None
        template = context.octo.api.template()
    except OctoError as error:
        context.events.warn(f"{error}. Whether the access is outdated is not known.")
        return None
    return _compared(context, account, template, known.aws_options)


def _compared(
    context: AccountContext, account: Account | None, template: AccessTemplate, known: AwsOptions
) -> OutdatedAccess:
    found = OutdatedAccess(template.template_version, known.template_version, template.template_url)
    try:
        account = account or context.cloud.identify()
        asked = roles_of(context, account, template.template_url, template.principal)
        granted = {
            name: role for name in asked if (role := context.cloud.describe_role(name)) is not None
        }
    except (AwsError, Refused) as error:
        return replace(found, unread=f"{error}. {error.hint}".strip())
    earlier, unread = None, ""
    try:
        if known.template_url != template.template_url:
            earlier = roles_of(context, account, known.template_url, template.principal)
        else:
            unread = "Octo does not say by which template the account was registered"
    except AwsError as error:
        unread = str(error)
    missing = compare(granted, asked, earlier, context.registration.features or ())
    return replace(found, missing=missing, unread=unread)


def roles_of(
    context: AccountContext, account: Account, url: str, principal: str
) -> dict[str, Role]:
    """Read the roles of a template of Octo's; the conditions on its resources count as true.

    Raises:
        AwsError: it cannot be read, or makes no role.
    """
    text = context.cloud.read_public_template(url)
    partition = partition_of_arn(account.caller_arn)
    values = {"AWS::AccountId": account.account_id, "Principal": principal}
    found, _ = stackset_template.roles(text, values, partition)
    if not found:
        raise AwsError("is not a CloudFormation template that makes roles", where=url)
    return found
