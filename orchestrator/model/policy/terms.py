"""Under which conditions policies allow a request, and whether one side's conditions are weaker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain, product
from typing import NamedTuple

from orchestrator.model.policy.conditions import NEGATED, TESTS, Context
from orchestrator.model.policy.document import Statement, as_list
from orchestrator.model.policy.globs import members

_PATTERNS = ("stringlike", "arnequals", "arnlike")
_ORDERED = ("lessthan", "lessthanequals", "greaterthan", "greaterthanequals")
_NOWHERE = Context({})


class Condition(NamedTuple):
    """One line of a Condition element; ``values`` are sorted."""

    operator: str
    key: str
    values: tuple[str, ...]

    def redacted(self) -> Condition:
        """Return it without values if they are external ids, which are never shown."""
        return self._replace(values=()) if is_external_id(self.key) else self

    def any_external_id(self) -> Condition:
        """Return it without the values if it asks for certain external ids, whichever."""
        operator = self.operator.lower().replace("like", "equals")
        is_pattern = "like" in self.operator.lower() and {*"*?"} & {*"".join(self.values)}
        if not is_external_id(self.key) or is_pattern or "ignorecase" in operator:
            return self
        return Condition(operator, self.key, ())


Lines = tuple[Condition, ...]  # all of them must hold


class Terms(NamedTuple):
    """When a request is allowed: by one of ``any_of``, and by none of ``unless``.

    Attributes:
        any_of: of each statement that allows it, the lines that must hold; ``((),)`` for always,
            empty for never.
        unless: of each statement that denies it, the lines that hold then.
    """

    any_of: tuple[Lines, ...] = ((),)
    unless: tuple[Lines, ...] = ()

    @property
    def never(self) -> bool:
        """Whether no request is allowed."""
        return not self.any_of or () in self.unless

    @property
    def keys(self) -> frozenset[str]:
        """The condition keys that every way of being allowed depends on."""
        ways = [{line.key for line in lines} for lines in self.any_of]
        needed = set.intersection(*ways) if ways else set()
        return frozenset(needed.union(line.key for lines in self.unless for line in lines))

    @property
    def lines(self) -> tuple[Condition, ...]:
        """Every line once, sorted; those of Deny with ``unless`` before the operator."""
        denied = (
            line._replace(operator=f"unless {line.operator}")
            for line in chain.from_iterable(self.unless)
        )
        return tuple(sorted({*chain.from_iterable(self.any_of), *denied}))

    def redacted(self) -> Terms:
        """Return them without external ids."""
        return self._with(Condition.redacted)

    def any_external_id(self) -> Terms:
        """Return them as they are whichever external ids are asked for."""
        return self._with(Condition.any_external_id)

    def _with(self, change: Callable[[Condition], Condition]) -> Terms:
        return Terms(*(tuple(tuple(map(change, lines)) for lines in ways) for ways in self))

    def imply(self, other: Terms) -> bool:
        """Tell whether every request that these terms allow is also allowed by the other terms.

        False if that is not certain.
        """
        return all(any(_imply(own, way) for way in other.any_of) for own in self.any_of) and all(
            any(_imply(way, own) for own in self.unless) for way in other.unless
        )


ALWAYS, NEVER = Terms(), Terms(())


@lru_cache(maxsize=4096)
def combined(layers: tuple[frozenset[Lines], ...], denies: frozenset[Lines]) -> Terms:
    """Return when layers, each of which must allow a request, all do, and no statement denies it.

    Args:
        layers: for each one, the lines of its statements that allow the request.
        denies: the lines of those that deny it.
    """
    if () in denies or not all(layers):
        return NEVER
    ways = {tuple(sorted({*chain.from_iterable(chosen)})) for chosen in product(*layers)}
    return Terms(_widest(ways), _widest(denies))


def _widest(ways: Iterable[Lines]) -> tuple[Lines, ...]:
    """Leave out what holds only where another one does."""
    kept: list[Lines] = []
    for way in sorted(ways):
        if not any(_imply(way, other) for other in kept):
            kept = [*(other for other in kept if not _imply(other, way)), way]
    return tuple(kept)


def _imply(lines: Lines, others: Lines) -> bool:
    return all(any(_implies(line, other) for line in lines) for other in others)


@lru_cache(maxsize=4096)
def _implies(line: Condition, other: Condition) -> bool:
    """Tell whether a line holds only where another one does; False if that is not certain."""
    if line.key.lower() != other.key.lower():
        return False
    (quantifier, name, is_lenient), (other_quantifier, other_name, other_lenient) = (
        _parts(one.operator) for one in (line, other)
    )
    if name == other_name == "null":
        return {v.lower() for v in line.values} <= {v.lower() for v in other.values}
    is_negated = name in NEGATED
    if is_negated is not (other_name in NEGATED) or quantifier != other_quantifier:
        return False
    if is_lenient and not other_lenient and not is_negated and not quantifier:
        return False
    if is_negated:  # what is none of some is none of fewer
        line, other = other, line
        name, other_name = NEGATED[other_name], NEGATED[name]
    return all(any(_within(name, v, other_name, w) for w in other.values) for v in line.values)


def _parts(operator: str) -> tuple[str, str, bool]:
    """Split an operator into its quantifier, its name, and whether an absent key will do."""
    quantifier, _, name = operator.lower().rpartition(":")
    return quantifier, name.removesuffix("ifexists"), name.endswith("ifexists")


def _within(name: str, value: str, other_name: str, other: str) -> bool:
    """Tell whether a key that fits a value by one operator fits another by the other operator."""
    if name == other_name and value == other:
        return True
    test = TESTS.get(other_name)
    if test is None or name not in TESTS or "${" in value:
        return False
    values = [value]
    if name.removeprefix("numeric").removeprefix("date") in _ORDERED:
        if other_name.removesuffix("equals") != name.removesuffix("equals"):
            return False
        if other_name == name:  # both include the value, or both do not
            test = TESTS[f"{name.removesuffix('equals')}equals"]
        elif not name.endswith("equals"):
            test = TESTS[other_name]
    elif name in _PATTERNS:
        values = members(value)
    elif name != other_name and name in ("stringequalsignorecase", "ipaddress"):
        return False
    return all(test(other, one, _NOWHERE, False).value for one in values)


def conditions_of(statement: Statement) -> tuple[Condition, ...]:
    """List the lines of a statement's Condition element, sorted."""
    return tuple(
        sorted(
            Condition(operator, key, tuple(sorted(map(str, as_list(values)))))
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    )


def is_external_id(key: str) -> bool:
    """Tell whether a condition key's values are external ids."""
    return key.lower() == "sts:externalid"
