"""Misbehaviour on request: what AWS does on a bad day, planted by name.

A fault is planted for a service and an operation (``*`` for any), by the control endpoint or a
file, and happens to the next ``times`` matching calls, after ``after`` of them went well.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from orchestrator.sandbox.wire import Call, Fault

# The statuses that AWS answers with these codes; any other code is a 400.
_STATUSES = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}
_ids = itertools.count(1)


class Drop(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class Planted:
    """One planted fault.

    Attributes:
        service: the signing name, or ``*``.
        action: the operation, or ``*``; wildcards match.
        error: the error code to answer with.
        latency: seconds to wait before the call is done.
        drop: close the connection instead of answering; the call is not done.
        lose_answer: the call is done, and the connection closed instead of answering.
        unknown_for: seconds for which a role that the call makes stays unknown to other calls.
        partial_pages: lists come in pages of one.
        account: the account in which it happens, as caller or as a StackSet's target; ``*``: any.
        times: to how many calls it happens; None for all.
        after: how many matching calls go well first.
    """

    service: str = "*"
    action: str = "*"
    error: str = ""
    latency: float = 0.0
    drop: bool = False
    lose_answer: bool = False
    unknown_for: float = 0.0
    partial_pages: bool = False
    account: str = "*"
    times: int | None = None
    after: int = 0
    id: int = field(default_factory=lambda: next(_ids))
    happened: int = 0

    def matches(self, call: Call) -> bool:
        """Whether the fault is about this call."""
        return all(
            fnmatchcase(actual, wanted)
            for actual, wanted in (
                (call.service, self.service),
                (call.operation, self.action),
                (call.caller.account_id, self.account),
            )
        )


class Faults:
    """The faults that are planted; the world's lock guards them."""

    def __init__(self) -> None:
        self._planted: list[Planted] = []
        self._unknown_roles: dict[tuple[str, str], float] = {}

    def add(self, settings: Mapping[str, Any]) -> Planted:
        """Plants one.

        Raises:
            ValueError: a setting is unknown, or nothing would happen.
        """
        known = set(Planted.__dataclass_fields__) - {"id", "happened"}
        if unknown := set(settings) - known:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {sorted(known)}")
        planted = Planted(**settings)
        happens = ("error", "latency", "drop", "lose_answer", "unknown_for", "partial_pages")
        if not any(getattr(planted, name) for name in happens):
            raise ValueError(f"nothing would happen: give one of {', '.join(happens)}")
        self._planted.append(planted)
        return planted

    def load(self, path: Path) -> None:
        """Plants every fault of a JSON file (a list of objects).

        Raises:
            ValueError: the file is not such a list.
        """
        for settings in json.loads(path.read_text()):
            self.add(settings)

    def listed(self) -> list[dict[str, Any]]:
        """What is planted, and how often each has happened."""
        return [asdict(planted) for planted in self._planted]

    def clear(self) -> None:
        """Removes all of them."""
        self._planted.clear()
        self._unknown_roles.clear()

    def take(self, call: Call) -> list[Planted]:
        """The faults that happen to this call; each counts as happened."""
        chosen = []
        for planted in self._planted:
            if not planted.matches(call):
                continue
            planted.happened += 1
            number = planted.happened - planted.after
            if number >= 1 and (planted.times is None or number <= planted.times):
                chosen.append(planted)
        return chosen

    def hide_role(self, call: Call, seconds: float) -> None:
        """Keeps the role that the call makes unknown for a while (eventual consistency)."""
        key = (call.caller.account_id, str(call.parameters.get("RoleName")))
        self._unknown_roles[key] = time.monotonic() + seconds

    def check_known(self, call: Call) -> None:
        """Refuses a call about a role that is still unknown.

        Raises:
            Fault: NoSuchEntity, or AccessDenied for AssumeRole.
        """
        if call.operation == "CreateRole":
            return
        name = str(call.parameters.get("RoleName", ""))
        arn = str(call.parameters.get("RoleArn", call.parameters.get("PolicySourceArn", "")))
        for (account_id, hidden), until in self._unknown_roles.items():
            is_meant = (account_id, hidden) == (call.caller.account_id, name) or (
                f":{account_id}:role/{hidden}" in arn
            )
            if is_meant and time.monotonic() < until:
                if call.operation == "AssumeRole":
                    raise Fault(
                        "AccessDenied", f"not authorized to perform: sts:AssumeRole on {arn}", 403
                    )
                raise Fault("NoSuchEntity", f"The role with name {hidden} cannot be found.", 404)


def happen(planted: Planted, call: Call) -> None:
    """Lets a fault happen before its call is done.

    Raises:
        Drop: the connection is to be closed.
        Fault: the error to answer with.
    """
    if planted.latency:
        time.sleep(planted.latency)
    if planted.drop:
        raise Drop
    if planted.error:
        raise Fault(
            planted.error,
            f"Planted: {call.service}:{call.operation}",
            _STATUSES.get(planted.error, 400),
        )
