"""The options that commands share, by group; those of octo.yaml are derived from the model."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_origin

import click
from click.core import ParameterSource

from orchestrator.cli.option import FILE, Option, option, together
from orchestrator.errors import ConfigError
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, settings
from orchestrator.model.setting import Group, NamedSetting
from orchestrator.octo.credentials import ENDPOINT
from orchestrator.report import formats_of_run

CONFIG_FILE = Path("octo.yaml")
_octo = partial(option, group=Group.OCTO)
_terraform = partial(option, group=Group.TERRAFORM)
_output = partial(option, group=Group.OUTPUT)


def _pairs(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    pairs = [text.partition("=") for text in value]
    if any(not separator for _, separator, _ in pairs):
        raise click.BadParameter("must have the form KEY=VALUE")
    return {key: text for key, _, text in pairs} or None


def _list(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    return list(value) or None


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+)(s|m|h)?", value)
    if not match:
        raise click.BadParameter("must be a duration like 90s, 10m or 24h")
    return int(match[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[match[2] or "s"]


def _events(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    form, _, target = value.partition("=")
    if form != "jsonl" or not target:
        raise click.BadParameter("must be jsonl=FILE or jsonl=fd:N")
    return target


def _writable(file: Path) -> Path:
    """Return the file; one that cannot be written is refused before a run that may take long."""
    existing = next(p for p in file.absolute().parents if os.access(p, os.F_OK))
    try:
        if file.is_dir():
            raise click.BadParameter(f"{file} is a directory")
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be written: {error.strerror}") from None
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise click.BadParameter(f"{file} cannot be written: {existing} takes no files")
    return file


def report_option(subject: Literal["plan", "preflight", "verification"]) -> Callable[[Any], Any]:
    """Return ``--report`` of a command that ends with a plan, a preflight or a verification."""
    known = formats_of_run(subject)

    def parse(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
        reports = {}
        for pair in (pair for text in value for pair in text.split(",")):
            name, separator, file = pair.partition("=")
            if not separator or not file or name not in known:
                raise click.BadParameter(
                    f"{pair!r} is not FORMAT=FILE with a format of {', '.join(known)}"
                )
            reports[name] = _writable(Path(file))
        return reports

    return _output(
        "--report",
        "reports",
        metavar="FORMAT=FILE",
        multiple=True,
        callback=parse,
        help=f"Write a report as {', '.join(known[:-1])} or {known[-1]}. Repeatable.",
    )


def setting_options(*names: str | Group) -> Callable[..., Any]:
    """Options of settings of octo.yaml.

    Args:
        names: top-level settings, or groups of them; none: all settings.
    """
    chosen = [
        setting
        for setting in settings().values()
        if setting.flag
        and (not names or {setting.name.split(".")[0], setting.about.group} & {*names})
    ]
    return together(*map(_setting_option, chosen))


def _setting_option(setting: NamedSetting) -> Callable[..., Any]:
    flag, help_text = setting.flag, setting.about.help
    kind: dict[str, Any] = {"metavar": flag.rpartition("-")[2].upper()}
    if setting.type is bool:
        flag, kind = f"{flag}/--no-{flag.removeprefix('--')}", {"default": None}
    elif setting.type is int:
        kind = {"type": click.INT, "metavar": "N"}
    elif setting.choices:
        kind = {"type": click.Choice(setting.choices)}
    if setting.repeated:
        help_text += " Repeat for several."
        kind |= {"multiple": True, "callback": _list}
    if get_origin(setting.type) is dict:
        kind |= {"metavar": "KEY=VALUE", "callback": _pairs}
    return option(
        flag,
        setting.name.replace(".", "__"),
        group=setting.about.group,
        common=setting.about.common,
        help=help_text,
        show_default=setting.default_text or None,
        **kind,
    )


def _existing(ctx: click.Context, param: click.Parameter, value: Path) -> Path:
    """Refuse a file that was named and is absent; the default one may be."""
    is_named = ctx.get_parameter_source(param.name or "") is not ParameterSource.DEFAULT
    if is_named and not ctx.resilient_parsing and not value.exists():
        raise ConfigError(
            "does not exist",
            where=str(value),
            hint="Check --config and OCTO_TF_CONFIG, or write the file with octo-tf init.",
        )
    return value


def _config(**settings: Any) -> Callable[..., Any]:
    return option(
        "--config",
        "-c",
        group=Group.ACCOUNT,
        type=FILE,
        default=CONFIG_FILE,
        show_default=True,
        help="The file that says what to register.",
        **settings,
    )


CONFIG = _config(callback=_existing)
NEW_CONFIG = _config()  # of commands that write the file if it is absent
REGISTRATION = setting_options()
ACCOUNT = setting_options("account_id", "account_type", "region", "credentials")
EXTERNAL_ID = setting_options(*EXTERNAL_ID_SOURCES)
# Of a command that needs no external id: it runs where octo.yaml does not say it either.
WITHOUT_EXTERNAL_ID = setting_options(
    *({name.split(".")[0] for name in settings()} - {*EXTERNAL_ID_SOURCES})
)

OCTO = together(
    _octo(
        "--octo/--no-octo",
        "use_octo",
        default=True,
        help="Use Octo's API if there are credentials (ALPHAUS_CLIENT_ID, ...).",
    ),
    _octo(
        "--octo-profile",
        common=False,
        metavar="NAME",
        show_default="environment, then `default`",
        help="A profile of ~/.config/alphaus/config.toml.",
    ),
    _octo(
        "--octo-endpoint",
        common=False,
        metavar="URL",
        default=ENDPOINT,
        help="The address of Octo's API.",
    ),
)
PRINCIPAL = _octo(
    "--principal-profile",
    common=False,
    metavar="NAME",
    help="An AWS profile of Octo's own account, used to test Octo's access (sandbox, tests).",
)

WORKDIR = _terraform(
    "--workdir",
    type=click.Path(path_type=Path, file_okay=False),
    show_default=".octo-tf beside --config",
    help="Holds the Terraform roots.",
)
# Of a command that reads the state; one that plans has TERRAFORM.
STATE = together(
    WORKDIR,
    _terraform(
        "--tf-path",
        common=False,
        metavar="PROGRAM",
        show_default="from PATH",
        help="Terraform or OpenTofu, or `embedded`.",
    ),
)
TERRAFORM = together(
    STATE,
    _terraform(
        "--parallelism",
        common=False,
        type=click.IntRange(min=1),
        help="Terraform's -parallelism.",
    ),
    _terraform(
        "--lock-timeout",
        "lock_seconds",
        common=False,
        metavar="DURATION",
        default="60s",
        show_default=True,
        callback=_seconds,
        help="How long to wait for the state lock of another run.",
    ),
)
ALLOW_DESTROY = _terraform(
    "--allow-destroy",
    metavar="ADDRESS",
    multiple=True,
    help="A resource that this run may destroy or replace. Repeat for several.",
)
ENABLE_ACCESS = option(
    "--enable-trusted-access",
    "enable_access",
    group=Group.LINKED_ACCOUNTS,
    common=False,
    is_flag=True,
    help="Enable trusted access for CloudFormation if it is off.",
)

PROGRESS = together(
    _output(
        "--events",
        "events_target",
        common=False,
        metavar="jsonl=FILE",
        callback=_events,
        help="Write each event of the run to FILE (jsonl=fd:N: to descriptor N), as JSON lines.",
    ),
    _output(
        "--verbose",
        "-v",
        is_flag=True,
        help="Show the progress within steps even without a terminal.",
    ),
    _output(
        "--no-color",
        common=False,
        is_flag=True,
        help="Use no colors; NO_COLOR does the same.",
    ),
)
JSON = click.option(
    "--json",
    "as_json",
    cls=Option,
    group=Group.OUTPUT,
    is_flag=True,
    help="Write JSON to stdout.",
)
REPORT = report_option("verification")
PLAN_REPORT = report_option("plan")
WAIT = _output(
    "--wait",
    "wait_seconds",
    metavar="DURATION",
    default="0",
    callback=_seconds,
    help="How long to wait for what is pending: 90s, 10m, 24h.",
)
STRICT = _output(
    "--strict",
    common=False,
    is_flag=True,
    help="Exit with 3 if a check warns.",
)

# What destroy reads of what is registered: the rest of octo.yaml says how to make it.
REGISTERED = together(
    ACCOUNT,
    EXTERNAL_ID,
    setting_options("use_stackset", "stackset_name", Group.TERRAFORM),
    setting_options("cur_report_option", "cur_report_name"),
    setting_options("cur_s3_bucket_option", "cur_s3_bucket_name", "cur_s3_bucket_merge_policy"),
)
# Of every command that ends with a verification and its report.
VERIFYING = together(REGISTRATION, OCTO, PRINCIPAL, WAIT, REPORT, JSON)
