"""Text for people at a terminal, or for a program."""

from __future__ import annotations

import shutil
import sys

import click

from orchestrator.ui.folding import folded


def show(text: str, *, err: bool = False) -> None:
    """Print a text; on a terminal, lines that are too long are broken between words.

    Args:
        text: one line or more.
        err: whether it goes to stderr.
    """
    stream = sys.stderr if err else sys.stdout
    width = shutil.get_terminal_size((100, 24)).columns
    click.echo(folded(text, width) if stream.isatty() else text, err=err)
