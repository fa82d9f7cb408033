"""Progress of a StackSet while Terraform works on it, beside Terraform."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.stackset.linked import LinkedAccounts
from orchestrator.terraform.plan import Plan

# The module's resources of a StackSet, by Terraform type: the set, and one for each target.
STACK_SET = "aws_cloudformation_stack_set"
TARGET = "aws_cloudformation_stack_set_instance"
_WATCH_SECONDS = 2.0


@contextmanager
def watched(linked: LinkedAccounts, made: Plan) -> Iterator[None]:
    """Shows how far linked accounts have got, while Terraform only says that it waits."""
    if not any(change.type in (STACK_SET, TARGET) for change in made.changes):
        yield
        return
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(_WATCH_SECONDS):
            try:
                linked.show_newest()
            except (BotoCoreError, ClientError):
                continue  # not made yet, or busy: progress can wait

    watcher = threading.Thread(target=show, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(timeout=_WATCH_SECONDS)
