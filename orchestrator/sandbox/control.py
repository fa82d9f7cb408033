"""Talks to a running sandbox from outside: its control endpoint and its env file.

Needs nothing but the standard library, so that whoever only asks does not load moto.
"""

from __future__ import annotations

import json
import shlex
import urllib.request
from pathlib import Path
from typing import Any

PATH = "/_sandbox/"


def deliver(endpoint_url: str) -> list[dict[str, Any]]:
    """Has every report delivered now; one answer per report.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: list[dict[str, Any]] = _ask(endpoint_url, "deliver", "POST")
    return answer


def state(endpoint_url: str) -> dict[str, Any]:
    """Accounts by profile, and calls that the sandbox did not know.

    Raises:
        OSError: no sandbox answers there.
    """
    answer: dict[str, Any] = _ask(endpoint_url, "state", "GET")
    return answer


def read_env_file(path: Path) -> dict[str, str]:
    """The variables that a sandbox's env file exports."""
    words = (shlex.split(line) for line in path.read_text().splitlines())
    pairs = (line[1].partition("=") for line in words if line[:1] == ["export"])
    return {name: value for name, _, value in pairs}


def _ask(endpoint_url: str, action: str, method: str) -> Any:
    if not endpoint_url.startswith(("http://", "https://")):
        raise OSError(f"{endpoint_url} is not an HTTP address")
    request = urllib.request.Request(f"{endpoint_url}{PATH}{action}", method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)
