"""Resolve expressions of Terraform files to literals, as far as that goes without evaluation.

Values are as python-hcl2 returns them: a text in its quotes, an expression as ``${...}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_REFERENCE = re.compile(r"((?:var|local|each|count|terraform)\.[\w-]+)((?:\.[\w-]+|\[[^\[\]]+\])*)")
_STEP = re.compile(r"\.([\w-]+)|\[([^\[\]]+)\]")
_EXPRESSION = re.compile(r"\$\{(.*)\}", re.DOTALL)
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


# A value as python-hcl2 returns it, with its place; or one that is resolved already.
Named = tuple[Any, str] | Input


@dataclass(frozen=True)
class Scope:
    """What the expressions of a module can refer to.

    Attributes:
        names: values by reference, like ``local.company`` or ``each.key``.
        undefined: the places of variables without a value.
    """

    names: Mapping[str, Named] = field(repr=False)
    undefined: Mapping[str, str] = field(default_factory=dict)

    def variable(self, name: str) -> Input:
        """Return the value of a variable."""
        return self._name(f"var.{name}", self.undefined.get(f"var.{name}", ""), 0)

    def resolve(self, value: Any, where: str, *, depth: int = 0) -> Input:
        """Return the literal that a value of python-hcl2 is, or what could not be resolved."""
        if depth > _DEPTH:
            return Input(None, where, "names that refer to each other")
        if isinstance(value, Input):
            return value
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
        if match := _EXPRESSION.fullmatch(value):
            return self._name(match[1].strip(), where, depth)
        text = _PLAIN.match(value)
        return self._text(text[1] if text else value, where, depth)

    def _all(self, inner: list[Input], where: str) -> Input:
        unknown = next((one for one in inner if not one.known), None)
        return unknown or Input([one.value for one in inner], where)

    def _name(self, expression: str, where: str, depth: int) -> Input:
        """Resolve a reference, like ``local.accounts[each.key].external_id``."""
        name = expression.partition("[")[0]
        if name in self.undefined:
            return Input(None, where, f"{name}, which has no value here")
        found = self._locate(expression, where, depth)
        if found is None:
            return Input(None, where, expression)
        resolved = found if isinstance(found, Input) else self.resolve(*found, depth=depth + 1)
        if resolved.known or name.startswith("local."):
            return resolved
        return Input(None, where or resolved.where, resolved.expression)

    def _locate(self, expression: str, where: str, depth: int) -> Named | None:
        """Find what a reference names, before it is resolved; None if nothing has the name."""
        match = _REFERENCE.fullmatch(expression)
        found = self.names.get(match[1]) if match else None
        for step in _STEP.finditer(match[2] if match else ""):
            key = self._key(step[1], step[2], where, depth)
            found = None if found is None else self.member(found, key, depth)
        return found

    def _key(self, name: str | None, index: str | None, where: str, depth: int) -> Any:
        """Return the attribute's name or the index that a step of a reference goes by."""
        if name is not None or index is None:
            return name
        index = index.strip()
        if index.isdecimal():
            return int(index)
        is_text = index.startswith('"')
        return (
            self.resolve(index, where) if is_text else self._name(index, where, depth + 1)
        ).value

    def member(self, found: Named, key: Any, depth: int = 0) -> Named | None:
        """Return a member of a map or list; None if there is none."""
        if isinstance(found, Input):
            value, where = found.value, found.where
        else:
            value, where = found
            if isinstance(value, str) and (match := _EXPRESSION.fullmatch(value)):
                inner = None if depth > _DEPTH else self._locate(match[1].strip(), where, depth + 1)
                return None if inner is None else self.member(inner, key, depth + 1)
        if isinstance(value, dict):
            value = {str(name).strip('"'): inner for name, inner in value.items()}
        elif not isinstance(value, list):
            return None
        try:
            inner = value[key]
        except (KeyError, IndexError, TypeError):
            return None
        return Input(inner, where) if isinstance(found, Input) else (inner, where)

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
