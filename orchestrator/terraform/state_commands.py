"""Terraform's commands about its state: read it, change single addresses, remove a lock."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged

from orchestrator.errors import EngineError
from orchestrator.files import read_note, read_regular
from orchestrator.terraform import state_files
from orchestrator.terraform.failures import boxed_error
from orchestrator.terraform.runner import Runner
from orchestrator.terraform.state import (
    NO_STATE,
    StateEdit,
    StateResource,
    StateVersion,
    edited,
    resources_of,
)
from orchestrator.terraform.state_files import LOCAL_STATE


class StateCommands(Runner):
    """The commands about the state of one root folder.

    Each raises EngineError if the state cannot be read or changed.
    """

    _known: str | None = None  # the state's JSON, once ``_state`` has pulled it

    def outputs(self) -> dict[str, Any]:
        """Return the root's outputs as the state has them; empty where nothing was applied."""
        text = self._read_state("output", json=IsFlagged, no_color=IsFlagged)
        return {name: o["value"] for name, o in json.loads(text or "{}").items()}

    def local_outputs(self) -> dict[str, Any]:
        """Return the outputs in a state that is a file of the folder, without starting Terraform.

        Empty where there is no such file, or where it is not as expected: a hint, not a proof.
        """
        outputs = read_note(self.folder / LOCAL_STATE).get("outputs")
        if not isinstance(outputs, dict):
            return {}
        known = {name: o for name, o in outputs.items() if isinstance(o, dict)}
        return {name: output.get("value") for name, output in known.items()}

    def pull(self) -> str:
        """Return the state's JSON, as the backend holds it now; empty where there is none."""
        text = self._read_state("state pull").strip()
        return text[text.index("{") :] if "{" in text else ""

    def _state(self) -> str:
        """Return the state's JSON; it is pulled once, until this run changes it or its backend."""
        if self._known is None:
            self._known = self.pull()
        return self._known

    def recovery(self) -> tuple[StateEdit, ...]:
        """Decide how to repair unreadable or unsaved state files; nothing is changed."""
        return state_files.recovery(self.folder, self.state_version)

    def after(self, edits: Collection[StateEdit]) -> str:
        """Return the state's JSON as it will be once it was edited; empty where there is none."""
        pushed = [self.folder / edit.address for edit in edits if edit.kind == "push"]
        if pushed:
            text = read_regular(pushed[0]).decode()
        elif StateEdit("set_aside", LOCAL_STATE) in edits:
            text = ""
        else:
            text = self._state()
        return edited(text, edits)

    def state_version(self, edits: Collection[StateEdit] = ()) -> StateVersion:
        """Return which state the backend holds, now or once the state was edited."""
        text = self.after(edits)
        if not text:
            return NO_STATE
        document = json.loads(text)
        return StateVersion(document["lineage"], document["serial"])

    def resources(
        self, *types: str, here_only: bool = False, edits: Collection[StateEdit] = ()
    ) -> list[StateResource]:
        """List the resources of some types that the state holds, now or once it was edited.

        Without types, everything that it manages.

        With ``here_only``, a state that is not a file of the folder counts as empty: to ask a
        backend takes a start of Terraform, after ``init``.
        """
        path = self.folder / LOCAL_STATE
        if edits:
            return resources_of(self.after(edits), types)
        if path.is_file():
            text = read_regular(path).decode(errors="replace")
            if state_files.ENCRYPTED in text:
                text = self._state() if (self.folder / ".terraform").is_dir() else ""
            return resources_of(text, types)
        return [] if here_only else resources_of(self._state(), types)

    def set_aside(self, name: str) -> Path:
        """Rename an unreadable state file of the folder; return its new path.

        Raises:
            EngineError: it cannot be renamed.
        """
        self._known = None
        with self._renaming(name):
            return state_files.set_aside(self.folder / name)

    def push(self, name: str) -> Path:
        """Save a state file of the folder in the backend, and rename it; return its new path.

        Raises:
            EngineError: the backend refuses it (it has a newer or another state), or the file
                cannot be renamed.
        """
        self._change_state("state push", str(self.folder / name))
        with self._renaming(name):
            return state_files.keep_pushed(self.folder / name)

    def untaint(self, address: str) -> None:
        """Have Terraform keep a tainted resource, instead of replacing it."""
        self._change_state("untaint", address, no_color=IsFlagged)

    def forget(self, *addresses: str) -> None:
        """Remove resources from the state; they stay in AWS, and a backup of the state is kept."""
        self._change_state("state rm", *addresses)  # it has no -no-color

    def force_unlock(self, lock_id: str) -> None:
        """Remove a state lock, whoever holds it.

        Raises:
            EngineError: there is no such lock, or it may not be removed.
        """
        returncode, lines, _ = self._run(
            "force-unlock", lock_id, force=IsFlagged, no_color=IsFlagged
        )
        if returncode != 0:
            raise EngineError(
                "the state cannot be unlocked: " + self._redact(boxed_error(lines)),
                where=str(self.folder),
                hint="Copy the id of the lock from the error that named it.",
            )

    @contextlib.contextmanager
    def _renaming(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EngineError(
                f"cannot be renamed: {error.strerror}",
                where=str(self.folder / name),
                hint="Correct the permissions, then run the same command again.",
            ) from error

    def _change_state(self, command: str, *arguments: str, **options: Any) -> None:
        self._known = None
        returncode, lines, _ = self._run(
            command, *arguments, lock_timeout=self._lock_timeout, **options
        )
        if returncode != 0:
            raise EngineError(
                "the state cannot be changed: " + self._redact(boxed_error(lines)),
                where=", ".join(arguments),
                hint="Run the same command again.",
            )

    def _read_state(self, command: str, **options: Any) -> str:
        returncode, lines, errors = self._run(command, **options)
        if returncode != 0:
            raise self._failure(command, returncode, errors, [])
        return "\n".join(lines)
