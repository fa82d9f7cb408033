"""Octo's own reading of an account's state, in the answers of before and after Status."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.octo.probe import is_active


@pytest.mark.parametrize(
    ("account", "active"),
    [
        ({"State": "ACTIVE"}, True),
        ({"State": "CLOSED"}, False),
        ({"Status": "ACTIVE"}, True),
        ({"Status": "SUSPENDED"}, False),
        ({"State": "ACTIVE", "Status": "ACTIVE"}, True),
        ({"State": "PENDING_ACTIVATION", "Status": "ACTIVE"}, False),
        ({"State": "SOMETHING_NEW"}, False),
        ({}, False),
    ],
)
def test_only_an_active_account_is_a_member_to_reach(account, active):
    assert is_active(account) is active
