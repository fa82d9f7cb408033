"""The console path with Octo's API: the payer is looked up, Octo's template opens where it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.adoption.candidate import read_candidate
from orchestrator.app.console.flow import ConsoleFlow, begin
from orchestrator.app.console.launch_link import launch_link
from orchestrator.app.console.wizard import Wizard
from orchestrator.app.context import Settings, build
from orchestrator.cli.octo import octo_external_id
from orchestrator.config.load import load
from orchestrator.errors import ConfigError, OctoRefused, OctoUnreachable
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.octo.credentials import Credentials
from orchestrator.stacks import links
from tests.contract.stacks.conftest import EXTERNAL_ID, Account
from tests.contract.stacks.test_wizard import Scripted
from tests.registered import trust


@pytest.fixture
def octo(sandbox, tmp_path, monkeypatch) -> Iterator[Any]:
    """The sandbox's Octo, which presents the external id of these tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    state, client = sandbox.octo, sandbox.octo.client
    state.clients[client.client_id] = replace(client, external_id=EXTERNAL_ID)
    yield state
    state.clients[client.client_id] = client
    state.accounts.clear()
    state.tokens.clear()


@pytest.fixture
def flow(sandbox, octo) -> Callable[..., ConsoleFlow]:
    """Begin the console path of an account, with credentials for Octo and no external id."""

    def make(account: Account, **changes: Any) -> ConsoleFlow:
        client = octo.client
        flags = {"account_id": account.account_id, "credentials.profile": account.profile}
        registration = load(
            account.folder / "none.yaml", {**flags, **changes}, {}, octo_has_external_id=True
        )
        credentials = Credentials(client.client_id, client.secret, sandbox.octo_token_url, "test")
        settings = Settings(
            workdir=account.folder,
            environ={},
            principal_profile="octo",
            octo_credentials=credentials,
            octo_endpoint=sandbox.octo_endpoint,
        )
        return begin(build(registration, settings))

    return make


def test_a_linked_account_is_not_even_asked_about_before_its_payer_is_registered(
    flow, account, octo
):
    linked = account("linked-1")
    person = Scripted([])
    with pytest.raises(OctoRefused, match="payer"):
        Wizard(flow(linked), person).run()
    assert person.offered == []
    assert octo.accounts == {}


def test_no_question_is_asked_about_a_payer_that_octo_knows(flow, account, octo):
    payer, linked = account("payer"), account("linked-1")
    flow(payer).register()
    person = Scripted(["q"])
    assert Wizard(flow(linked), person).run() is None
    assert f"> Register account {linked.account_id} with Octo." in person.text
    assert list(octo.accounts) == [payer.account_id]  # q: nothing is registered


def test_a_payer_is_unknown_rather_than_missing_while_octo_does_not_answer(
    flow, account, monkeypatch
):
    begun = flow(account("linked-1"))
    assert begun.payer_is_registered() is False

    def unreachable(_account_id: str) -> None:
        raise OctoUnreachable("no answer")

    monkeypatch.setattr(begun.context.octo.api, "status", unreachable)
    assert begun.payer_is_registered() is None


def test_octos_template_opens_in_the_region_of_the_registration(flow, account):
    begun = flow(account("standalone"), region="eu-west-1")
    (stack,) = begun.stacks("api-access")
    page = launch_link(begun, stack, octos_template=True)
    found = links.parse(page.url)
    assert found.region == page.stack.region == "eu-west-1"
    assert found.stack_name == page.stack.name
    assert found.template_url == begun.context.octo.api.template().template_url


class Invocation:
    """What ``octo_external_id`` reads of a command: its options."""

    def __init__(self, account: Account, octo: Any, sandbox: Any, monkeypatch) -> None:
        monkeypatch.setenv("ALPHAUS_CLIENT_ID", octo.client.client_id)
        monkeypatch.setenv("ALPHAUS_CLIENT_SECRET", octo.client.secret)
        monkeypatch.setenv("ALPHAUS_AUTH_URL", sandbox.octo_token_url)
        self.config = account.folder / "octo.yaml"
        self.flags = {"account_id": account.account_id, "credentials.profile": account.profile}
        self.params = {
            "config": self.config,
            "use_octo": True,
            "octo_profile": None,
            "octo_endpoint": sandbox.octo_endpoint,
        }

    def read(self):
        asks = octo_external_id(self, self.flags)  # type: ignore[arg-type]
        return read_candidate(
            self.config,
            self.flags,
            None,
            {},
            names_in_state=lambda _account: frozenset(),
            ask_octo=asks,
        )


@pytest.fixture
def role(account) -> Iterator[Callable[[str | None], Account]]:
    """An account with the API access role, which requires an external id or none."""
    made: list[Account] = []

    def make(external_id: str | None) -> Account:
        linked = account("linked-1")
        linked.client("iam").create_role(
            RoleName=API_ROLE, AssumeRolePolicyDocument=trust(external_id)
        )
        made.append(linked)
        return linked

    yield make
    for linked in made:
        linked.client("iam").delete_role(RoleName=API_ROLE)


def test_an_adoption_takes_the_external_id_that_no_role_has_from_octo(
    role, octo, sandbox, monkeypatch
):
    candidate = Invocation(role(None), octo, sandbox, monkeypatch).read()
    assert candidate.proposal.external_id == EXTERNAL_ID
    assert "external_id" not in candidate.settings  # Octo has it: octo.yaml need not


def test_an_adoption_refuses_a_role_that_requires_another_external_id_than_octos(
    role, octo, sandbox, monkeypatch
):
    invocation = Invocation(role("another-external-id"), octo, sandbox, monkeypatch)
    with pytest.raises(ConfigError, match="an external id that the role") as caught:
        invocation.read()
    assert "another-external-id" not in str(caught.value) + caught.value.hint
