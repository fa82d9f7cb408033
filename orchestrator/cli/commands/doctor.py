"""octo-tf doctor: check everything that a run needs, and say how to fix it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.groups import JSON, OCTO, REGISTRATION, TERRAFORM
from orchestrator.cli.help import Command
from orchestrator.cli.options import WORKDIR, deferred_run_options, use_color
from orchestrator.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.doctor.model import Line

SCHEMA = "octo-tf/doctor/v1"
_LOOKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command(cls=Command)
@deferred_run_options(REGISTRATION, OCTO, TERRAFORM, JSON)
@click.pass_context
def command(
    ctx: click.Context, load_context: Callable[..., AccountContext], as_json: bool
) -> ExitCode:
    """Check everything that a run needs, and say how to fix it.

    Nothing is changed. Exit code 1 means that there is a problem; warnings alone exit with 0.
    """
    from orchestrator.doctor import runner
    from orchestrator.doctor.model import Patient, Status

    context, error = None, None
    try:
        context = load_context()
    except ConfigError as wrong:
        error = wrong
    folder = context.folder if context else Path(WORKDIR).absolute()
    lines = runner.examine(Patient(context, error, dict(os.environ), folder, time.time))
    problem = any(line.status is Status.PROBLEM for line in lines.values())
    if as_json:
        click.echo(_json(lines, "problem" if problem else "ok"))
    else:
        color = None if use_color(bool(ctx.params.get("no_color"))) else False
        for name, line in lines.items():
            click.echo(_text(name, line), color=color)
    return ExitCode.ERROR if problem else ExitCode.DONE


def _text(name: str, line: Line) -> str:
    sign, color = _LOOKS.get(line.status.value, ("-", "bright_black"))
    text = f"{click.style(sign, fg=color)} {name:14}{line.summary}"
    return f"{text}\n{'':16}→ {line.mend}" if line.mend else text


def _json(lines: dict[str, Line], status: str) -> str:
    return json.dumps(
        {
            "schema": SCHEMA,
            "status": status,
            "lines": [
                {"id": n, "status": line.status.value, "summary": line.summary, "mend": line.mend}
                for n, line in lines.items()
            ],
        },
        indent=2,
    )
