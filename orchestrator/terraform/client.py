"""python-terraform with what a careful wrapper needs: streaming, signals, a clean environment.

python-terraform maps options to a command line; it neither streams, nor forwards signals, nor
keeps the caller's environment out. This subclass uses its mapping and runs the process itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import python_terraform
from python_terraform import IsFlagged

from orchestrator.errors import EngineError
from orchestrator.files import write_atomically
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import binary as binaries
from orchestrator.terraform import preview, process, provider_lock
from orchestrator.terraform.events import (
    Diagnostic,
    Event,
    Noise,
    OutputValues,
    PlannedChange,
    parse,
)
from orchestrator.terraform.failures import address_of as failed_address
from orchestrator.terraform.failures import boxed_error, failure
from orchestrator.terraform.plan import Plan, from_show
from orchestrator.terraform.state import (
    NO_STATE,
    StateEdit,
    StateResource,
    StateVersion,
    address_of,
)

_STAMP = ".terraform/octo-tf-init.json"
_LOCAL_STATE = "terraform.tfstate"
_UNDESTROYABLE = "Instance cannot be destroyed"
_STOPPING = "Stopping Terraform; it finishes the calls under way and saves its state."
_AT_ONCE = (
    "Stopping Terraform at once; resources may exist that its state does not know. The next run"
    " takes over what is this account's registration, and names what is not."
)


class Terraform(python_terraform.Terraform):  # type: ignore[misc]  # untyped library
    """Terraform in one root folder.

    Args:
        binary: the program to run.
        folder: the root folder.
        environ: the caller's environment; it is cleaned before use.
        secrets: texts that never leave this object: they are cut out of errors.
        on_event: called with each event while Terraform runs.
        on_interrupt: called with a sentence for the user when Ctrl-C is forwarded.
        parallelism: Terraform's own ``-parallelism``; None for its default.
        lock_seconds: how long another run's state lock is waited for.
    """

    def __init__(
        self,
        binary: binaries.Binary,
        folder: Path,
        *,
        environ: Mapping[str, str],
        secrets: Collection[str] = (),
        on_event: Callable[[Event], None] = lambda _event: None,
        on_interrupt: Callable[[str], None] = lambda _sentence: None,
        parallelism: int | None = None,
        lock_seconds: float = 60.0,
    ) -> None:
        super().__init__(working_dir=str(folder), terraform_bin_path=binary.command[0])
        self.binary = binary
        self.folder = folder
        self._environ = environ
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))
        self._on_event = on_event
        self._on_interrupt = on_interrupt
        self._parallelism = parallelism
        self._lock_seconds = lock_seconds

    def read_state_file(self, file_path: str | None = None) -> None:
        """Overrides the library's habit of loading the state: it holds the external id."""

    def check_lock(self, wanted: Constraint) -> None:
        """Make sure that the folder is not locked to a provider of another version.

        Raises:
            EngineError: it is; ``init`` would fail.
        """
        provider_lock.check(self.folder, binaries.provider_address(self.binary), wanted)

    def init(self, *, provider_version: Constraint, backend_config: str | None = None) -> bool:
        """Prepares the folder: provider, backend, modules.

        Skipped while nothing it depends on has changed since the last time.

        Args:
            provider_version: what the root asks for; the folder's lock file admits it.
            backend_config: the file with the backend's settings.

        Returns:
            Whether Terraform was run.

        Raises:
            EngineError: Terraform ended with an error.
        """
        mirror = binaries.provider_mirror(self.binary, self._environ, provider_version)
        if self._stamp(mirror) == self._last_stamp():
            return False
        returncode, lines, errors = self._run(
            "init",
            no_color=IsFlagged,
            input=False,
            reconfigure=IsFlagged,
            backend_config=backend_config,
            plugin_dir=mirror,
        )
        if returncode != 0:
            text = self._redact(boxed_error(errors or lines))
            hint = ""
            if "provider" in text:
                hint = (
                    f"octo-tf asks for {binaries.PROVIDER} {provider_version} (provider_version in"
                    " octo.yaml). With no way to the registry, name a folder that holds it in"
                    " OCTO_TF_PROVIDER_MIRROR."
                )
            elif backend_config is not None:
                hint = (
                    "The backend's own credentials (backend.profile in octo.yaml, else the ambient"
                    " ones) must reach its bucket."
                )
            raise EngineError(f"terraform init failed: {text}", where=str(self.folder), hint=hint)
        write_atomically(self.folder / _STAMP, self._stamp(mirror))
        return True

    def plan(self, file: Path, *, refresh: bool = True) -> Plan:
        """Plans, and saves the plan to ``file`` (0600).

        Raises:
            EngineError: Terraform ended with an error.
        """
        changes: list[PlannedChange] = []
        diagnostics: list[Diagnostic] = []

        def take(event: Event) -> None:
            if isinstance(event, PlannedChange) and event.action not in ("noop", "read"):
                changes.append(event)
            elif isinstance(event, Diagnostic) and event.severity == "error":
                diagnostics.append(event)

        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        returncode, noise, errors = self._run(
            "plan",
            on_event=take,
            json=IsFlagged,
            detailed_exitcode=IsFlagged,
            input=False,
            lock_timeout=f"{self._lock_seconds:.0f}s",
            out=file,
            refresh=refresh,
            parallelism=self._parallelism,
        )
        if diagnostics and all(d.summary == _UNDESTROYABLE for d in diagnostics):
            file.unlink(missing_ok=True)
            return Plan(
                file,
                tuple(changes),
                True,
                tuple(sorted({failed_address(d) for d in diagnostics})),
            )
        if returncode not in (0, 2):
            file.unlink(missing_ok=True)
            raise self._failure("plan", diagnostics, [*noise, *errors])
        return Plan(file, tuple(changes), has_changes=returncode == 2)

    def preview(
        self, file: Path, edits: Collection[StateEdit], *, provider_version: Constraint
    ) -> Plan:
        """Plan as if the state were edited already; such a plan cannot be applied.

        Raises:
            EngineError: Terraform ended with an error.
        """
        with preview.folder(self.folder, self.pull(), edits) as copy:
            there = Terraform(
                self.binary,
                copy,
                environ=self._environ,
                secrets=self._secrets,
                on_event=self._on_event,
                on_interrupt=self._on_interrupt,
                parallelism=self._parallelism,
            )
            there.init(provider_version=provider_version)
            return there.plan(file)

    def show(self, file: Path) -> Plan:
        """The plan that ``file`` holds.

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
        """Applies that very plan; returns the root's outputs.

        Raises:
            EngineError: Terraform ended with an error; what was done is in the state.
        """
        diagnostics: list[Diagnostic] = []
        outputs: dict[str, Any] = {}

        def take(event: Event) -> None:
            if isinstance(event, Diagnostic) and event.severity == "error":
                diagnostics.append(event)
            elif isinstance(event, OutputValues):
                outputs.update(event.values)

        returncode, noise, errors = self._run(
            "apply",
            str(file),
            on_event=take,
            json=IsFlagged,
            input=False,
            lock_timeout=f"{self._lock_seconds:.0f}s",
            parallelism=self._parallelism,
        )
        if returncode != 0:
            raise self._failure("apply", diagnostics, [*noise, *errors])
        return outputs

    def outputs(self) -> dict[str, Any]:
        """The root's outputs as the state has them; empty where nothing was applied.

        Raises:
            EngineError: the state cannot be read.
        """
        text = self._read_state("output", json=IsFlagged, no_color=IsFlagged)
        return {name: o["value"] for name, o in json.loads(text or "{}").items()}

    def local_outputs(self) -> dict[str, Any]:
        """The outputs in a state that is a file of the folder, without a start of Terraform.

        Empty where there is no such file, or where it is not as expected: a hint, not a proof.
        """
        try:
            document = json.loads((self.folder / _LOCAL_STATE).read_bytes())
            return {name: output["value"] for name, output in document["outputs"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def pull(self) -> str:
        """The state's JSON, as the backend holds it now; empty where there is none.

        Raises:
            EngineError: the state cannot be read.
        """
        text = self._read_state("state pull").strip()
        return text[text.index("{") :] if "{" in text else ""

    def state_version(self) -> StateVersion:
        """Which state the backend holds now.

        Raises:
            EngineError: the state cannot be read.
        """
        text = self.pull()
        if not text:
            return NO_STATE
        document = json.loads(text)
        return StateVersion(document["lineage"], document["serial"])

    def resources(self, *types: str, here_only: bool = False) -> list[StateResource]:
        """The resources of some types that the state holds.

        With ``here_only``, a state that is not a file of the folder counts as empty: to ask a
        backend takes a start of Terraform, after ``init``.

        Raises:
            EngineError: the state cannot be read.
        """
        path = self.folder / _LOCAL_STATE
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
        else:
            text = "" if here_only else self.pull()
        if not any(f'"{name}"' in text for name in types):
            return []
        try:
            document = json.loads(text[text.index("{") :])
        except ValueError:
            return []  # damaged: whatever Terraform is run for next says so, and where
        return [
            StateResource(
                resource["type"],
                address_of(resource, instance),
                str(instance.get("index_key", "")),
                instance.get("status") == "tainted",
                str(instance.get("attributes", {}).get("arn") or ""),
            )
            for resource in document["resources"]
            if resource["type"] in types
            for instance in resource["instances"]
        ]

    def untaint(self, address: str) -> None:
        """Has Terraform take a tainted resource as it is, instead of replacing it.

        Raises:
            EngineError: the state cannot be changed.
        """
        self._change_state("untaint", address)

    def forget(self, *addresses: str) -> None:
        """Has Terraform let go of resources: what they stand for stays; the old state is kept.

        Raises:
            EngineError: the state cannot be changed.
        """
        self._change_state("state rm", *addresses)

    def _change_state(self, command: str, *addresses: str) -> None:
        no_color = {} if command == "state rm" else {"no_color": IsFlagged}  # it has no such option
        returncode, lines, errors = self._run(
            command, *addresses, lock_timeout=f"{self._lock_seconds:.0f}s", **no_color
        )
        if returncode != 0:
            raise EngineError(
                "the state cannot be changed: " + self._redact(boxed_error(errors or lines)),
                where=", ".join(addresses),
                hint="Run the same command again.",
            )

    def force_unlock(self, lock_id: str) -> None:
        """Removes a state lock, whoever holds it.

        Raises:
            EngineError: there is no such lock, or it may not be removed.
        """
        returncode, lines, errors = self._run(
            "force-unlock", lock_id, force=IsFlagged, no_color=IsFlagged
        )
        if returncode != 0:
            raise EngineError(
                "the state cannot be unlocked: " + self._redact(boxed_error(errors or lines)),
                where=str(self.folder),
                hint="Copy the lock's id as the error shows it that met the lock.",
            )

    def _read_state(self, command: str, **options: Any) -> str:
        returncode, lines, errors = self._run(command, **options)
        if returncode != 0:
            raise EngineError(
                "the state cannot be read: " + self._redact(boxed_error(errors)),
                where=str(self.folder),
            )
        return "".join(lines)

    @property
    def lock_file(self) -> str:
        """The text of ``.terraform.lock.hcl``; empty where there is none."""
        path = self.folder / provider_lock.NAME
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _run(
        self,
        command: str,
        *arguments: str,
        on_event: Callable[[Event], None] | None = None,
        **options: Any,
    ) -> tuple[int, list[str], list[str]]:
        """Runs one command; returns its exit code and the lines that were no events.

        With ``on_event``, standard output is read as events while the command runs.
        """
        _program, *words = self.generate_cmd_string(command, *arguments, **options)
        lines: list[str] = []

        def read(line: str) -> None:
            event = parse(line) if on_event else Noise(line)
            if isinstance(event, Noise):
                lines.append(event.line)
            elif event is not None and on_event:
                on_event(event)
                self._on_event(event)

        returncode, errors = process.run(
            [*self.binary.command, *words],
            folder=self.folder,
            environ=binaries.clean_environment(self._environ),
            on_line=read,
            on_interrupt=lambda count: self._on_interrupt(_STOPPING if count == 1 else _AT_ONCE),
        )
        return returncode, lines, errors

    def _failure(self, command: str, diagnostics: list[Diagnostic], rest: list[str]) -> EngineError:
        error = failure(command, diagnostics, rest, self.folder)
        return EngineError(self._redact(error.what), where=error.where, hint=error.hint)

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "(secret)")
        return text

    def _stamp(self, mirror: Path | None) -> bytes:
        """Everything that init depends on, as a digest."""
        digest = hashlib.sha256()
        # Import blocks come and go with single runs, and init does not read them.
        sources = [f for f in self.folder.glob("*.tf") if f.name != "imports.tf"]
        sources += self.folder.glob("*.tfbackend.json")
        sources += [*self.folder.glob("modules/**/*.tf"), self.folder / provider_lock.NAME]
        for path in sorted(sources):
            digest.update(str(path.relative_to(self.folder)).encode() + b"\0")
            digest.update(path.read_bytes() if path.exists() else b"")
        digest.update(f"{self.binary.path} {self.binary.version_text} {mirror}".encode())
        return json.dumps({"init": digest.hexdigest()}).encode()

    def _last_stamp(self) -> bytes | None:
        stamp = self.folder / _STAMP
        if not (self.folder / ".terraform" / "providers").is_dir() or not stamp.is_file():
            return None
        return stamp.read_bytes()
