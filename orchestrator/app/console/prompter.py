"""How the wizard asks the user, and where an answer leads."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Protocol

from orchestrator.app.console.launch_link import LaunchLink


class Prompter(Protocol):
    """Show texts to the user and ask questions."""

    def tell(self, text: str) -> None:
        """Show a text."""

    def show(self, link: LaunchLink) -> None:
        """Show the page to open."""

    def show_secret(self, secret: str) -> None:
        """Show a secret that the user asked for, on the terminal only."""

    def open(self, url: str) -> None:
        """Open a page in the browser."""

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        """Ask for one of the choices, each a letter and its meaning; return the letter."""

    def answer(self, question: str, default: str) -> str:
        """Ask for a text."""


class Transition(Enum):
    """Where the user goes from a step."""

    ON = "on"
    BACK = "back"
    QUIT = "quit"


MOVES = {"b": Transition.BACK, "q": Transition.QUIT, "s": Transition.ON}
