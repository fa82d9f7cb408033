"""The console path with Octo's API: Octo confirms what the stacks made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.app.console.check import check
from orchestrator.app.console.flow import Path
from orchestrator.app.console.launch_link import launch_link
from orchestrator.errors import ConfigError, Refused
from orchestrator.octo.credentials import Credentials
from orchestrator.stacks import links
from orchestrator.verify.model import Area
from tests.contract.stacks.conftest import EXTERNAL_ID

CLIENT = "octo-sandbox"


@pytest.fixture
def octo(sandbox, tmp_path, monkeypatch) -> Iterator[Callable[[Path], Path]]:
    """Gives a path the sandbox's Octo, which presents the external id of these tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    state, client = sandbox.octo, sandbox.octo.client
    state.clients[CLIENT] = replace(client, external_id=EXTERNAL_ID)

    def give(path: Path) -> Path:
        url = sandbox.octo_token_url
        path.run.settings = replace(
            path.run.settings,
            octo_credentials=Credentials(CLIENT, state.clients[CLIENT].secret, url, "test"),
            octo_endpoint=sandbox.octo_endpoint,
        )
        for made in ("octo", "octo_api", "external_id"):
            path.run.__dict__.pop(made, None)
        path.begin()
        return path

    yield give
    state.clients[CLIENT] = client
    state.accounts.clear()
    state.tokens.clear()


def status(sandbox: Any, account_id: str) -> Any:
    return sandbox.octo.accounts[account_id]


def test_octo_confirms_what_a_stack_made_as_a_console_registration(sandbox, octo, account):
    standalone = account("standalone")
    path = octo(standalone.flow())
    assert not status(sandbox, standalone.account_id).api_access
    standalone.deploy("api-access")
    report = check(path, ["api-access"])
    assert report.octo[Area.API_ACCESS].state == "confirmed"
    known = status(sandbox, standalone.account_id)
    assert (known.api_access, known.method) == (True, "console")


def test_what_was_confirmed_before_is_kept_when_another_step_is_checked(sandbox, octo, account):
    standalone = account("standalone")
    path = octo(standalone.flow())
    standalone.deploy("api-access")
    check(path, ["api-access"])
    check(path, ["cur"])
    record = path.run.octo.account(standalone.account_id)
    assert record.statuses["api_access"] == "pass"
    assert record.octo["api_access"].state == "confirmed"


def test_octos_own_launch_link_is_taken_on_request(octo, account):
    flow = octo(account("standalone").flow())
    (stack,) = flow.stacks("api-access")
    found = links.parse(launch_link(flow, stack, octos_template=True).url)
    assert found.parameters == {"ExternalId": EXTERNAL_ID, "Principal": "131920598436"}
    assert found.template_url == flow.context.octo.api.template().template_url


def test_a_launch_link_with_other_values_is_refused(sandbox, octo, account):
    flow = octo(account("standalone").flow())
    (stack,) = flow.stacks("api-access")
    state = sandbox.octo
    state.clients[CLIENT] = replace(state.clients[CLIENT], external_id="another-external-id")
    with pytest.raises(Refused, match="another ExternalId") as caught:
        launch_link(flow, stack, octos_template=True)
    assert "another-external-id" not in str(caught.value) + caught.value.hint


def test_without_credentials_octos_link_cannot_be_had(account):
    flow = account("standalone").flow()
    (stack,) = flow.stacks("api-access")
    with pytest.raises(ConfigError, match="credentials for Octo's API"):
        launch_link(flow, stack, octos_template=True)
