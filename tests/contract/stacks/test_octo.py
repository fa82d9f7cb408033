"""The console path with Octo's API: Octo confirms what the stacks made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.app.console.check import check
from orchestrator.app.console.launch_link import launch_link
from orchestrator.errors import ConfigError, Refused
from orchestrator.octo.ledger import Ledger
from orchestrator.stacks import links
from orchestrator.verify.model import Area, Status
from tests.contract.stacks.conftest import EXTERNAL_ID, Account, findings


def record(account: Account):
    path = account.folder / account.account_id / "ledger.json"
    return Ledger(path).account(account.account_id)


def test_looking_at_an_account_registers_it_nowhere(sandbox, octo, account):
    standalone = octo(account("standalone"))
    flow = standalone.flow()
    assert sandbox.octo.accounts == {}
    assert not flow.context.folder.exists()


def test_a_check_registers_nobody_and_says_how_it_is_done(sandbox, octo, account):
    standalone = octo(account("standalone"))
    standalone.deploy("api-access")
    report = standalone.check("api-access")
    answer = report.octo[Area.API_ACCESS]
    assert answer.state == "not_registered"
    assert "octo-tf console finish" in answer.hint
    assert sandbox.octo.accounts == {}
    finished = standalone.check(finish=True)  # the hint
    assert finished.octo[Area.API_ACCESS].state == "confirmed"
    assert record(standalone).finished_at is not None


def test_octo_confirms_what_a_stack_made_as_a_console_registration(sandbox, octo, account):
    standalone = octo(account("standalone"))
    flow = standalone.flow()
    flow.register()
    assert not sandbox.octo.accounts[standalone.account_id].api_access
    standalone.deploy("api-access")
    report = check(flow, ["api-access"])
    assert report.octo[Area.API_ACCESS].state == "confirmed"
    known = sandbox.octo.accounts[standalone.account_id]
    assert (known.api_access, known.method) == (True, "console")
    assert record(standalone).finished_at is None  # no step of the wizard was the last one yet


def test_what_was_confirmed_before_is_kept_when_another_step_is_checked(octo, account):
    standalone = octo(account("standalone"))
    flow = standalone.flow()
    flow.register()
    standalone.deploy("api-access")
    check(flow, ["api-access"])
    check(flow, ["cur"])
    assert record(standalone).statuses["api_access"] == "pass"
    assert record(standalone).is_confirmed("api_access")


def test_the_payer_of_a_linked_account_is_looked_up_in_octo(octo, account):
    linked, payer = octo(account("linked-1")), octo(account("payer"))
    linked.deploy("api-access")
    assert findings(linked.check("api-access"))["api_access.payer"].status is Status.FAIL
    payer.flow().register()
    assert findings(linked.check("api-access"))["api_access.payer"].status is Status.PASS


def test_octos_own_launch_link_is_taken_on_request(octo, account):
    flow = octo(account("standalone")).flow()
    (stack,) = flow.stacks("api-access")
    found = links.parse(launch_link(flow, stack, octos_template=True).url)
    assert found.parameters == {"ExternalId": EXTERNAL_ID, "Principal": "131920598436"}
    assert found.template_url == flow.context.octo.api.template().template_url


def test_a_launch_link_with_other_values_is_refused(sandbox, octo, account):
    flow = octo(account("standalone")).flow()
    (stack,) = flow.stacks("api-access")
    client = sandbox.octo.client
    sandbox.octo.clients[client.client_id] = replace(client, external_id="another-external-id")
    with pytest.raises(Refused, match="another ExternalId") as caught:
        launch_link(flow, stack, octos_template=True)
    assert "another-external-id" not in str(caught.value) + caught.value.hint


def test_without_credentials_octos_link_cannot_be_had(account):
    flow = account("standalone").flow()
    (stack,) = flow.stacks("api-access")
    with pytest.raises(ConfigError, match="credentials for Octo's API"):
        launch_link(flow, stack, octos_template=True)
