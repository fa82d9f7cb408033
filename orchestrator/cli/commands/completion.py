"""octo-tf completion: install completion of commands and options for the shell."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import ShellComplete, get_completion_class

from orchestrator.cli.help import CommandGroup
from orchestrator.cli.option import Option
from orchestrator.errors import OctoTfError

_SHELLS = ("bash", "zsh", "fish")
_MARK = "# octo-tf completion"


@click.group(cls=CommandGroup)
def command() -> None:
    """Install completion of commands and options for the shell."""


def _of_the_user() -> str | None:
    name = Path(os.environ.get("SHELL", "")).name
    return name if name in _SHELLS else None


_SHELL = click.option(
    "--shell",
    cls=Option,
    type=click.Choice(_SHELLS),
    default=_of_the_user,
    show_default="from $SHELL",
    help="The shell to complete for.",
)


@command.command()
@_SHELL
def show(shell: str | None) -> None:
    """Print the completion script."""
    click.echo(_script(_named(shell)))


@command.command()
@_SHELL
def install(shell: str | None) -> None:
    """Install completion for new shells; a second run changes nothing."""
    from orchestrator.files import read_regular, write_atomically

    shell = _named(shell)
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    script, startup = {
        "bash": (data / "octo-tf/completion.bash", home / ".bashrc"),
        "zsh": (data / "octo-tf/completion.zsh", home / ".zshrc"),
        "fish": (config / "fish/completions/octo-tf.fish", None),  # fish finds it there
    }[shell]
    try:
        write_atomically(script, _script(shell).encode(), mode=0o644)
        if startup is not None:
            before = read_regular(startup).decode() if startup.exists() else ""
            if _MARK not in before:
                mode = startup.stat().st_mode & 0o777 if startup.exists() else 0o644
                newline = "" if not before or before.endswith("\n") else "\n"
                line = f'[ -r "{script}" ] && . "{script}"  {_MARK}\n'
                # A link into a folder of dotfiles stays a link.
                write_atomically(startup.resolve(), (before + newline + line).encode(), mode=mode)
    except (OSError, UnicodeDecodeError) as error:
        raise OctoTfError(
            f"completion cannot be installed: {error}",
            hint=f"Put the output of `octo-tf completion show --shell {shell}` where your shell"
            " reads it.",
        ) from error
    click.echo(str(script))
    click.echo(f"Completion works in new {shell} sessions.", err=True)


def _named(shell: str | None) -> str:
    if shell is None:
        raise click.UsageError("the shell is unknown: name it with --shell")
    return shell


def _script(shell: str) -> str:
    from orchestrator.cli import group

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101  (click has all of _SHELLS)
    # ShellComplete's own: bash's class asks the bash on PATH for its version first.
    return ShellComplete.source(made(group, {}, "octo-tf", "_OCTO_TF_COMPLETE"))
