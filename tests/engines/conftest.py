"""The end-to-end tests' sandbox, and the results of the runs for the table in the docs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tests.e2e.conftest import sandbox, sandboxes, unused_sandbox

__all__ = ["sandbox", "sandboxes", "unused_sandbox"]

RESULTS = Path(__file__).parents[2] / "docs/reference/engines.json"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write down what passed, with its date; a part that was not run keeps what it had before."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    today = datetime.now(timezone.utc).date().isoformat()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == "engine":
                    parts = known.setdefault(value["engine"], {})
                    parts.pop(value["part"], None)
                    if outcome == "passed":
                        parts[value["part"]] = {
                            "proved": value["proved"],
                            "provider": f"hashicorp/aws {value['provider']}",
                            "date": today,
                        }
    if known:
        RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
