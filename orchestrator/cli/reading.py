"""Text for people at a terminal, or for a program."""

from __future__ import annotations

import sys

import click

from orchestrator.ui.folding import fitting


def show(text: str, *, err: bool = False) -> None:
    """Print a text; on a terminal, lines that are too long are broken between words.

    Args:
        text: one line or more.
        err: whether it goes to stderr.
    """
    stream = sys.stderr if err else sys.stdout
    click.echo(fitting(text) if stream.isatty() else text, err=err)
