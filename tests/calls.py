"""Count the AWS calls that octo-tf itself makes: every call of boto3 passes one method of botocore.

As a program, ``calls.py FILE ARGUMENTS``: run octo-tf, and write the counts to FILE as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.client import BaseClient


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the calls made in the block, by operation; a page of a listing is a call."""
    counts: Counter[str] = Counter()
    original = BaseClient._make_api_call

    def call(client: Any, operation: str, arguments: Any) -> Any:
        counts[operation] += 1
        return original(client, operation, arguments)

    BaseClient._make_api_call = call
    try:
        yield counts
    finally:
        BaseClient._make_api_call = original


if __name__ == "__main__":
    from orchestrator.cli import main

    file, sys.argv[1:] = Path(sys.argv[1]), sys.argv[2:]
    with counted() as made:
        try:
            main()
        finally:
            file.write_text(json.dumps(dict(sorted(made.items()))), encoding="utf-8")
