"""Calls for many accounts are noted in portions that grow with their number."""

from __future__ import annotations

import pytest

from orchestrator.octo.batch import for_each


@pytest.mark.parametrize(("accounts", "most"), [(10, 1), (400, 9), (6_000, 21)])
def test_a_ledger_is_not_written_for_every_few_of_many_accounts(accounts, most):
    noted: list[list[str]] = []
    ids = [f"{n:012}" for n in range(accounts)]
    for_each(ids, lambda _account: None, noted.append)
    assert sorted(account for portion in noted for account in portion) == ids
    assert len(noted) <= most
