"""Terraform's commands about its state: read it, change single addresses, remove a lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged

from orchestrator.errors import EngineError
from orchestrator.terraform.failures import boxed_error
from orchestrator.terraform.runner import Runner
from orchestrator.terraform.state import NO_STATE, StateResource, StateVersion, resources_of
from orchestrator.terraform.state_files import LOCAL_STATE


class StateCommands(Runner):
    """The commands about the state of one root folder."""

    def outputs(self) -> dict[str, Any]:
        """Return the root's outputs as the state has them; empty where nothing was applied.

        Raises:
            EngineError: the state cannot be read.
        """
        text = self._read_state("output", json=IsFlagged, no_color=IsFlagged)
        return {name: o["value"] for name, o in json.loads(text or "{}").items()}

    def local_outputs(self) -> dict[str, Any]:
        """Return the outputs in a state that is a file of the folder, without starting Terraform.

        Empty where there is no such file, or where it is not as expected: a hint, not a proof.
        """
        try:
            document = json.loads((self.folder / LOCAL_STATE).read_bytes())
            return {name: output["value"] for name, output in document["outputs"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def pull(self) -> str:
        """Return the state's JSON, as the backend holds it now; empty where there is none.

        Raises:
            EngineError: the state cannot be read.
        """
        text = self._read_state("state pull").strip()
        return text[text.index("{") :] if "{" in text else ""

    def push(self, file: Path) -> None:
        """Make a state in a file the backend's, unless the backend has a newer or another one.

        It recovers ``errored.tfstate`` (``state_files.inspect``); call it after consent only.

        Raises:
            EngineError: the backend refuses it.
        """
        self._change_state("state push", str(file))

    def state_version(self) -> StateVersion:
        """Return which state the backend holds now.

        Raises:
            EngineError: the state cannot be read.
        """
        text = self.pull()
        if not text:
            return NO_STATE
        document = json.loads(text)
        return StateVersion(document["lineage"], document["serial"])

    def resources(self, *types: str, here_only: bool = False) -> list[StateResource]:
        """List the resources of some types that the state holds.

        With ``here_only``, a state that is not a file of the folder counts as empty: to ask a
        backend takes a start of Terraform, after ``init``.

        Raises:
            EngineError: the state cannot be read.
        """
        path = self.folder / LOCAL_STATE
        if path.is_file():
            return resources_of(path.read_text(encoding="utf-8", errors="replace"), types)
        return [] if here_only else resources_of(self.pull(), types)

    def untaint(self, address: str) -> None:
        """Have Terraform keep a tainted resource, instead of replacing it.

        Raises:
            EngineError: the state cannot be changed.
        """
        self._change_state("untaint", address, no_color=IsFlagged)

    def forget(self, *addresses: str) -> None:
        """Remove resources from the state; they stay in AWS, and a backup of the state is kept.

        Raises:
            EngineError: the state cannot be changed.
        """
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

    def _change_state(self, command: str, *arguments: str, **options: Any) -> None:
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
