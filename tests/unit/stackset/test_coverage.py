"""Where each linked account stands, and what is left to be done: no AWS needed."""

from __future__ import annotations

import pytest

from orchestrator.model.coverage import State, cover
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.organization import Member, Organization
from orchestrator.model.stackset import StackInstance, StackSet
from orchestrator.stackset.deployments import (
    PendingDeployments,
    pending,
    reached_by_terraform,
    with_waiting,
)

PARENTS = {"r-1": None, "ou-a": "r-1", "ou-b": "ou-a", "ou-c": "r-1"}


def organization(**homes: str) -> Organization:
    """Accounts by the OU they are in; a name that starts with ``closed`` is suspended."""
    members = [
        Member(name, name.title(), "SUSPENDED" if name.startswith("closed") else "ACTIVE", ou)
        for name, ou in homes.items()
    ]
    payer = Member("payer", "payer", "ACTIVE", "r-1")
    return Organization("r-1", PARENTS, (payer, *members), "payer")


def instance(
    account_id: str, ou: str, detailed: str = "SUCCEEDED", *, stack: bool = True, reason: str = ""
) -> StackInstance:
    status = "CURRENT" if detailed == "SUCCEEDED" else "OUTDATED"
    return StackInstance(account_id, ou, status, detailed, reason, "operation", stack, "us-east-1")


def deployed(*instances: StackInstance, targets: tuple[str, ...] = ("r-1",)) -> StackSet:
    return StackSet("octo", targets=targets, instances={i.account_id: i for i in instances})


def states(coverage) -> dict[str, State]:
    return {standing.account_id: standing.state for standing in coverage.accounts}


def test_the_management_account_is_never_a_target():
    assert states(cover(organization(), None, targets=["r-1"], excluded=[])) == {}


@pytest.mark.parametrize(
    ("detailed", "expected"),
    [
        ("SUCCEEDED", State.CURRENT),
        ("PENDING", State.RUNNING),
        ("RUNNING", State.RUNNING),
        ("FAILED", State.FAILED),
        ("CANCELLED", State.FAILED),
        ("INOPERABLE", State.FAILED),
        ("FAILED_IMPORT", State.FAILED),
        ("SKIPPED_SUSPENDED_ACCOUNT", State.FAILED),  # it is active again
    ],
)
def test_each_status_of_an_instance_has_its_standing(detailed, expected):
    found = cover(
        organization(one="ou-b"),
        deployed(instance("one", "ou-b", detailed)),
        targets=["r-1"],
        excluded=[],
    )
    assert states(found) == {"one": expected}


def test_the_reason_is_awss_own():
    found = cover(
        organization(one="ou-b"),
        deployed(instance("one", "ou-b", "FAILED", reason="a policy says no")),
        targets=["r-1"],
        excluded=[],
    )
    assert found.accounts[0].reason == "a policy says no"


def test_a_cancelled_account_names_the_one_that_failed_first():
    found = cover(
        organization(one="ou-b", two="ou-b"),
        deployed(
            instance("one", "ou-b", "CANCELLED", reason="Cancelled"),
            instance("two", "ou-b", "FAILED", reason="a policy says no"),
        ),
        targets=["r-1"],
        excluded=[],
    )
    assert found.accounts[0].reason == (
        "not tried: the same operation failed in account two first (a policy says no)"
    )


def test_what_moved_or_closed_and_still_has_a_stack_says_so():
    found = cover(
        organization(moved="ou-c", closed="ou-a"),
        deployed(instance("moved", "ou-a"), instance("closed", "ou-a")),
        targets=["ou-a"],
        excluded=[],
    )
    assert {a.account_id: (a.state, a.reason) for a in found.accounts} == {
        "moved": (
            State.EXCESS,
            "ou-c is in none of the targets, but the StackSet still has it"
            " (it was moved from ou-a)",
        ),
        "closed": (State.SUSPENDED, "AWS has suspended the account; the StackSet still has it"),
    }


def test_nested_ous_belong_to_their_target():
    found = cover(
        organization(inner="ou-b", direct="ou-a", other="ou-c", top="r-1"),
        None,
        targets=["ou-a"],
        excluded=[],
    )
    assert states(found) == {
        "inner": State.MISSING,
        "direct": State.MISSING,
        "other": State.OUTSIDE,
        "top": State.OUTSIDE,
    }


