"""Options that several commands share; each has an environment variable, ``OCTO_TF_<NAME>``."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from orchestrator.config.model import Registration
    from orchestrator.errors import ExitCode
    from orchestrator.run import Run
    from orchestrator.verify.model import Report

Function = TypeVar("Function", bound=Callable[..., Any])

CONFIG = Path("octo.yaml")
WORKDIR = Path(".octo-tf")
OCTO_ENDPOINT = "https://api.alphaus.cloud/m/blue/cover"


def option(flag: str, *names: str, **settings: Any) -> Callable[[Function], Function]:
    """A click option whose environment variable follows from its flag."""
    variable = "OCTO_TF_" + flag.split("/")[0].lstrip("-").replace("-", "_").upper()
    return click.option(flag, *names, envvar=variable, show_envvar=True, **settings)


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+)(s|m|h)?", value)
    if not match:
        raise click.BadParameter("must be a duration like 90s, 10m or 24h")
    return int(match[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[match[2] or "s"]


def _pairs(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    pairs = [text.partition("=") for text in value]
    if any(not separator for _, separator, _ in pairs):
        raise click.BadParameter("must have the form KEY=VALUE")
    return {key: text for key, _, text in pairs} or None


def _list(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    return list(value) or None


# Octo's API. Credentials are no flags: they would be in the shell's history.
OCTO = (
    option(
        "--octo/--no-octo",
        "use_octo",
        default=True,
        help="Tell Octo's API, where there are credentials (ALPHAUS_CLIENT_ID, ...).",
    ),
    option(
        "--octo-profile",
        metavar="NAME",
        help="A profile of ~/.config/alphaus/config.toml.  [default: environment, then `default`]",
    ),
    option(
        "--octo-endpoint", metavar="URL", default=OCTO_ENDPOINT, help="The address of Octo's API."
    ),
)

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
        "--permission-tier",
        "permission_tiers",
        metavar="TIER",
        multiple=True,
        callback=_list,
        help="read, recommendations or operations; repeat for several.",
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
)

_CONFIG = option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, dir_okay=False),
    default=CONFIG,
    show_default=True,
    help="The file that says what to register.",
)

_RUNNING = (
    _CONFIG,
    option(
        "--workdir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Holds one Terraform root folder per account.  [default: .octo-tf beside --config]",
    ),
    option(
        "--tf-path",
        metavar="PROGRAM",
        help="Terraform or OpenTofu, or `embedded`.  [default: from PATH]",
    ),
    option("--parallelism", type=click.IntRange(min=1), help="Terraform's -parallelism."),
    option(
        "--lock-timeout",
        "lock_seconds",
        metavar="DURATION",
        default="60s",
        show_default=True,
        callback=_seconds,
        help="Wait this long for another run's state lock.",
    ),
    option(
        "--principal-profile",
        metavar="NAME",
        help="An AWS profile of Octo's principal account, to prove access (sandbox, tests).",
    ),
    *OCTO,
    option("--verbose", "-v", is_flag=True, help="Progress lines even without a terminal."),
    option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same."),
)

JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")

WAIT = option(
    "--wait",
    "wait_seconds",
    metavar="DURATION",
    default="0",
    callback=_seconds,
    help="Wait this long for what is pending (90s, 10m, 24h).",
)


def _reports(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    from orchestrator.report import formats

    known = formats("verification")
    reports = {}
    for pair in (pair for text in value for pair in text.split(",")):
        name, separator, file = pair.partition("=")
        if not separator or not file or name not in known:
            raise click.BadParameter(
                f"{pair!r} is not FORMAT=FILE with a format of {', '.join(known)}"
            )
        reports[name] = Path(file)
    return reports


REPORT = option(
    "--report",
    "reports",
    metavar="FORMAT=FILE",
    multiple=True,
    callback=_reports,
    help="Write the report to a file too: junit=, json=, markdown= or table=; repeat, or separate"
    " by commas.",
)

ENABLE_ACCESS = option(
    "--enable-trusted-access",
    "enable_access",
    is_flag=True,
    help="Switch CloudFormation's access to the organization on, where a StackSet needs it.",
)

ALLOW_DESTROY = option(
    "--allow-destroy",
    metavar="ADDRESS",
    multiple=True,
    help="A resource that this run may destroy or replace; repeat for several.",
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

    return _decorate(collect, _REGISTRATION)


def registration_help() -> dict[str, str]:
    """What each field of a registration is, by its dotted name: the help of its flag."""
    return {
        (parameter.name or "").replace("__", "."): parameter.help or ""
        for parameter in _REGISTRATION_PARAMETERS
        if isinstance(parameter, click.Option)
    }


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds everything a run needs; the function gets it as ``run``."""

    @functools.wraps(function)
    def now(*arguments: Any, load_run: Callable[..., Run], **parameters: Any) -> Any:
        return function(*arguments, run=load_run(), **parameters)

    return deferred_run_options(now)


