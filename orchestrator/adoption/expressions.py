"""Resolve expressions of Terraform files to literals, as far as that goes without evaluation.

Values are as python-hcl2 returns them: a text in its quotes, an expression as ``${...}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_REFERENCE = re.compile(r"(var|local)\.([\w-]+)")
_PLAIN = re.compile(r'^"(.*)"$', re.DOTALL)
_DEPTH = 20


@dataclass(frozen=True)
class Input:
    """An input of a module.

    Attributes:
        value: a literal; None if the expression could not be resolved.
        where: ``file:line``, or the flag or environment variable that sets it.
        expression: the expression that could not be resolved, or empty.
    """

    value: Any = field(repr=False)  # it may be the external id
    where: str
    expression: str = ""

    @property
    def known(self) -> bool:
        """Tell whether the value is known."""
        return not self.expression


@dataclass
class Scope:
    """The locals and variables by name, each with its value and place; a str is a place alone."""

    locals: Mapping[str, tuple[Any, str]]
    variables: Mapping[str, tuple[Any, str] | str]

    def variable(self, name: str, depth: int = 0) -> Input:
        """Return the value of a variable."""
        found = self.variables.get(name)
        if found is None or isinstance(found, str):
            return Input(None, found or "", f"var.{name}, which has no value here")
        return self.resolve(*found, depth=depth + 1)

    def resolve(self, value: Any, where: str, *, depth: int = 0) -> Input:
        """Return the literal that a value of python-hcl2 is, or what could not be resolved."""
        if depth > _DEPTH:
            return Input(None, where, "names that refer to each other")
        if isinstance(value, list):
            return self._all([self.resolve(v, where, depth=depth + 1) for v in value], where)
        if isinstance(value, dict):
            named = {k: v for k, v in value.items() if not k.startswith("__")}
            inner = self._all(
                [self.resolve(v, where, depth=depth + 1) for v in named.values()], where
            )
            keys = [k.strip('"') for k in named]
            return Input(dict(zip(keys, inner.value, strict=True)), where) if inner.known else inner
        if not isinstance(value, str):
            return Input(value, where)
        if match := re.fullmatch(r"\$\{(.*)\}", value, re.DOTALL):
            return self._name(match[1].strip(), where, depth)
        text = _PLAIN.match(value)
        return self._text(text[1] if text else value, where, depth)

    def _all(self, inner: list[Input], where: str) -> Input:
        unknown = next((one for one in inner if not one.known), None)
        return unknown or Input([one.value for one in inner], where)

    def _name(self, expression: str, where: str, depth: int) -> Input:
        match = _REFERENCE.fullmatch(expression)
        if match is None:
            return Input(None, where, expression)
        kind, name = match.groups()
        if kind == "var":
            found = self.variable(name, depth)
            return found if found.known else Input(None, where, found.expression)
        if name not in self.locals:
            return Input(None, where, expression)
        return self.resolve(*self.locals[name], depth=depth + 1)

    def _text(self, text: str, where: str, depth: int) -> Input:
        """Resolve a quoted text, with the references in it."""
        parts: list[str] = []
        # HCL writes ${ and %{ as $${ and %%{ where they are plain text.
        for part in re.split(r"(\$\$\{|%%\{|\$\{[^{}]*\}|%\{[^{}]*\})", text):
            if part in ("$${", "%%{"):
                parts.append(part[1:])
            elif part.startswith("${"):
                inner = self._name(part[2:-1].strip(), where, depth)
                if not inner.known or isinstance(inner.value, (list, dict)):
                    return Input(None, where, inner.expression or part)
                parts.append(_as_text(inner.value))
            elif part.startswith("%{") or "${" in part or "%{" in part:
                return Input(None, where, "a template")
            else:
                parts.append(_unescaped(part))
        return Input("".join(parts), where)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
