"""Asking a person whether a plan may be applied."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.review import Review


def agree(question: str, *, yes: bool) -> None:
    """Asks for one thing, unless ``yes``.

    Raises:
        click.UsageError: nobody is here to answer.
        click.Abort: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"nobody is here to answer {question!r}: give --yes")
    click.confirm(question, abort=True, err=True)


def ask(review: Review, *, yes: bool) -> None:
    """Shows the plan, and asks unless ``yes``.

    Raises:
        click.UsageError: nobody is here to answer.
        click.Abort: the answer is no.
    """
    from orchestrator import report

    click.echo(report.render_plan(review, "text"), err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is here to approve the plan: give --yes or --plan FILE")
    click.confirm(f"Apply this to account {review.account_id}?", abort=True, err=True)
