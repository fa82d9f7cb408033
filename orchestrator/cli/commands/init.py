"""octo-tf init: write octo.yaml, from questions or flags."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.groups import NEW_CONFIG, OCTO, setting_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import option
from orchestrator.cli.options import with_setting_flags
from orchestrator.cli.replay import words
from orchestrator.errors import ConfigError, ExitCode


@click.command(cls=Command)
@NEW_CONFIG
@setting_options()
@OCTO
@click.option("--force", is_flag=True, help="Replace an existing file.")
@option("--non-interactive", is_flag=True, help="Ask nothing; a missing answer is an error.")
@with_setting_flags
def command(
    flags: dict[str, Any],
    config: Path,
    force: bool,
    non_interactive: bool,
    use_octo: bool,
    octo_profile: str | None,
    octo_endpoint: str,
) -> ExitCode:
    """Write octo.yaml, from questions or flags.

    With Octo's credentials (ALPHAUS_CLIENT_ID, ...) the external id is left out: every run gets it
    from Octo.
    """
    from orchestrator.config.load import load
    from orchestrator.config.write import SECRET_FILE, write_config
    from orchestrator.model.registration import EXTERNAL_ID_SOURCES, flag_of
    from orchestrator.octo.credentials import find

    if config.exists() and not force:
        raise ConfigError("is there already", where=str(config), hint="Replace it with --force.")
    given = {name: value for name, value in flags.items() if value is not None}
    asked = not non_interactive and sys.stdin.isatty()
    credentials = find(os.environ, profile=octo_profile) if use_octo else None
    if asked:
        _ask(given, external_id=credentials is None)
    # Checked as apply will check it, before anything is written.
    try:
        registration = load(
            config.with_name(f".{config.name}.absent"),
            given,
            os.environ,
            octo_has_external_id=credentials is not None,
        )
    except ConfigError as error:  # it advises to run octo-tf init
        flag = error.where.rpartition(" or ")[2]
        raise ConfigError(error.what, where=flag, hint="Give it with that option.") from None
    if credentials is not None:
        from orchestrator.octo.api import OctoApi
        from orchestrator.octo.external_id import decide

        decide(registration, OctoApi(octo_endpoint, credentials), credentials, flag_of)
    hidden = write_config(config, given)
    if hidden:
        del given["external_id"]
        given["external_id_file"] = SECRET_FILE
    click.echo(str(config))
    if hidden:
        click.echo(f"The external id is in {SECRET_FILE} (0600): do not commit it.", err=True)
    if credentials is not None and not given.keys() & {*EXTERNAL_ID_SOURCES}:
        click.echo("The external id is taken from Octo in every run.", err=True)
    if asked:
        repeat = ["octo-tf", "init", "--non-interactive"]
        for name, value in given.items():
            repeat += words(flag_of(name), value)
        click.echo(f"The same without questions: {shlex.join(repeat)}", err=True)
    click.echo("Next: octo-tf plan, then octo-tf apply.", err=True)
    return ExitCode.DONE


def _ask(given: dict[str, Any], *, external_id: bool) -> None:
    """Asks for what a registration cannot do without, and for what people mostly change."""

    def ask(name: str, question: str, **settings: Any) -> None:
        if name not in given and (answer := click.prompt(question, err=True, **settings)):
            given[name] = answer

    ask("account_id", "AWS account id (12 digits)")
    ask("account_name", "Account name in Octo", default="")
    if external_id and not given.keys() & {"external_id_env", "external_id_file"}:
        ask("external_id", "External id, as Octo shows it (not echoed)", hide_input=True)
    ask("credentials.profile", "AWS profile (empty: the ambient credentials)", default="")
    ask("region", "Region", default="us-east-1")
