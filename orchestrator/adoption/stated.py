"""What users say about a registration: in octo.yaml and flags, else in the module's inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.adoption.expressions import Input
from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.errors import ConfigError
from orchestrator.model.registration import flag_of


@dataclass
class Stated:
    """Settings that users state, by field name.

    Attributes:
        module: the published module in the user's Terraform files; None without such files.
        has_file: whether there is an octo.yaml, to which no proposed setting is added.
        managed: the names of roles, buckets, reports and StackSets in octo-tf's own state.
        unreadable: inputs that were asked for and cannot be resolved.
    """

    module: ForeignModule | None = None
    registration: Mapping[str, Any] = field(default_factory=dict, repr=False)
    has_file: bool = False
    managed: Collection[str] = ()
    unreadable: dict[str, Input] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return a setting; None if nothing states it, or if it is noted as unreadable."""
        if (value := self.registration.get(name)) is not None:
            return value
        given = self.module.inputs.get(name) if self.module else None
        if given is not None and not given.known:
            self.unreadable[name] = given
        return given.value if given else None

    def overrides(self, name: str) -> bool:
        """Tell whether a proposed setting is not written: octo.yaml exists, or a flag sets it."""
        return self.has_file or self.registration.get(name) is not None

    def require_readable(self) -> None:
        """Make sure that every input that was asked for could be resolved.

        Raises:
            ConfigError: one could not; a guess could replace existing resources. All are named.
        """
        if not self.unreadable:
            return
        options = [
            "--external-id-file or --external-id-env" if name == "external_id" else flag_of(name)
            for name in self.unreadable
        ]
        raise ConfigError(
            f"{', '.join(self.unreadable)} cannot be read from the files alone",
            where=", ".join(dict.fromkeys(given.where for given in self.unreadable.values())),
            hint=f"Give {'it' if len(options) == 1 else 'them'} with {', '.join(options)}, or with"
            " --var-file.",
        )
