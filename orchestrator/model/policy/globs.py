"""Patterns with IAM's wildcards ``*`` and ``?``: which include others, and where two overlap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

_Step = tuple[str, int, int]


@lru_cache(maxsize=65536)
def includes(wider: str, pattern: str) -> bool:
    """Tell whether whatever fits a pattern fits another one, too, which may be the same."""
    return wider in ("*", pattern) or all(map(_compiled(wider).match, members(pattern)))


@lru_cache(maxsize=4096)
def members(pattern: str) -> list[str]:
    """Return texts that stand for all that fit a pattern, by letters that no policy has."""
    text = pattern.replace("?", "\1")
    return [text.replace("*", ""), text.replace("*", "\0" * 3)] if "*" in text else [text]


@lru_cache(maxsize=4096)
def places(patterns: frozenset[str]) -> tuple[str, ...]:
    """Return patterns, and where two of them overlap, sorted: they stand for all that fits them."""
    wild = sorted(p for p in patterns if "*" in p or "?" in p)
    found = {
        shared
        for number, one in enumerate(wild)
        for other in wild[:number]
        if not includes(one, other) and not includes(other, one)
        for shared in overlaps(one, other)
    }
    return tuple(sorted(found | patterns))


@lru_cache(maxsize=65536)
def overlaps(one: str, other: str) -> frozenset[str]:
    """Return patterns for what fits two patterns: where their stars mean much, and little."""
    if not (_may_meet(one, other) and _may_meet(one[::-1], other[::-1])):
        return frozenset()
    found = (_overlap(one, other, widest=widest) for widest in (True, False))
    return frozenset(filter(None, found))


def _overlap(one: str, other: str, *, widest: bool) -> str:
    ends = len(one), len(other)
    steps: dict[tuple[int, int], _Step] = {ends: ("", *ends)}
    for i in range(len(one), -1, -1):
        for j in range(len(other), -1, -1):
            for step in [*_steps(one, i, other, j)][:: 1 if widest else -1]:
                if step[1:] in steps:
                    steps[i, j] = step
                    break
    if (0, 0) not in steps:
        return ""
    text, place = "", (0, 0)
    while place != ends:
        letter, *following = steps[place]
        text, place = text + letter, (following[0], following[1])
    return text


def _steps(one: str, i: int, other: str, j: int) -> Iterator[_Step]:
    """Yield what both may go on with, and how far that gets in each; the widest first."""
    a, b = one[i : i + 1], other[j : j + 1]
    if a == b == "*":
        yield "*", i + 1, j
        yield "*", i, j + 1
    elif a == "*":
        if b:
            yield b, i, j + 1
        yield "", i + 1, j
    elif b == "*":
        if a:
            yield a, i + 1, j
        yield "", i, j + 1
    elif a and b and (a == b or "?" in (a, b)):
        yield b if a == "?" else a, i + 1, j + 1


def _may_meet(one: str, other: str) -> bool:
    """Tell whether the texts before the first wildcards do not contradict each other."""
    starts = (re.match(r"[^*?]*", text) for text in (one, other))
    shorter, longer = sorted((start[0] for start in starts if start), key=len)
    return longer.startswith(shorter)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")))
