"""The sources of settings, octo.yaml and flags: merge them, and place every mistake in them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap

from orchestrator.config.document import plain, read_document
from orchestrator.errors import ConfigError
from orchestrator.model.registration import (
    EXTERNAL_ID_SOURCES,
    LocalBackend,
    flag_of,
    settings,
)

Position = tuple[int, int]  # line and column, from 0; flags sort before the file
Location = tuple[str | int, ...]  # the keys and indices that lead to a setting


@dataclass(frozen=True)
class Sources:
    """octo.yaml, and the flags that override it.

    Attributes:
        path: octo.yaml; it may be absent.
        flags: those that were given, by field name, dotted for nested ones.
    """

    path: Path
    document: CommentedMap
    flags: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, flags: Mapping[str, Any]) -> Sources:
        """Read octo.yaml; a flag that is None was not given.

        Raises:
            ConfigError: the file cannot be read, or is no mapping.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        return cls(path, read_document(path), given)

    def merged(self) -> dict[str, Any]:
        """Return the settings of octo.yaml, with the flags in their place."""
        merged: dict[str, Any] = plain(self.document)
        if any(source in self.flags for source in EXTERNAL_ID_SOURCES):
            for source in EXTERNAL_ID_SOURCES:
                merged.pop(source, None)
        for name, value in self.flags.items():
            section = merged
            *parents, last = name.split(".")
            for parent in parents:
                inner = section.get(parent)
                section[parent] = dict(inner) if isinstance(inner, dict) else {}
                section = section[parent]
            section[last] = value
        return merged

    def place(self, loc: Location) -> tuple[Position, str]:
        """Return where ``loc`` was set: its flag, or the deepest part of it that is in the file."""
        for name in self.flags:
            if tuple(name.split(".")) == loc[: len(name.split("."))]:
                return (-1, 0), flag_of(name)
        line, column, node = 0, 0, self.document
        for part in loc:
            try:
                position = (
                    node.lc.value(part) if isinstance(node, CommentedMap) else node.lc.item(part)
                )
                inner = node[part]
            except (AttributeError, KeyError, IndexError, TypeError):
                continue  # a union's tag in pydantic's path, or a missing key: stay at the parent
            (line, column), node = position, inner
        return (line, column), f"{self.path}:{line + 1}:{column + 1}"

    def explain(self, error: ValidationError) -> ConfigError:
        """Return the error with every mistake that pydantic found, each at its place."""
        mistakes = []
        for detail in error.errors(include_url=False, include_input=False):
            loc = detail["loc"] or self._combined(detail)
            name = ".".join(str(part) for part in loc if part not in ("local", "s3"))
            if detail["type"] == "missing" and not self.document:
                position, where = (0, 0), f"{self.path} or {flag_of(name)}"
            elif detail["type"] == "extra_forbidden":
                position, where = self._place_of_key(loc)
            else:
                within = detail.get("ctx", {}).get("within")  # the key of a mapping
                inner = loc if within is None else (*loc, within)
                position, where = self.place(inner)
            mistakes.append((position, where, sentence(detail, name)))
        mistakes.sort(key=lambda mistake: mistake[0])
        (_, where, what), *rest = mistakes
        return ConfigError(
            "\n".join([what, *(f"{place}: {text}" for _, place, text in rest)]),
            where=where,
            hint=""
            if self.document
            else "Write octo.yaml with `octo-tf init`, or name it with --config.",
        )

    def _combined(self, detail: ErrorDetails) -> tuple[str, ...]:
        """Return the first setting of a combination that is set, by a flag or in the file."""
        names: tuple[str, ...] = detail.get("ctx", {}).get("settings", ())
        return next(
            ((name,) for given in (self.flags, self.document) for name in names if name in given),
            names[:1],
        )

    def _place_of_key(self, loc: Location) -> tuple[Position, str]:
        node: Any = self.document
        for part in loc[:-1]:
            node = node[part] if isinstance(node, CommentedMap) and part in node else node
        try:
            line, column = node.lc.key(loc[-1])
        except (AttributeError, KeyError, TypeError):
            return self.place(loc)
        return (line, column), f"{self.path}:{line + 1}:{column + 1}"


def sentence(detail: ErrorDetails, name: str) -> str:
    """Say what is wrong with a setting."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"{name} is missing"
    if kind == "extra_forbidden":
        return f"unknown key {name!r}{_nearest(detail['loc'])}"
    if kind == "literal_error":
        return f"{name} must be one of {context['expected']}"
    if kind in ("string_type", "bool_type", "list_type", "dict_type", "model_type"):
        wanted = {
            "string_type": "text (in quotes)",
            "bool_type": "true or false",
            "list_type": "a list",
            "dict_type": "a mapping of text to text",
            "model_type": "a mapping",
        }[kind]
        return f"{name} must be {wanted}"
    if kind == "combination":
        return str(context["valid"])
    if kind == "string_pattern_mismatch":
        return f"{name} has a form that AWS does not accept (valid: {context['pattern']})"
    return f"{name + ': ' if name else ''}{detail['msg']}"


def _nearest(loc: Location) -> str:
    section = ".".join(str(part) for part in loc[:-1] if part not in ("local", "s3"))
    known = [
        name
        for parent, _, name in (setting.rpartition(".") for setting in settings())
        if parent == section
    ]
    if "local" in loc:
        known = [*LocalBackend.model_fields]
    close = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known keys: {', '.join(sorted(known))}"
