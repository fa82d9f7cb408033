"""What Terraform says when it fails, in words, with the way out."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import EngineError
from orchestrator.terraform.events import Diagnostic

_LOCKED = "Error acquiring the state lock"


def failure(
    command: str, diagnostics: list[Diagnostic], rest: list[str], folder: Path
) -> EngineError:
    """The error of a command that failed: each diagnostic at its place, or whatever was printed."""
    if not diagnostics:
        text = boxed_error(rest) or "no reason given"
        return EngineError(f"terraform {command} failed: {text}", where=str(folder))
    for diagnostic in diagnostics:
        if diagnostic.summary == _LOCKED and (lock := _lock(diagnostic)):
            return _locked(lock, folder)
    first, *others = (
        ": ".join(part for part in (d.address or d.place, d.summary, d.detail) if part)
        for d in diagnostics
    )
    return EngineError(
        "\n".join([f"terraform {command} failed: {first}", *others]),
        where=str(folder),
        hint="Nothing that was done is lost: mend the cause and run the same command again."
        if command == "apply"
        else "",
    )


def address_of(diagnostic: Diagnostic) -> str:
    """The resource that a prevent_destroy error is about; its text says "Resource ADDRESS has"."""
    if diagnostic.address:
        return diagnostic.address
    words = diagnostic.detail.split()
    return words[1] if len(words) > 1 else diagnostic.place


def boxed_error(lines: list[str]) -> str:
    """Terraform's boxed error text on one line, without the box."""
    text = " ".join(line.strip("╷│╵ \n\r") for line in lines)
    return " ".join(text.split()).partition("Error: ")[2] or " ".join(text.split())[-2000:]


def _lock(diagnostic: Diagnostic) -> dict[str, str]:
    """The lock that an error describes, in lines like ``  ID:  ...``; empty if it met none.

    Terraform gives the same summary to a state that cannot be read.
    """
    pairs = (line.partition(":") for line in diagnostic.detail.splitlines())
    lock = {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
    return lock if lock.get("ID") else {}


def _locked(lock: Mapping[str, str], folder: Path) -> EngineError:
    """The error for a state lock: whose it is (``user@host``), and the way out if it is dead."""
    who, created, lock_id = (lock.get(name, "") for name in ("Who", "Created", "ID"))
    unlock = f"octo-tf unlock {lock_id}"
    here = who.rpartition("@")[2] == socket.gethostname()
    return EngineError(
        f"the state is locked by {who or 'another run'} since {created or 'an unknown time'}",
        where=str(folder),
        # The caller keeps other octo-tf runs on this machine out of the folder (Run.locked).
        hint="That was on this machine, and no other octo-tf is at work on this account here:"
        f" unless a terraform of your own is, the run is dead. Then: {unlock}"
        if here
        else f"Wait for that run to end, and run the same command again. If it is dead: {unlock}",
    )
