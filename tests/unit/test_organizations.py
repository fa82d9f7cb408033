"""The state of an account, in the answers of before and after AWS retired Status."""

from __future__ import annotations

import pytest

from orchestrator.aws.organizations import account_state
from orchestrator.model.organization import Member

ANSWERS = [
    ({"State": "ACTIVE"}, "ACTIVE", True),
    ({"State": "SUSPENDED"}, "SUSPENDED", False),
    ({"Status": "ACTIVE"}, "ACTIVE", True),
    ({"Status": "SUSPENDED"}, "SUSPENDED", False),
    ({"State": "ACTIVE", "Status": "ACTIVE"}, "ACTIVE", True),
    ({"State": "CLOSED", "Status": "SUSPENDED"}, "CLOSED", False),
    ({"State": "PENDING_ACTIVATION", "Status": "ACTIVE"}, "PENDING_ACTIVATION", False),
    ({"State": "SOMETHING_NEW"}, "SOMETHING_NEW", False),
    ({}, "", False),
]


@pytest.mark.parametrize(("account", "state", "active"), ANSWERS)
def test_state_goes_before_status_and_an_unknown_one_is_inactive(account, state, active):
    found = account_state(account)
    assert found == state
    assert Member("111111111111", "payer", found, "r-1").active is active
