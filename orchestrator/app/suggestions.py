"""What a first octo.yaml is likely to say: answers that AWS and Octo can give. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.aws import cur, identity, organizations, session, sts
from orchestrator.aws.errors import explained
from orchestrator.errors import OctoTfError
from orchestrator.model.existing_report import fitting
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, Access, Credentials, Registration
from orchestrator.octo.api import OctoApi


@dataclass(frozen=True)
class Caller:
    """The account of the credentials.

    Attributes:
        account_id: as STS has it; empty if it could not be asked.
        name: as Organizations has it; empty if it may not be asked.
        reason: why there is no account id.
    """

    account_id: str = ""
    name: str = ""
    reason: str = ""


def profiles() -> tuple[str, ...]:
    """List the AWS profiles of this machine."""
    try:
        with explained("listing the AWS profiles"):
            return session.available_profiles()
    except OctoTfError:
        return ()


def caller(region: str, credentials: Credentials) -> Caller:
    """Ask STS whose the credentials are, and Organizations what that account is called."""
    try:
        aws = identity.reach(region, credentials)
        with explained("identifying the account"):
            account_id = sts.caller_identity(aws)["Account"]
    except OctoTfError as error:
        return Caller(reason=error.what)
    try:
        with explained("reading the account's name"):
            return Caller(account_id, organizations.account_name(aws, account_id))
    except OctoTfError:  # not a management account, or it may not be read
        return Caller(account_id)


def usable_reports(given: Mapping[str, Any], reached: Access) -> list[str]:
    """Name the account's reports that Octo can read; none for a linked account, or if unknown.

    Args:
        given: the answers, by field name.
        reached: how the account is reached.
    """
    try:
        aws = identity.reach(reached.region, reached.credentials)
        account = identity.identify(aws, given["account_id"])
        if account.account_type == "linked":
            return []
        with explained("reading the account's reports"):
            reports = cur.list_reports(aws)
        asked = {n: v for n, v in given.items() if "." not in n and n not in EXTERNAL_ID_SOURCES}
        return fitting(Registration.model_validate({**asked, "external_id": "any-id"}), reports)
    except (OctoTfError, ValueError):
        return []


def name_in_octo(api: OctoApi, account_id: str) -> str:
    """Return the account's name in Octo; empty if Octo does not know it, or does not answer."""
    try:
        known = api.status(account_id)
    except OctoTfError:
        return ""
    return known.aws_options.account_name if known else ""
