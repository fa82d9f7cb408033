"""The command line: thin commands over the pipeline, and the one place of exit codes.

A command is one file in ``commands/`` that defines ``command``; it is found by its place and
imports what is heavy only when it runs, so that ``--help`` stays fast.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoSuchCommand

from orchestrator import __version__
from orchestrator.cli import failures, streams
from orchestrator.cli.help import CommandGroup
from orchestrator.cli.session import Session
from orchestrator.errors import ConfigError, ExitCode, OctoTfError

_COMMANDS = Path(__file__).parent / "commands"
_SECTIONS = {
    "Start": ("init", "features", "policy", "doctor", "schema", "completion"),
    "Change": ("plan", "apply", "upgrade", "adopt", "console", "destroy", "render", "unlock"),
    "Inspect": ("status", "verify", "preflight", "stackset", "discover", "permissions"),
    "Octo": ("accounts", "confirm", "rotate-external-id", "unregister"),
    "Sandbox": ("demo", "sandbox"),
}


def sections() -> dict[str, list[str]]:
    """Return the names of the commands, by the section of help that lists them."""
    found = {path.stem.replace("_", "-") for path in _COMMANDS.glob("[a-z]*.py")}
    listed = {title: [n for n in names if n in found] for title, names in _SECTIONS.items()}
    others = found.difference(*_SECTIONS.values())
    return {**listed, "Other": sorted(others)} if others else listed


class _Commands(CommandGroup):
    """Loads a command's file only when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for names in sections().values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"orchestrator.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:  # click suggests commands that are loaded already
            known = self.list_commands(ctx)
            raise NoSuchCommand(error.command_name, possibilities=known, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; click itself would end the process at any broken pipe, without a word."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if explained := failures.explain(error):
                raise explained from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their files' first lines: importing them all takes longer."""
        width = max(map(len, self.list_commands(ctx)))
        for title, names in sections().items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), _summary(name)) for name in names])


def _summary(name: str) -> str:
    """``\"\"\"octo-tf plan: show what ....\"\"\"`` → ``Show what ....``"""
    with (_COMMANDS / f"{name.replace('-', '_')}.py").open(encoding="utf-8") as file:
        sentence = file.readline().strip().strip('"').partition(": ")[2]
    return sentence[:1].upper() + sentence[1:]


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done and verified, 1 error, 2 there are changes, 3 verification failed,"
    " 4 verification pending, 5 refused by the guard, 64 wrong usage, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", prog_name="octo-tf")
def group() -> None:
    """Register AWS accounts with Octo by Terraform, and verify that Octo can read them.

    Start with `octo-tf demo` (no AWS account needed) or `octo-tf init`.
    """


def main() -> None:
    """Run the command line and end the process."""
    streams.prepare()
    session = Session()
    session.cancellation.on_signals()
    # Python's usual 700 goes through boto3's models again and again while they are loaded.
    gc.set_threshold(50_000, 20, 20)
    code = int(run(sys.argv[1:], session))
    gc.freeze()  # Python's last collection would look through all of boto3 first
    streams.discard()
    sys.exit(code)


def run(arguments: list[str], session: Session | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code.
    """
    session = session or Session()
    with streams.guarded() as output:
        code, error = _run(arguments, session)
        session.end(code, error)
        if "--json" in arguments and code and not output.is_written:
            _answer(code, error)
    return code


def _run(arguments: list[str], session: Session) -> tuple[int, OctoTfError | None]:
    try:
        result = group.main(arguments, prog_name="octo-tf", standalone_mode=False, obj=session)
        return int(result or ExitCode.DONE), None
    except click.UsageError as error:
        error.show(sys.stderr)
        command = error.ctx.command_path if error.ctx else "octo-tf"
        usage = ConfigError(
            error.format_message(), where=command, hint=f"`{command} --help` shows what it takes."
        )
        return ExitCode.USAGE, usage
    except (click.Abort, KeyboardInterrupt):
        print("Interrupted. Run the same command again to go on.", file=sys.stderr)
        return ExitCode.INTERRUPTED, None
    except click.ClickException as error:
        error.show(sys.stderr)
        return ExitCode.ERROR, OctoTfError(error.format_message())
    except streams.OutputError as error:
        if not error.unread:  # else its reader went away, e.g. `| head`
            failures.show(error)
        return error.exit_code, error
    except Exception as error:  # noqa: BLE001  (the last resort)
        from orchestrator.cli import advice, crash  # only where they are needed

        explained = failures.explain(error)
        if explained is None:
            explained = crash.report(error, _command(arguments))
        explained.hint = advice.fitting(explained.hint, arguments, group)
        failures.show(explained)
        return explained.exit_code, explained


def _answer(code: int, error: OctoTfError | None) -> None:
    """Answer a command that was given --json: an error as JSON, unless stdout is what failed."""
    if not isinstance(error, streams.OutputError):
        with contextlib.suppress(streams.OutputError):  # stderr has the error already
            click.echo(failures.as_json(code, error))


def _command(arguments: list[str]) -> str:
    """The command's name; its arguments may hold secrets."""
    known = {name for names in sections().values() for name in names}
    return next((argument for argument in arguments if argument in known), "")
