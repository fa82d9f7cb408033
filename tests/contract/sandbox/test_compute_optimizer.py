"""Compute Optimizer says which accounts have opted in, and recommends nothing to others."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def optimizer(session):
    """Compute Optimizer as the payer; nobody has opted in afterwards."""
    client = session("payer").client("compute-optimizer")
    yield client
    client.update_enrollment_status(status="Inactive", includeMemberAccounts=True)


def test_an_account_has_opted_in_when_it_asked_for_it(optimizer, session):
    assert optimizer.get_enrollment_status()["status"] == "Inactive"
    assert optimizer.update_enrollment_status(status="Active")["status"] == "Active"
    found = optimizer.get_enrollment_status()
    assert (found["status"], found["memberAccountsEnrolled"]) == ("Active", False)
    member = session("linked-1").client("compute-optimizer")
    assert member.get_enrollment_status()["status"] == "Inactive"


def test_a_payer_opts_in_for_its_members(optimizer, session, sandbox):
    optimizer.update_enrollment_status(status="Active", includeMemberAccounts=True)
    found = optimizer.get_enrollment_status()
    assert found["memberAccountsEnrolled"]
    assert found["numberOfMemberAccountsOptedIn"] == 4
    member = session("linked-1").client("compute-optimizer")
    assert member.get_enrollment_status()["status"] == "Active"
    active = optimizer.get_enrollment_statuses_for_organization(
        filters=[{"name": "Status", "values": ["Active"]}]
    )["accountEnrollmentStatuses"]
    assert sandbox.accounts["linked-2"] in {item["accountId"] for item in active}
    inactive = optimizer.get_enrollment_statuses_for_organization(
        filters=[{"name": "Status", "values": ["Inactive"]}]
    )["accountEnrollmentStatuses"]
    assert inactive == []


def test_an_organizations_enrolment_is_pending_for_a_while(optimizer, sandbox, monkeypatch):
    monkeypatch.setattr(sandbox.state, "stack_seconds", 600.0)
    done = optimizer.update_enrollment_status(status="Active", includeMemberAccounts=True)
    assert done["status"] == optimizer.get_enrollment_status()["status"] == "Pending"


def test_a_member_cannot_opt_in_for_others(session):
    client = session("linked-1").client("compute-optimizer")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.update_enrollment_status(status="Active", includeMemberAccounts=True)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_enrollment_statuses_for_organization()


def test_pending_cannot_be_asked_for(optimizer):
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        optimizer.update_enrollment_status(status="Pending")


def test_without_an_opt_in_nothing_is_recommended(optimizer):
    with pytest.raises(ClientError) as refused:
        optimizer.get_idle_recommendations()
    assert refused.value.response["Error"]["Code"] == "OptInRequiredException"
    optimizer.update_enrollment_status(status="Active")
    assert optimizer.get_idle_recommendations()["idleRecommendations"] == []


def test_who_may_not_ask_is_denied(user):
    client = user("linked-1", "iam:GetUser").client("compute-optimizer")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_enrollment_status()
