"""The options that say what to register: one for each field of a registration."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from orchestrator.cli.option import decorate, option


def _pairs(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    pairs = [text.partition("=") for text in value]
    if any(not separator for _, separator, _ in pairs):
        raise click.BadParameter("must have the form KEY=VALUE")
    return {key: text for key, _, text in pairs} or None


def _list(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    return list(value) or None


# Octo's API. Credentials are no flags: they would be in the shell's history.
# One option for each field of a registration; the parameter is the field's name, with "__" for
# the dot of a nested one.
_REGISTRATION = (
    option("--account-id", metavar="ID", help="The AWS account to register, 12 digits."),
    option("--account-name", metavar="NAME", help="The account's name in Octo."),
    option(
        "--account-type", metavar="TYPE", help="payer, linked or standalone; default: found out."
    ),
    option("--external-id", metavar="ID", help="The external id that Octo shows (prefer a file)."),
    option("--external-id-env", metavar="NAME", help="The variable that holds the external id."),
    option("--external-id-file", metavar="FILE", help="The file that holds the external id."),
    option("--principal", metavar="ID", help="Octo's own AWS account; fixed."),
    option("--use-stackset/--no-use-stackset", default=None, help="API access in linked accounts."),
    option("--stackset-name", metavar="NAME", help="The StackSet's name."),
    option(
        "--stackset-target",
        "stackset_targets",
        metavar="OU",
        multiple=True,
        callback=_list,
        help="An OU whose accounts get API access, nested ones included; repeat.  [default: all]",
    ),
    option(
        "--stackset-excluded-account",
        "stackset_excluded_accounts",
        metavar="ID",
        multiple=True,
        callback=_list,
        help="A linked account to leave out; repeat.",
    ),
    option(
        "--stackset-max-concurrent-percentage",
        type=click.INT,
        metavar="N",
        help="How many accounts CloudFormation works on at a time, in percent.",
    ),
    option(
        "--stackset-failure-tolerance-percentage",
        type=click.INT,
        metavar="N",
        help="How many accounts may fail before CloudFormation stops, in percent.",
    ),
    option(
        "--stackset-retain-stacks/--no-stackset-retain-stacks",
        default=None,
        help="Leave the roles where the StackSet, or a part of it, is taken away.",
    ),
    option(
        "--stackset-retain-on-account-removal/--no-stackset-retain-on-account-removal",
        default=None,
        help="Leave the role where an account leaves the targets by itself; a change replaces"
        " the StackSet.",
    ),
    option(
        "--stackset-role-logical-id",
        metavar="ID",
        help="The role's logical id in the StackSet's template; for a StackSet taken over.",
    ),
    option(
        "--permission-tier",
        "permission_tiers",
        metavar="TIER",
        multiple=True,
        callback=_list,
        help="read, recommendations or operations; repeat for several.",
    ),
    option(
        "--max-session-duration",
        type=click.INT,
        metavar="SECONDS",
        help="How long a session of Octo's may last, 3600 to 43200.",
    ),
    option("--permissions-boundary", metavar="ARN", help="The roles' permissions boundary."),
    option("--cur-s3-bucket-option", metavar="OPTION", help="CREATE_NEW or USE_EXISTING."),
    option("--cur-s3-bucket-name", metavar="NAME", help="The CUR bucket."),
    option("--cur-s3-bucket-region", metavar="REGION", help="The CUR bucket's region."),
    option(
        "--cur-s3-bucket-merge-policy/--no-cur-s3-bucket-merge-policy",
        default=None,
        help="Add what AWS needs to an existing bucket's policy.",
    ),
    option("--cur-s3-prefix", metavar="PREFIX", help="The prefix of the report's objects."),
    option("--cur-report-name", metavar="NAME", help="The report's name."),
    option("--cur-time-unit", metavar="UNIT", help="HOURLY, DAILY or MONTHLY."),
    option("--cur-format", metavar="FORMAT", help="textORcsv or Parquet."),
    option("--cur-compression", metavar="COMPRESSION", help="ZIP, GZIP or Parquet."),
    option(
        "--cur-additional-schema-element",
        "cur_additional_schema_elements",
        metavar="ELEMENT",
        multiple=True,
        callback=_list,
        help="RESOURCES, SPLIT_COST_ALLOCATION_DATA, ...; repeat for several.",
    ),
    option(
        "--cur-additional-artifact",
        "cur_additional_artifacts",
        metavar="ARTIFACT",
        multiple=True,
        callback=_list,
        help="ATHENA, REDSHIFT or QUICKSIGHT; repeat for several.",
    ),
    option(
        "--cur-refresh-closed-reports/--no-cur-refresh-closed-reports",
        default=None,
        help="Refresh reports of closed months.",
    ),
    option("--cur-report-versioning", metavar="V", help="OVERWRITE_REPORT or CREATE_NEW_REPORT."),
    option("--cur-role-trust", metavar="TRUST", help="external_id or principal_only (weaker)."),
    option(
        "--tag", "tags", metavar="KEY=VALUE", multiple=True, callback=_pairs, help="A tag; repeat."
    ),
    option("--region", metavar="REGION", help="The region octo-tf works from."),
    option("--aws-profile", "credentials__profile", metavar="NAME", help="The AWS profile to use."),
    option(
        "--role",
        "credentials__assume_role__role_arn",
        metavar="ARN",
        help="A role to assume in the account.",
    ),
    option(
        "--provider-version",
        metavar="CONSTRAINT",
        help="The hashicorp/aws that Terraform uses, like '~> 6.0'.  [default: 5.100.0]",
    ),
)


def registration_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a registration; the function gets them as ``flags``, by field name."""

    @functools.wraps(function)
    def collect(*arguments: Any, **parameters: Any) -> Any:
        flags = {
            name.replace("__", "."): parameters.pop(name)
            for name in [*parameters]
            if name in _FLAG_NAMES
        }
        return function(*arguments, flags=flags, **parameters)

    return decorate(collect, _REGISTRATION)


def registration_help() -> dict[str, str]:
    """What each field of a registration is, by its dotted name: the help of its flag."""
    return {
        (parameter.name or "").replace("__", "."): parameter.help or ""
        for parameter in _REGISTRATION_PARAMETERS
        if isinstance(parameter, click.Option)
    }


# The parameters that the options above make, as click itself derives them.
_REGISTRATION_PARAMETERS = click.command()(decorate(lambda: None, _REGISTRATION)).params
_FLAG_NAMES = frozenset(parameter.name for parameter in _REGISTRATION_PARAMETERS)
