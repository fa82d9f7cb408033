"""Control a running sandbox over HTTP, and read its env file.

Only the standard library is used, so that clients of a sandbox do not load moto.
"""

from __future__ import annotations

import json
import shlex
import urllib.request
from pathlib import Path
from typing import Any

PATH = "/_sandbox/"


def deliver(endpoint_url: str) -> list[dict[str, Any]]:
    """Deliver every report now; one result per report.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: list[dict[str, Any]] = _ask(endpoint_url, "deliver", "POST")
    return answer


def state(endpoint_url: str) -> dict[str, Any]:
    """Get the accounts (ids by profile) and the calls that the sandbox does not implement.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: dict[str, Any] = _ask(endpoint_url, "state", "GET")
    return answer


def add_fault(endpoint_url: str, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Inject a fault (see ``faults.InjectedFault``); return all injected faults.

    Raises:
        OSError: no sandbox answers there, or it refuses the fault.
    """
    answer: list[dict[str, Any]] = _ask(endpoint_url, "faults", "POST", settings)
    return answer


def faults(endpoint_url: str) -> list[dict[str, Any]]:
    """List the injected faults, and how many calls each has matched.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: list[dict[str, Any]] = _ask(endpoint_url, "faults", "GET")
    return answer


def clear_faults(endpoint_url: str) -> None:
    """Remove every injected fault.

    Raises:
        OSError: no sandbox answers there.
    """
    _ask(endpoint_url, "faults", "DELETE")


def changes(endpoint_url: str) -> list[dict[str, Any]]:
    """List the latest calls that change something (see ``changes.Change``), in their order.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: list[dict[str, Any]] = _ask(endpoint_url, "changes", "GET")
    return answer


def accesses(endpoint_url: str) -> list[dict[str, Any]]:
    """Take the decisions on calls since the last time (see ``access_log.Access``), in order.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: list[dict[str, Any]] = _ask(endpoint_url, "accesses", "POST")
    return answer


def pace(endpoint_url: str, stack_seconds: float) -> None:
    """Set the seconds that a stack, or a StackSet in one account, takes from now on.

    Raises:
        OSError: no sandbox answers there.
    """
    _ask(endpoint_url, "pace", "POST", {"stack_seconds": stack_seconds})


def octo_sends_id_to_cur_role(endpoint_url: str, *, sends: bool) -> None:
    """Have Octo present its external id for the CUR role from now on, or not.

    Raises:
        OSError: no sandbox answers there.
    """
    _ask(endpoint_url, "cur-role", "POST", {"external_id": sends})


def change_template(endpoint_url: str, version: str) -> None:
    """Have Octo's newest template be of this version, ``v1`` or ``v2``, from now on.

    Raises:
        OSError: no sandbox answers there, or it has no such version.
    """
    _ask(endpoint_url, "template", "POST", {"version": version})


def change_external_id(endpoint_url: str, external_id: str) -> None:
    """Have Octo present another external id from now on.

    Raises:
        OSError: no sandbox answers there.
    """
    _ask(endpoint_url, "external-id", "POST", {"external_id": external_id})


def snapshot(endpoint_url: str, name: str) -> None:
    """Keep what the accounts, the organization and Octo hold under a name, to be restored.

    Raises:
        OSError: no sandbox answers there, or a stack is being changed.
    """
    _ask(endpoint_url, "snapshot", "POST", {"name": name})


def restore(endpoint_url: str, name: str) -> None:
    """Put a snapshot in place of what the accounts, the organization and Octo hold.

    Planted faults are removed.

    Raises:
        OSError: no sandbox answers there, or it has no such snapshot.
    """
    _ask(endpoint_url, "restore", "POST", {"name": name})


def read_env_file(path: Path) -> dict[str, str]:
    """Read the variables that a sandbox's env file exports."""
    words = (shlex.split(line) for line in path.read_text().splitlines())
    pairs = (line[1].partition("=") for line in words if line[:1] == ["export"])
    return {name: value for name, _, value in pairs}


def _ask(endpoint_url: str, action: str, method: str, body: dict[str, Any] | None = None) -> Any:
    if not endpoint_url.startswith(("http://", "https://")):
        raise OSError(f"{endpoint_url} is not an HTTP address")
    request = urllib.request.Request(  # noqa: S310
        f"{endpoint_url}{PATH}{action}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)
