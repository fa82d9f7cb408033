"""Terraform's version constraints for providers: ``5.100.0``, ``~> 6.0``, ``>= 5.100.0, < 6.0.0``.

Syntax and meaning are those of Terraform's own parser, github.com/apparentlymart/go-versions
(``ParseRubyStyleMulti`` and ``RequestedByConstraints``), without build metadata, which no release
of a provider has. ``tests/module/test_provider_version.py`` compares them with ``terraform init``.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import total_ordering

_VERSION = re.compile(
    r"(?P<numbers>\d{1,9}(\.\d{1,9}){0,2})(-(?P<pre>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?", re.ASCII
)
_TERM = re.compile(rf"(?P<operator>=|!=|>=|<=|~>|>|<|) ?(?P<version>{_VERSION.pattern})", re.ASCII)
# The same in JavaScript's words too, for the JSON Schema of octo.yaml.
_PLAIN_TERM = r"(=|!=|>=|<=|~>|>|<)? ?[0-9]{1,9}(\.[0-9]{1,9}){0,2}(-[0-9A-Za-z.-]+)?"
PATTERN = rf"^ *{_PLAIN_TERM} *(, *{_PLAIN_TERM} *)*$"
_COMPARISONS = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@total_ordering
@dataclass(frozen=True)
class Version:
    """A provider's version, ordered as semver.org (11) orders them.

    Attributes:
        numbers: major, minor, patch.
        pre: the pre-release's identifiers, e.g. ``beta1``; empty for a release.
    """

    numbers: tuple[int, int, int]
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``5.100.0`` or ``6.0.0-beta1``; numbers that are left out are 0.

        Raises:
            ValueError: it is not a version.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version like 5.100.0")
        major, minor, patch, *_ = (*map(int, match["numbers"].split(".")), 0, 0)
        return cls((major, minor, patch), match["pre"] or "")

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + (f"-{self.pre}" if self.pre else "")

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    @property
    def _key(self) -> tuple[object, ...]:
        identifiers = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre.split(".")
        )
        return (self.numbers, not self.pre, identifiers)


@dataclass(frozen=True)
class Constraint:
    """Which versions are wanted: all of ``terms`` must hold.

    Attributes:
        terms: operator, version, and how many of the version's numbers were written.
    """

    terms: tuple[tuple[str, Version, int], ...]

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Read a comma-separated list of terms.

        Raises:
            ValueError: Terraform would not take it.
        """
        terms = []
        for part in text.split(","):
            match = _TERM.fullmatch(part.strip(" "))
            if match is None:
                raise ValueError(f"{part.strip()!r} is not a version constraint like ~> 6.0")
            written = match["numbers"].count(".") + 1
            terms.append((match["operator"] or "=", Version.parse(match["version"]), written))
        return cls(tuple(terms))

    def __str__(self) -> str:
        """The constraint in one form, made of its parts: safe to put into HCL."""
        return ", ".join(
            ("" if sign == "=" else f"{sign} ") + _written(version, written if sign == "~>" else 3)
            for sign, version, written in self.terms
        )

    def admits(self, version: Version) -> bool:
        """Whether Terraform would take the version; a pre-release only if a term names it."""
        if version.pre and all(sign != "=" for sign, _, _ in self.terms):
            return False
        return all(_holds(term, version) for term in self.terms)

    def overlaps(self, other: Constraint) -> bool:
        """Whether any version meets both."""
        both = Constraint(self.terms + other.terms)
        # The lowest version that meets both is one that is named, or comes right after one.
        named = [version for _, version, _ in both.terms]
        after = [Version((v.numbers[0], v.numbers[1], v.numbers[2] + 1)) for v in named]
        releases = [Version(v.numbers) for v in named]
        return any(both.admits(v) for v in (*named, *releases, *after, Version((0, 0, 0))))


def _holds(term: tuple[str, Version, int], version: Version) -> bool:
    sign, boundary, written = term
    if sign != "~>":
        return bool(_COMPARISONS[sign](version, boundary))
    major, minor, _ = boundary.numbers
    beyond = Version((major, minor + 1, 0) if written == 3 else (major + 1, 0, 0))
    return boundary <= version < beyond


def _written(version: Version, count: int) -> str:
    """The version with its first ``count`` numbers, but ``~> 6`` as Terraform records it: 6.0."""
    numbers = ".".join(map(str, version.numbers[: max(count, 2)]))
    return numbers + (f"-{version.pre}" if version.pre else "")


# What the root asks for where octo.yaml does not say; the sandbox cannot work with 6.x yet.
DEFAULT = "5.100.0"
# As terraform/modules/octo/versions.tf has it (a test compares them).
OF_THE_MODULE = Constraint.parse(">= 5.100.0, < 7.0.0")
