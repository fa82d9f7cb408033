"""One call of Octo's API for each of many accounts, side by side, noted as they go."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed

from orchestrator.errors import OctoRefused

_PARALLEL = 16
# Accounts written to the ledger at a time: some, and more where each writing takes longer.
_NOTED_TOGETHER = 50
_PORTIONS = 20


def for_each(
    account_ids: Collection[str],
    call: Callable[[str], None],
    note: Callable[[list[str]], None],
) -> None:
    """Make a call for each linked account; however it ends, those that are done were noted.

    Args:
        call: the call of one.
        note: writes down accounts that are done, some at a time.

    Raises:
        OctoUnreachable: Octo does not answer; calls that had not begun are not made.
        OctoRefused: Octo refuses an account; all others were done.
        OctoError: the credentials or the answer are wrong.
    """
    refused: dict[str, OctoRefused] = {}
    unnoted: list[str] = []
    together = max(_NOTED_TOGETHER, len(account_ids) // _PORTIONS)
    pool = ThreadPoolExecutor(max_workers=_PARALLEL)

    def run(account_id: str) -> None:
        call(account_id)
        unnoted.append(account_id)  # by the thread itself: nothing that ended is missed

    def write_down() -> None:
        account_ids = [unnoted.pop() for _ in range(len(unnoted))]
        if account_ids:
            note(account_ids)

    try:
        calls = {pool.submit(run, account_id): account_id for account_id in account_ids}
        for ended in as_completed(calls):
            error = ended.exception()
            if isinstance(error, OctoRefused):
                refused[calls[ended]] = error
            elif error is not None:
                raise error
            if len(unnoted) >= together:
                write_down()
    finally:
        pool.shutdown(cancel_futures=True)
        write_down()
    if refused:
        account_id, first = sorted(refused.items())[0]
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        raise OctoRefused(f"linked account {account_id}{more}: {first.what}", hint=first.hint)
