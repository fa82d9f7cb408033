"""octo-tf init: write octo.yaml, from questions or flags."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context_loading import with_setting_flags
from orchestrator.cli.help import Command
from orchestrator.cli.option import option
from orchestrator.cli.replay import words
from orchestrator.cli.shared_options import CONFIG_FILE, NEW_CONFIG, OCTO, setting_options
from orchestrator.errors import ConfigError

if TYPE_CHECKING:
    from orchestrator.model.registration import Registration
    from orchestrator.octo.api import OctoApi

_REQUIRED = ("account_id", "external_id")
_NO_FILE = Path(".octo.yaml.absent")  # flags and answers alone
_SHOWN = 10  # profiles in a question


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
) -> None:
    """Write octo.yaml, from questions or flags.

    With Octo's credentials (ALPHAUS_CLIENT_ID, ...) the external id is left out: every run gets it
    from Octo.
    """
    from orchestrator.config.write import SECRET_FILE, write_config
    from orchestrator.model.registration import EXTERNAL_ID_SOURCES, flag_of
    from orchestrator.octo.credentials import find

    if config.exists() and not force:
        raise ConfigError("is there already", where=str(config), hint="Replace it with --force.")
    given = {name: value for name, value in flags.items() if value is not None}
    asked = not non_interactive and _is_interactive()
    credentials = find(os.environ, profile=octo_profile) if use_octo else None
    api = None
    if credentials is not None:
        from orchestrator.octo.api import OctoApi

        api = OctoApi(octo_endpoint, credentials)
    try:
        if asked:
            _ask(given, api)
        registration = _checked(config, given, octo_has_external_id=credentials is not None)
        if api is not None:
            from orchestrator.octo.external_id import decide

            decide(registration, api, credentials, flag_of)
        hidden = write_config(config, given)
    except BaseException:
        if asked:
            kept = {name: value for name, value in given.items() if name != "external_id"}
            click.echo(f"To go on with these answers: {_again(config, kept)}", err=True)
        raise
    if hidden:
        del given["external_id"]
        given["external_id_file"] = SECRET_FILE
    click.echo(str(config))
    if hidden:
        click.echo(f"The external id is in {SECRET_FILE} (0600): do not commit it.", err=True)
    if credentials is not None and not given.keys() & {*EXTERNAL_ID_SOURCES}:
        click.echo("The external id is taken from Octo in every run.", err=True)
    if asked:
        again = _again(config, given, "--non-interactive")
        click.echo(f"The same without questions: {again}", err=True)
    click.echo("Next: octo-tf plan, then octo-tf apply.", err=True)


def _checked(config: Path, given: dict[str, Any], *, octo_has_external_id: bool) -> Registration:
    """Check the answers as apply will check them, before anything is written."""
    from orchestrator.config.load import load

    try:
        absent = config.with_name(f".{config.name}.absent")  # a path is relative to its folder
        return load(absent, given, os.environ, octo_has_external_id=octo_has_external_id)
    except ConfigError as error:  # it advises to run octo-tf init
        flag = error.where.rpartition(" or ")[2]
        raise ConfigError(error.what, where=flag, hint="Give it with that option.") from None


def _is_interactive() -> bool:
    return sys.stdin.isatty()


def _again(config: Path, given: dict[str, Any], *options: str) -> str:
    """Return the command that gives these answers by flags."""
    from orchestrator.model.registration import flag_of

    command = ["octo-tf", "init", *options]
    if config != CONFIG_FILE:
        command += ["--config", str(config)]
    for name, value in given.items():
        command += words(flag_of(name), value)
    return shlex.join(command)


def _ask(given: dict[str, Any], api: OctoApi | None) -> None:
    """Ask for what a registration cannot do without, and for what people mostly change.

    What AWS and Octo know is the default; an invalid answer is asked for again.
    """
    from orchestrator.app import suggestions
    from orchestrator.cli.feature_questions import ask_features
    from orchestrator.config.load import access, mistake

    def ask(name: str, question: str, default: str = "", *, hidden: bool = False) -> None:
        if name in given and not mistake(given, name):
            return
        while True:
            if name in given:
                click.echo(mistake(given, name), err=True)
            answer = click.prompt(
                question,
                err=True,
                default=None if hidden else default,
                show_default=bool(default),
                hide_input=hidden,
            )
            if not answer and name not in _REQUIRED:
                given.pop(name, None)
                return
            given[name] = answer
            if not mistake(given, name):
                return

    profiles = suggestions.profiles()
    known = f"; here: {', '.join(profiles[:_SHOWN])}" if profiles else ""
    ask("credentials.profile", f"AWS profile (empty: the ambient credentials{known})")
    while (profile := given.get("credentials.profile")) and profiles and profile not in profiles:
        click.echo(f"There is no AWS profile {profile}; here: {', '.join(profiles)}", err=True)
        del given["credentials.profile"]
        ask("credentials.profile", "AWS profile (empty: the ambient credentials)")
    ask("region", "Region", "us-east-1")
    how = {n: v for n, v in given.items() if n == "region" or n.startswith("credentials.")}
    reached = access(_NO_FILE, how)
    caller = suggestions.caller(reached.region, reached.credentials)
    if caller.reason:
        click.echo(f"AWS does not say which account this is: {caller.reason}", err=True)
    ask("account_id", "AWS account id (12 digits)", caller.account_id)
    account_id = given["account_id"]
    if caller.account_id and account_id != caller.account_id:
        click.echo(f"Note: these credentials are of account {caller.account_id}.", err=True)
    name = suggestions.name_in_octo(api, account_id) if api else ""
    if name:
        click.echo(f"Octo has account {account_id} already, as {name}.", err=True)
    if not name and account_id == caller.account_id:
        name = caller.name
    ask("account_name", "Account name in Octo", name)
    if api is None and not given.keys() & {"external_id_env", "external_id_file"}:
        ask("external_id", "External id, as Octo shows it (not echoed)", hidden=True)
    ask_features(given)
    if not any(name.startswith("cur_") for name in given):
        usable = suggestions.usable_reports(given, reached)
        question = f"Octo can read a report that exists: {', '.join(usable)}. Use it?"
        if usable and click.confirm(question, err=True):
            given["cur_report_option"] = "USE_EXISTING"
            ask("cur_report_name", "The report", usable[0])
