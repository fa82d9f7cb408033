"""Inject faults: errors, latency, dropped connections and eventual consistency.

A fault is injected for a service and an operation (``*`` for any), by the control endpoint or a
file, and applies to ``times`` matching calls, after the first ``after`` of them.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from orchestrator.sandbox.wire import Call, ServiceError

# The statuses that AWS answers with codes of these forms; any other code is a 400.
_STATUSES = {
    "AccessDenied|ExpiredToken": 403,
    "Internal\\w+|ServiceException|ServiceFailure\\w*": 500,
    "ServiceUnavailable\\w*|SlowDown|RequestLimitExceeded": 503,
}
_ids = itertools.count(1)


class DropConnection(Exception):
    """Close the connection without an answer."""


@dataclass
class InjectedFault:
    """One injected fault.

    Attributes:
        service: the signing name, or ``*``.
        action: the operation, or ``*``; wildcards match.
        error: the error code to answer with.
        latency: seconds to wait before the call is done.
        drop: close the connection instead of answering; the call is not done.
        lose_answer: the call is done, and the connection closed instead of answering.
        unknown_for: seconds for which other calls do not find the role that the call creates.
        partial_pages: lists are answered in pages of one entry.
        account: the caller's account, or the target account of a StackSet; ``*``: any.
        times: the number of calls to apply to; None for all.
        after: the number of matching calls to leave alone first.
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
        """Whether the fault is injected for this call."""
        return all(
            fnmatchcase(actual, wanted)
            for actual, wanted in (
                (call.service, self.service),
                (call.operation, self.action),
                (call.caller.account_id, self.account),
            )
        )


class Faults:
    """The injected faults; the caller holds the sandbox state's lock."""

    def __init__(self) -> None:
        self._planted: list[InjectedFault] = []
        self._hidden_until: dict[tuple[str, str], float] = {}

    def add(self, settings: Mapping[str, Any]) -> InjectedFault:
        """Inject a fault.

        Raises:
            ValueError: a setting is unknown, or the fault has no effect.
        """
        known = set(InjectedFault.__dataclass_fields__) - {"id", "happened"}
        if unknown := set(settings) - known:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {sorted(known)}")
        fault = InjectedFault(**settings)
        happens = ("error", "latency", "drop", "lose_answer", "unknown_for", "partial_pages")
        if not any(getattr(fault, name) for name in happens):
            raise ValueError(f"the fault has no effect: give one of {', '.join(happens)}")
        self._planted.append(fault)
        return fault

    def load(self, path: Path) -> None:
        """Inject every fault of a JSON file (a list of objects).

        Raises:
            ValueError: the file is not such a list.
        """
        for settings in json.loads(path.read_text()):
            self.add(settings)

    def listed(self) -> list[dict[str, Any]]:
        """List the injected faults, and how many calls each has matched."""
        return [asdict(fault) for fault in self._planted]

    def clear(self) -> None:
        """Remove every injected fault."""
        self._planted.clear()
        self._hidden_until.clear()

    def take(self, call: Call) -> list[InjectedFault]:
        """Get the faults to apply to a call, and count the call."""
        chosen = []
        for fault in self._planted:
            if not fault.matches(call):
                continue
            fault.happened += 1
            number = fault.happened - fault.after
            if number >= 1 and (fault.times is None or number <= fault.times):
                chosen.append(fault)
        return chosen

    def hide_role(self, call: Call, seconds: float) -> None:
        """Hide the role that a call creates for some seconds (eventual consistency)."""
        key = (call.caller.account_id, str(call.parameters.get("RoleName")))
        self._hidden_until[key] = time.monotonic() + seconds

    def check_visible(self, call: Call) -> None:
        """Refuse a call about a role that is still hidden.

        Raises:
            ServiceError: NoSuchEntity, or AccessDenied for AssumeRole.
        """
        if call.operation == "CreateRole":
            return
        name = str(call.parameters.get("RoleName", ""))
        arn = str(call.parameters.get("RoleArn", call.parameters.get("PolicySourceArn", "")))
        for (account_id, hidden), until in self._hidden_until.items():
            is_meant = (account_id, hidden) == (call.caller.account_id, name) or (
                f":{account_id}:role/{hidden}" in arn
            )
            if is_meant and time.monotonic() < until:
                if call.operation == "AssumeRole":
                    raise ServiceError(
                        "AccessDenied", f"not authorized to perform: sts:AssumeRole on {arn}", 403
                    )
                raise ServiceError(
                    "NoSuchEntity", f"The role with name {hidden} cannot be found.", 404
                )


def apply_fault(fault: InjectedFault, call: Call) -> None:
    """Apply a fault before its call is done.

    Raises:
        DropConnection: the connection is to be closed.
        ServiceError: the error to answer with.
    """
    if fault.latency:
        time.sleep(fault.latency)
    if fault.drop:
        raise DropConnection
    if fault.error:
        raise ServiceError(
            fault.error,
            f"Injected fault: {call.service}:{call.operation}",
            next((of for code, of in _STATUSES.items() if re.fullmatch(code, fault.error)), 400),
        )
