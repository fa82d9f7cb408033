"""Asking a person whether something may be done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from orchestrator.cli.reading import show
from orchestrator.cli.session import Session
from orchestrator.errors import OctoTfError

if TYPE_CHECKING:
    from orchestrator.app.review import Review


def agree(question: str, *, yes: bool, instead: str = "--yes") -> None:
    """Ask a question, unless ``yes``.

    Args:
        yes: whether the user agreed beforehand.
        instead: the flags by which a user can agree beforehand.

    Raises:
        click.UsageError: nobody is here to answer.
        OctoTfError: the answer is no.
    """
    if yes:
        return
    _ask(question, instead)
    if not click.confirm(question, err=True):
        raise OctoTfError(
            "cancelled: nothing more was done", hint="Run the same command again to go on."
        )


def typed(question: str, expected: str, *, given: str | None, instead: str) -> None:
    """Ask for a name to be typed, unless it is given.

    Args:
        question: says what is to be typed.
        expected: what confirms.
        given: what was given beforehand; None asks.
        instead: the flags by which it is given.

    Raises:
        click.UsageError: nobody is here to type it.
        OctoTfError: something else was typed or given.
    """
    if given is None:
        _ask(question, instead)
        given = str(click.prompt(question, err=True)).strip()
    if given != expected:
        raise OctoTfError(
            f"{given!r} is not {expected}: nothing was changed",
            hint=f"Run the same command again and type {expected}, or give {instead}.",
        )


def offers(question: str) -> bool:
    """Ask an optional yes-or-no question; without a terminal, the answer is no."""
    if not sys.stdin.isatty():
        return False
    _ask(question, "")
    return click.confirm(question, err=True)


def _ask(question: str, instead: str) -> None:
    """Emit the question as an event; refuse where nobody is here to answer."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"nobody is here to answer {question!r}: give {instead}")
    if events := Session.current().events:
        from orchestrator.app.events import Asked

        events.emit(Asked(question, instead))


def consent(*, yes: bool, instead: str = "--yes or --plan FILE") -> Callable[[Review], None]:
    """Give the question before a plan is applied.

    The function that is returned shows a plan and asks, unless ``yes``; it raises click.UsageError
    where nobody is here to answer, and OctoTfError where the answer is no.

    Args:
        yes: whether the user has answered already.
        instead: what the command takes where nobody is here to answer.
    """

    def ask(review: Review) -> None:
        from orchestrator import report

        show(report.render_plan(review, "text"), err=True)
        question = f"Apply this to account {review.account_id}?"
        agree(question, yes=yes, instead=instead)

    return ask
