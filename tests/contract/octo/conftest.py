"""A client of the sandbox's Octo; what it registered is forgotten after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from orchestrator.octo.api import OctoApi
from orchestrator.octo.connection import Connection
from orchestrator.octo.credentials import Credentials
from tests.registered import EXTERNAL_ID, Registered, outputs


@pytest.fixture
def state(sandbox) -> Iterator[Any]:
    """What the sandbox's Octo knows."""
    octo, client = sandbox.octo, sandbox.octo.client
    octo.clients[client.client_id] = replace(client, external_id=EXTERNAL_ID)
    yield octo
    octo.clients[client.client_id] = client
    octo.accounts.clear()
    octo.tokens.clear()
    octo.calls.clear()
    octo.too_early = 0
    sandbox.faults.clear()


@pytest.fixture
def client(sandbox, state, tmp_path) -> Callable[..., OctoApi]:
    """Our client, as one of Octo's; its retries do not dawdle."""

    def make(client_id: str = "octo-sandbox", secret: str | None = None) -> OctoApi:
        credentials = Credentials(
            client_id,
            secret or state.clients[client_id].secret,
            sandbox.octo_token_url,
            "test",
        )
        connection = Connection(pause=0.01)
        return OctoApi(
            sandbox.octo_endpoint, credentials, connection=connection, token_folder=tmp_path
        )

    return make


@pytest.fixture
def api(client) -> OctoApi:
    return client()


@pytest.fixture
def raw(sandbox, state) -> Callable[..., requests.Response]:
    """A call without our client, as the published API says it is made."""

    def call(method: str, route: str, body: dict[str, Any] | None = None) -> requests.Response:
        form = {
            "client_id": state.client.client_id,
            "client_secret": state.client.secret,
            "grant_type": "client_credentials",
            "scope": "openid",
        }
        token = requests.post(sandbox.octo_token_url, data=form, timeout=60).json()
        return requests.request(
            method,
            f"{sandbox.octo_endpoint}{route}",
            json=body,
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=30,
        )

    return call


@pytest.fixture
def account(aws) -> Iterator[Callable[..., Registered]]:
    """Makes in AWS what the module makes, in a profile's account."""
    made: list[Registered] = []

    def make(profile: str, account_type: str, features: tuple[str, ...] = ("cost",)) -> Registered:
        own = aws(profile)
        account_id = own.client("sts").get_caller_identity()["Account"]
        registered = Registered(own, outputs(account_id, account_type, features))
        registered.unmake()
        registered.make()
        made.append(registered)
        return registered

    yield make
    for registered in made:
        registered.unmake()