def test_who_is_left_out_and_why():
    found = cover(organization(out="ou-a", closed="ou-a"), None, targets=["r-1"], excluded=["out"])
    assert states(found) == {"closed": State.SUSPENDED, "out": State.EXCLUDED}
    assert found.wanted == 0


@pytest.mark.parametrize(
    ("in_organizations", "expected", "reason"),
    [
        ("SUSPENDED", State.SUSPENDED, "AWS has suspended the account"),
        ("PENDING_CLOSURE", State.INACTIVE, "the account is being closed"),
        ("CLOSED", State.INACTIVE, "the account is closed"),
        ("PENDING_ACTIVATION", State.INACTIVE, "the account is not activated yet"),
        ("SOMETHING_NEW", State.INACTIVE, "AWS says the account is SOMETHING_NEW"),
        ("", State.INACTIVE, "AWS does not say whether the account is active"),
    ],
)
def test_an_account_that_is_not_active_is_left_out_for_its_own_reason(
    in_organizations, expected, reason
):
    members = (Member("one", "One", in_organizations, "ou-a"),)
    found = cover(
        Organization("r-1", PARENTS, members, "payer"), None, targets=["r-1"], excluded=[]
    )
    assert [(s.state, s.reason) for s in found.accounts] == [(expected, reason)]
    assert found.wanted == 0


def test_an_instance_that_should_not_be_is_excess():
    found = cover(
        organization(out="ou-a", moved="ou-c", closed="ou-c"),
        deployed(*(instance(name, "ou-a") for name in ("out", "moved", "gone", "closed"))),
        targets=["ou-a"],
        excluded=["out"],
    )
    assert set(states(found).values()) == {State.EXCESS}
    assert {s.account_id: s.reason for s in found.accounts}["gone"] == (
        "it has left the organization"
    )


def what_to_do(homes, made, *, targets=("r-1",), excluded=()) -> PendingDeployments:
    members = organization(**homes)
    coverage = cover(members, made, targets=targets, excluded=excluded)
    return pending(LinkedAccounts(members, made, tuple(targets), coverage))


def test_before_there_is_a_stack_set_nothing_is_to_be_done():
    assert not what_to_do({"one": "ou-a"}, None)


def test_missing_failed_and_excess_accounts_are_work():
    work = what_to_do(
        {"missing": "ou-a", "failed": "ou-b", "out": "ou-c", "fine": "r-1"},
        deployed(
            instance("failed", "ou-b", "FAILED"), instance("out", "ou-c"), instance("fine", "r-1")
        ),
        excluded=["out"],
    )
    assert work == PendingDeployments(deploy=("missing",), retry=("failed",), remove=("out",))


def test_a_target_that_is_new_is_terraforms_to_deploy():
    made = deployed(instance("one", "ou-a"), targets=("ou-a",))
    assert not what_to_do({"one": "ou-a", "two": "ou-c"}, made, targets=("ou-a", "ou-c"))


def test_a_target_that_is_dropped_is_terraforms_to_take_away():
    made = deployed(instance("one", "ou-a"), instance("two", "ou-c"), targets=("ou-a", "ou-c"))
    assert not what_to_do({"one": "ou-a", "two": "ou-c"}, made, targets=("ou-a",))


def test_work_can_be_limited_to_some_accounts():
    work = PendingDeployments(("a", "b"), ("c",), ("d",))
    assert work.only(["b", "d"]) == PendingDeployments(("b",), (), ("d",))


def test_the_root_gives_way_to_its_ous_account_by_account():
    made = deployed(instance("one", "ou-b"), instance("two", "ou-c"), targets=("r-1",))
    work = what_to_do({"one": "ou-b", "two": "ou-c"}, made, targets=("ou-a",))
    assert work == PendingDeployments(remove=("two",))


def test_accounts_that_an_operation_has_not_come_to_are_counted_from_the_start():
    org = organization(one="ou-a", two="ou-a", three="ou-c")
    known = deployed(instance("three", "ou-c"), targets=("r-1",))
    linked = LinkedAccounts(org, known, ("r-1",), cover(org, known, targets=["r-1"], excluded=[]))
    reached = reached_by_terraform(linked)
    assert reached == {"CREATE": ["one", "two"], "UPDATE": ["three"]}
    assert with_waiting({"two": ("SUCCEEDED", "")}, reached["CREATE"]) == {
        "one": ("PENDING", ""),
        "two": ("SUCCEEDED", ""),
    }
