"""octo-tf doctor: check everything that a run needs, and say how to fix it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import WORKDIR, deferred_run_options
from orchestrator.cli.help import Command
from orchestrator.cli.results import use_color
from orchestrator.cli.shared_options import JSON, OCTO, REGISTRATION, STATE
from orchestrator.errors import ConfigError, ExitCode, OctoTfError

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.aws.session import Aws
    from orchestrator.doctor.model import DoctorContext, DoctorResult

SCHEMA = "octo-tf/doctor/v2"
_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command(cls=Command)
@deferred_run_options(REGISTRATION, OCTO, STATE, JSON)
@click.pass_context
def command(
    ctx: click.Context, load_context: Callable[..., AccountContext], as_json: bool
) -> ExitCode:
    """Check everything that a run needs, and say how to fix it.

    Nothing is changed. Exit code 1 means that there is a problem; warnings alone exit with 0.
    """
    from orchestrator.doctor import runner
    from orchestrator.doctor.model import DoctorStatus

    results = runner.run_checks(_context(load_context))
    problem = any(result.status is DoctorStatus.PROBLEM for result in results.values())
    if as_json:
        click.echo(_json(results, "problem" if problem else "ok"))
    else:
        color = None if use_color(bool(ctx.params.get("no_color"))) else False
        for name, result in results.items():
            click.echo(_text(name, result), color=color)
    return ExitCode.ERROR if problem else ExitCode.DONE


def _context(load_context: Callable[..., AccountContext]) -> DoctorContext:
    from orchestrator.doctor.model import DoctorContext

    environ = dict(os.environ)
    try:
        account = load_context()
    except ConfigError as error:
        return DoctorContext(environ, Path(WORKDIR).absolute(), time.time, error=error)
    return DoctorContext(
        environ,
        account.folder,
        time.time,
        account.registration,
        connection=_connection(account),
        tf_path=account.settings.tf_path,
        octo_api=account.octo.api,
        octo_credentials=account.settings.octo_credentials,
        place_of=account.settings.place_of,
    )


def _connection(account: AccountContext) -> Aws | OctoTfError:
    try:
        return account.cloud.observation()
    except OctoTfError as error:
        return error


def _text(name: str, result: DoctorResult) -> str:
    sign, color = _SIGNS.get(result.status.value, ("-", "bright_black"))
    text = f"{click.style(sign, fg=color)} {name:14}{result.summary}"
    return f"{text}\n{'':16}→ {result.fix}" if result.fix else text


def _json(results: dict[str, DoctorResult], status: str) -> str:
    return json.dumps(
        {
            "schema": SCHEMA,
            "status": status,
            "checks": [
                {
                    "id": n,
                    "status": result.status.value,
                    "summary": result.summary,
                    "fix": result.fix,
                }
                for n, result in results.items()
            ],
        },
        indent=2,
    )
