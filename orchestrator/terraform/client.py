"""The Terraform commands of a run: init, plan, show, apply."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged

from orchestrator.errors import EngineError, writing
from orchestrator.files import read_regular
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import binary as binaries
from orchestrator.terraform import preview, provider_lock, state_files
from orchestrator.terraform.events import Diagnostic, Event, OutputValues, PlannedChange
from orchestrator.terraform.failures import (
    AlreadyExists,
    address_of,
    already_existing,
    boxed_error,
    is_of_installation,
)
from orchestrator.terraform.installation import PROVIDERS, Installation
from orchestrator.terraform.plan import Plan, from_show
from orchestrator.terraform.state import StateEdit
from orchestrator.terraform.state_commands import StateCommands

_UNDESTROYABLE = "Instance cannot be destroyed"


class Terraform(StateCommands):
    """Terraform in one root folder; ``Runner`` has the arguments.

    Each command raises EngineError if Terraform ends with an error.
    """

    def check_lock(self, wanted: Constraint) -> None:
        """Make sure that the folder is not locked to a provider of another version.

        Raises:
            EngineError: it is; ``init`` would fail.
        """
        provider_lock.check(self.folder, binaries.provider_address(self.binary), wanted)

    def init(
        self,
        *,
        provider_version: Constraint,
        backend_config: str | None = None,
        installed: Path | None = None,
    ) -> bool:
        """Prepare the folder: provider, backend, modules.

        Skipped while neither what it reads nor what it installed has changed since the last time,
        and while the state is unreadable: Terraform would refuse to start (see ``recovery``).

        Args:
            provider_version: what the root asks for; the folder's lock file admits it.
            backend_config: the file of the backend's settings, if the backend has any.
            installed: a folder that has the provider already, which spares a download.

        Returns:
            Whether Terraform was run.
        """
        mirror = binaries.provider_mirror(self.binary, self._environ, provider_version)
        mirror = mirror or installed
        installation = self._installation(mirror)
        if installation.is_current() or state_files.inspect(self.folder).state_is_lost:
            return False
        with writing(self.folder, EngineError):
            installation.clear_if_damaged()
            self._known = None  # it may be of another backend
            returncode, lines, _ = self._run(
                "init",
                no_color=IsFlagged,
                input=False,
                reconfigure=IsFlagged,
                backend_config=backend_config,
                plugin_dir=mirror,
            )
            if returncode != 0:
                raise self._init_failure(returncode, lines, provider_version, backend_config)
            installation.record()
        return True

    def plan(self, file: Path, *, refresh: bool = True, destroy: bool = False) -> Plan:
        """Plan, and save the plan to ``file`` (0600); ``destroy`` plans to destroy everything."""
        changes: list[PlannedChange] = []
        errors: list[Diagnostic] = []

        def take(event: Event) -> None:
            if isinstance(event, PlannedChange) and event.action not in ("noop", "read"):
                changes.append(event)
            elif isinstance(event, Diagnostic) and event.severity == "error":
                errors.append(event)

        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        returncode, rest, _ = self._run(
            "plan",
            on_event=take,
            json=IsFlagged,
            detailed_exitcode=IsFlagged,
            destroy=IsFlagged if destroy else None,
            input=False,
            lock_timeout=self._lock_timeout,
            out=file,
            refresh=refresh,
            parallelism=self._parallelism,
        )
        if errors and all(d.summary == _UNDESTROYABLE for d in errors):
            file.unlink(missing_ok=True)
            return Plan(file, tuple(changes), True, tuple(sorted({address_of(d) for d in errors})))
        if returncode not in (0, 2):
            file.unlink(missing_ok=True)
            raise self._failure("plan", returncode, rest, errors)
        return Plan(file, tuple(changes), has_changes=returncode == 2)

    def preview(
        self,
        file: Path,
        edits: Collection[StateEdit],
        *,
        provider_version: Constraint,
        destroy: bool = False,
    ) -> Plan:
        """Plan as if the state were edited already; such a plan cannot be applied."""
        mirror = binaries.provider_mirror(self.binary, self._environ, provider_version)
        has_provider = self._installation(mirror).is_current()
        with preview.folder(self.folder, self.after(edits)) as copy:
            # The copy's state is as it was pulled, and OpenTofu refuses one that is not encrypted.
            plain = {n: value for n, value in self._environ.items() if n != "TF_ENCRYPTION"}
            there = Terraform(
                self.binary,
                copy,
                environ=plain,
                secrets=self._secrets,
                on_event=self._on_event,
                on_interrupt=self._on_interrupt,
                cancellation=self._cancellation,
                parallelism=self._parallelism,
            )
            installed = self.folder / PROVIDERS if has_provider else None
            there.init(provider_version=provider_version, installed=installed)
            return there.plan(file, destroy=destroy)

    def show(self, file: Path) -> Plan:
        """Read the plan that ``file`` holds.

        Raises:
            EngineError: the file is not a plan of this root.
        """
        returncode, lines, errors = self._run("show", str(file), json=IsFlagged, no_color=IsFlagged)
        if returncode != 0:
            raise EngineError(
                "is not a plan that can be applied here: " + self._redact(boxed_error(errors)),
                where=str(file),
                hint="Make a new one with `octo-tf plan --out FILE`.",
            )
        return from_show(file, json.loads("".join(lines)))

    def apply_plan(self, file: Path) -> dict[str, Any]:
        """Apply a saved plan; return the root's outputs.

        Raises:
            AlreadyExists: something existed by then that it was to create.
            EngineError: Terraform ended with an error; the hint says what is recorded.
        """
        errors: list[Diagnostic] = []
        outputs: dict[str, Any] = {}

        def take(event: Event) -> None:
            if isinstance(event, Diagnostic) and event.severity == "error":
                errors.append(event)
            elif isinstance(event, OutputValues):
                outputs.update(event.values)

        self._known = None
        returncode, rest, _ = self._run(
            "apply",
            str(file),
            on_event=take,
            json=IsFlagged,
            input=False,
            lock_timeout=self._lock_timeout,
            parallelism=self._parallelism,
        )
        if returncode != 0:
            error = self._failure("apply", returncode, rest, errors)
            if taken := already_existing(errors):
                raise AlreadyExists(error, taken)
            raise error
        return outputs

    @property
    def lock_file(self) -> str:
        """The text of ``.terraform.lock.hcl``; empty where there is none."""
        path = self.folder / provider_lock.NAME
        return read_regular(path).decode() if path.is_file() else ""

    def _failure(
        self, command: str, returncode: int, lines: list[str], diagnostics: list[Diagnostic]
    ) -> EngineError:
        if is_of_installation(lines, diagnostics):
            Installation(self.folder, "").forget()
        return super()._failure(command, returncode, lines, diagnostics)

    def _installation(self, mirror: Path | None) -> Installation:
        tool = f"{self.binary.path} {self.binary.version_text} {mirror}"
        return Installation(self.folder, tool)

    def _init_failure(
        self,
        returncode: int,
        lines: list[str],
        provider_version: Constraint,
        backend_config: str | None,
    ) -> EngineError:
        error = self._failure("init", returncode, lines, [])
        hint = error.hint
        if not hint and "provider" in error.what:
            hint = binaries.other_layouts(self.binary, provider_version) or (
                f"octo-tf asks for {binaries.PROVIDER} {provider_version} (provider_version in"
                " octo.yaml). With no way to the registry, name a folder that holds it in"
                " OCTO_TF_PROVIDER_MIRROR."
            )
        elif not hint and backend_config is not None:
            hint = (
                "The backend's own credentials (backend.profile in octo.yaml, else the ambient"
                " ones) must reach its bucket. S3 says that there is no state yet only to those who"
                " have s3:ListBucket on it; to others it says 403."
            )
        return EngineError(error.what, where=error.where, hint=hint)
