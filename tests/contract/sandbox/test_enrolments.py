"""What octo-tf reads, begins and ends of enrolments is what the services then say."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws import enrolment
from orchestrator.errors import AwsError
from orchestrator.model.enrolment import SERVICES

ENROLLED = [name for name, service in SERVICES.items() if service.has_enrolment]


@pytest.fixture
def payer(aws, sandbox):
    """Calls as the payer; afterwards no account is enrolled, and none has a role of a service."""
    calls = aws("payer")
    yield calls
    for name in ENROLLED:
        client = calls.client(name.replace("_", "-"))
        client.update_enrollment_status(status="Inactive", includeMemberAccounts=True)
    for profile in ("payer", "linked-1", "linked-2", "linked-3"):
        for name in SERVICES:
            enrolment.delete_role(aws(profile), name, sleep=lambda _seconds: None)


@pytest.mark.parametrize("name", ENROLLED)
def test_an_account_enrols_alone_and_gets_the_services_role(payer, aws, name):
    assert not enrolment.read(payer, name).active
    enrolment.begin(payer, name, members=False)
    found = enrolment.read(payer, name, members=True)
    assert (found.active, found.has_role, found.includes_members) == (True, True, False)
    assert not found.members
    assert not enrolment.read(aws("linked-1"), name).active
    enrolment.end(payer, name, members=False)
    assert not enrolment.read(payer, name).active


@pytest.mark.parametrize("name", ENROLLED)
def test_members_are_enrolled_with_their_payer_and_those_before_are_distinguished(payer, aws, name):
    enrolment.begin(aws("linked-1"), name, members=False)
    before = enrolment.read(payer, name, members=True)
    assert (before.active, len(before.members), before.includes_members) == (False, 1, False)
    enrolment.begin(payer, name, members=True)
    found = enrolment.read(payer, name, members=True)
    assert found.includes_members
    assert found.members > before.members
    assert enrolment.read(aws("linked-2"), name).has_role


def test_trusted_advisor_has_a_role_and_nothing_else(payer):
    enrolment.begin(payer, "trusted_advisor", members=False)
    enrolment.begin(payer, "trusted_advisor", members=False)  # twice is once
    assert enrolment.read(payer, "trusted_advisor").active


def test_a_role_that_a_service_uses_is_not_deleted(payer):
    name = "compute_optimizer"
    enrolment.begin(payer, name, members=False)
    with pytest.raises(AwsError, match="AWSServiceRoleForComputeOptimizer was not deleted"):
        enrolment.delete_role(payer, name, sleep=lambda _seconds: None)
    enrolment.end(payer, name, members=False)
    enrolment.delete_role(payer, name, sleep=lambda _seconds: None)
    assert not enrolment.read(payer, name).has_role
    enrolment.delete_role(payer, name, sleep=lambda _seconds: None)  # gone already


def test_enrolling_needs_the_right_to_make_the_services_role(user):
    update = "cost-optimization-hub:UpdateEnrollmentStatus"
    client = user("linked-1", update).client("cost-optimization-hub")
    with pytest.raises(ClientError, match="iam:CreateServiceLinkedRole"):
        client.update_enrollment_status(status="Active")
