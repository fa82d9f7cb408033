"""Billing that is transferred from a payer's organization or to it is recognized on both sides."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import boto3
import pytest

from orchestrator.aws.identity import identify
from orchestrator.aws.session import Aws

ACTIONS = (
    "organizations:ListInboundResponsibilityTransfers",
    "organizations:ListOutboundResponsibilityTransfers",
)
NOW = datetime.now(timezone.utc)
PAST, FUTURE = NOW - timedelta(days=30), NOW + timedelta(days=30)


@pytest.fixture
def transfer(sandbox, session) -> Iterator[Callable[..., str]]:
    """Makes a transfer between the payer's organization and one of the standalone account's."""
    other = session("standalone").client("organizations")
    other.create_organization(FeatureSet="ALL")

    def make(*, source: str, target: str, start: datetime = PAST, accept: bool = True) -> str:
        invited = session(target).client("organizations")
        answer = invited.invite_organization_to_transfer_responsibility(
            Type="BILLING",
            Target={"Id": sandbox.accounts[source], "Type": "ACCOUNT"},
            StartTimestamp=start,
            SourceName="Other",
        )
        handshake = answer["Handshake"]["Id"]
        if accept:
            session(source).client("organizations").accept_handshake(HandshakeId=handshake)
        return handshake.replace("h-", "rt-")

    yield make
    sandbox.state.billing_transfers.clear()
    other.delete_organization()


def billing_of(aws, sandbox):
    return identify(aws("payer"), sandbox.accounts["payer"]).billing


def test_a_payer_without_transfers_gets_no_warning(aws, sandbox):
    found = billing_of(aws, sandbox)
    assert (found.paid_by, found.pays_for, found.warnings) == (None, (), ())


def test_the_side_whose_bills_are_paid_is_warned_of_what_is_lost(aws, sandbox, transfer):
    transfer(source="payer", target="standalone")
    found = billing_of(aws, sandbox)
    assert found.paid_by == sandbox.accounts["standalone"]
    assert "delivers no Cost and Usage Report on it here" in found.warnings[0]


def test_the_side_that_pays_is_warned_of_what_its_report_lacks(aws, sandbox, transfer):
    transfer(source="standalone", target="payer")
    found = billing_of(aws, sandbox)
    assert found.paid_by is None
    assert found.pays_for == (sandbox.accounts["standalone"],)
    assert "does not include them" in found.warnings[0]


def test_an_invitation_counts_for_nothing(aws, sandbox, transfer):
    transfer(source="payer", target="standalone", accept=False)
    assert billing_of(aws, sandbox).warnings == ()


@pytest.mark.parametrize("sides", [("payer", "standalone"), ("standalone", "payer")])
def test_a_transfer_that_has_yet_to_start_is_announced_with_its_date(aws, sandbox, transfer, sides):
    transfer(source=sides[0], target=sides[1], start=FUTURE)
    found = billing_of(aws, sandbox)
    assert (found.paid_by, found.pays_for) == (None, ())
    assert f"From {FUTURE:%Y-%m-%d}" in found.warnings[0]


def test_a_withdrawn_transfer_goes_on_until_its_end(aws, sandbox, session, transfer):
    made = transfer(source="payer", target="standalone")
    client = session("payer").client("organizations")
    client.terminate_responsibility_transfer(Id=made, EndTimestamp=FUTURE)
    assert billing_of(aws, sandbox).paid_by == sandbox.accounts["standalone"]
    sandbox.state.billing_transfers[0]["EndTimestamp"] = PAST
    assert billing_of(aws, sandbox).paid_by is None


def test_every_page_is_read(aws, sandbox, transfer):
    for _ in range(25):
        transfer(source="payer", target="standalone", accept=False)
    transfer(source="payer", target="standalone")
    assert billing_of(aws, sandbox).paid_by == sandbox.accounts["standalone"]


def test_a_caller_who_may_not_ask_goes_on_with_a_warning_that_names_the_permission(sandbox, user):
    own = user("payer", "organizations:DescribeOrganization", ACTIONS[0])
    keys = own.get_credentials()
    made = Aws(boto3.Session(keys.access_key, keys.secret_key, region_name="us-east-1"))
    found = identify(made, sandbox.accounts["payer"]).billing
    assert found.paid_by is None
    assert [ACTIONS[1] in text for text in found.warnings] == [True]


def test_only_a_management_account_may_be_invited_and_only_it_may_accept(session, sandbox):
    client = session("payer").client("organizations")
    with pytest.raises(client.exceptions.InvalidInputException):
        client.invite_organization_to_transfer_responsibility(
            Type="BILLING",
            Target={"Id": sandbox.accounts["linked-1"], "Type": "ACCOUNT"},
            StartTimestamp=PAST,
            SourceName="Other",
        )
    assert json.dumps(sandbox.state.billing_transfers) == "[]"
