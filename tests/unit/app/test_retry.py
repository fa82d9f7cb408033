"""Which operations `stackset retry` asks for, by the states of the accounts that are named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.app.linked_accounts import _retried
from orchestrator.errors import ConfigError
from orchestrator.model.coverage import cover
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.organization import Member, Organization
from orchestrator.model.stackset import StackInstance, StackSet
from orchestrator.stackset.deployments import PendingDeployments

STATES = {
    "current": "SUCCEEDED",
    "cancelled": "CANCELLED",
    "running": "RUNNING",
    "closed": "FAILED",
}
CONTEXT: Any = SimpleNamespace(registration=SimpleNamespace(account_id="payer"))


def linked() -> LinkedAccounts:
    members = tuple(
        Member(
            name,
            name,
            "CLOSED" if name == "closed" else "ACTIVE",
            "ou-b" if name == "moved" else "ou-a",
        )
        for name in (*STATES, "missing", "moved")
    )
    organization = Organization(
        "r-1", {"r-1": None, "ou-a": "r-1", "ou-b": "r-1"}, members, "payer"
    )
    instances = {
        name: StackInstance(
            name,
            "ou-a",
            "CURRENT" if detailed == "SUCCEEDED" else "OUTDATED",
            detailed,
            "",
            "o",
            name == "current",
            "us-east-1",
        )
        for name, detailed in {**STATES, "moved": "SUCCEEDED"}.items()
    }
    made = StackSet("octo", targets=("ou-a",), instances=instances)
    coverage = cover(organization, made, targets=["ou-a"], excluded=[])
    return LinkedAccounts(organization, made, ("ou-a",), coverage)


@pytest.mark.parametrize(
    ("accounts", "recreate", "expected"),
    [
        ((), (), PendingDeployments(deploy=("missing",), retry=("cancelled",))),
        (("cancelled",), (), PendingDeployments(retry=("cancelled",))),
        (("missing",), ("current",), PendingDeployments(("missing",), recreate=("current",))),
        (("closed", "moved"), (), PendingDeployments(remove=("closed", "moved"))),
        ((), ("cancelled",), PendingDeployments(retry=("cancelled",))),
    ],
)
def test_each_account_gets_the_operation_that_repairs_it(accounts, recreate, expected):
    assert _retried(CONTEXT, linked(), accounts, recreate) == expected


@pytest.mark.parametrize(
    ("accounts", "recreate", "says"),
    [
        (("current",), (), "has the role"),
        (("running",), (), "is no account that the StackSet deploys to now"),
        ((), ("closed",), "is no account that the StackSet deploys to now"),
        (("unknown",), (), "is no account that the StackSet deploys to now"),
    ],
)
def test_an_account_that_cannot_be_repaired_is_refused(accounts, recreate, says):
    with pytest.raises(ConfigError, match=says):
        _retried(CONTEXT, linked(), accounts, recreate)
