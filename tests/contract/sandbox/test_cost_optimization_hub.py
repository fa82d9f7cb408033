"""Cost Optimization Hub says which accounts are enrolled, and by whom."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.enrolment import read

HUB = "cost_optimization_hub"


@pytest.fixture
def hub(session):
    """The hub as the payer; nobody is enrolled afterwards."""
    client = session("payer").client("cost-optimization-hub")
    yield client
    client.update_enrollment_status(status="Inactive", includeMemberAccounts=True)


def test_an_account_is_enrolled_when_it_asked_for_it(hub, aws):
    assert not read(aws("payer"), HUB).active
    assert hub.update_enrollment_status(status="Active")["status"] == "Active"
    assert read(aws("payer"), HUB).active
    assert not read(aws("linked-1"), HUB).active


def test_a_payer_enrols_its_members(hub, aws, sandbox):
    hub.update_enrollment_status(status="Active", includeMemberAccounts=True)
    assert read(aws("linked-1"), HUB).active
    assert not read(aws("standalone"), HUB).active
    found = hub.list_enrollment_statuses(includeOrganizationInfo=True)
    assert found["includeMemberAccounts"]
    assert sandbox.accounts["linked-2"] in {item["accountId"] for item in found["items"]}


def test_a_member_cannot_enrol_others(session):
    client = session("linked-1").client("cost-optimization-hub")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.update_enrollment_status(status="Active", includeMemberAccounts=True)


def test_who_may_not_ask_is_denied(user):
    client = user("linked-1", "iam:GetUser").client("cost-optimization-hub")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_enrollment_statuses()


def test_without_an_enrolment_nothing_is_recommended(hub):
    with pytest.raises(ClientError, match="not enrolled for recommendations"):
        hub.list_recommendations()
    hub.update_enrollment_status(status="Active")
    assert hub.list_recommendations()["items"] == []