def adopting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that comes before octo.yaml; it gets the given ``flags`` too.

    ``load_run`` then takes ``defaults``, which octo.yaml is not there to say; flags win over them.
    """
    return deferred_run_options(function, with_flags=True)


def deferred_run_options(
    function: Callable[..., Any], *, with_flags: bool = False
) -> Callable[..., Any]:
    """The same for a command that calls ``load_run`` itself: it may raise, or be given settings."""

    @functools.wraps(function)
    def make(
        *arguments: Any,
        flags: dict[str, Any],
        config: Path,
        workdir: Path | None,
        tf_path: str | None,
        parallelism: int | None,
        lock_seconds: float,
        principal_profile: str | None,
        use_octo: bool,
        octo_profile: str | None,
        octo_endpoint: str,
        verbose: bool,
        no_color: bool,
        wait_seconds: float = 0.0,
        allow_destroy: tuple[str, ...] = (),
        enable_access: bool = False,
        **parameters: Any,
    ) -> Any:
        def load_run(*, defaults: dict[str, Any] | None = None, **settings: Any) -> Run:
            # Imported here, and the rest only once octo.yaml is right: boto3, pydantic and
            # Jinja take most of a second to load.
            from orchestrator.config.load import EXTERNAL_ID_SOURCES, load, place_of
            from orchestrator.octo.credentials import find

            credentials = find(os.environ, profile=octo_profile) if use_octo else None
            own = {name: value for name, value in flags.items() if value is not None}
            given = {**(defaults or {}), **own, **settings}
            registration: Registration = load(
                config, given, os.environ, octo_has_external_id=credentials is not None
            )

            def place(name: str) -> str:
                names = EXTERNAL_ID_SOURCES if name == "external_id" else (name,)
                return place_of(config, given, *names)

            from orchestrator.progress import Progress
            from orchestrator.run import Run, Settings

            return Run(
                registration,
                Settings(
                    workdir=workdir or config.parent / WORKDIR,
                    environ=dict(os.environ),
                    tf_path=tf_path,
                    parallelism=parallelism,
                    lock_seconds=lock_seconds,
                    principal_profile=principal_profile,
                    allow_destroy=frozenset(allow_destroy),
                    wait_seconds=wait_seconds,
                    enable_access=enable_access,
                    octo_credentials=credentials,
                    octo_endpoint=octo_endpoint,
                    place_of=place,
                ),
                Progress(verbose=verbose, color=use_color(no_color)),
            )

        if with_flags:
            parameters["flags"] = {name: v for name, v in flags.items() if v is not None}
        return function(*arguments, load_run=load_run, **parameters)

    return _decorate(registration_options(make), _RUNNING)


def end(run: Run, report: Report, reports: dict[str, Path], *, as_json: bool) -> ExitCode:
    """How a command that verifies ends: the files of --report, stdout, the exit code."""
    from orchestrator.report import render_verification

    for name, file in reports.items():
        write_report(file, render_verification(report, name))
    name = "json" if as_json else "table"
    click.echo(render_verification(report, name, color=run.progress.color))
    return report.exit_code


def write_report(file: Path, text: str) -> None:
    """Writes a report that is meant to be passed on: readable by all, it holds no secret.

    Raises:
        OctoTfError: it cannot be written.
    """
    from orchestrator.errors import OctoTfError
    from orchestrator.files import write_atomically

    try:
        write_atomically(file, (text + "\n").encode(), mode=0o644)
    except OSError as error:
        raise OctoTfError(
            f"the report cannot be written: {error.strerror}",
            where=str(file),
            hint="Name a file in a folder that can be written.",
        ) from error


def use_color(no_color: bool) -> bool:
    """Whether colours are wanted (https://no-color.org)."""
    return not no_color and not os.environ.get("NO_COLOR")


def _decorate(function: Callable[..., Any], decorators: tuple[Any, ...]) -> Callable[..., Any]:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


# The parameters that the options above make, as click itself derives them.
_REGISTRATION_PARAMETERS = click.command()(_decorate(lambda: None, _REGISTRATION)).params
_FLAG_NAMES = frozenset(parameter.name for parameter in _REGISTRATION_PARAMETERS)
