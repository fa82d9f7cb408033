"""An account leaves Octo, and nothing brings it back unasked; AWS is not touched."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from orchestrator.octo.api import OctoApi
from orchestrator.octo.credentials import find
from tests.e2e.conftest import Checkpoint, Project

OCTO = True
STATUS = Path(__file__).parents[2] / "docs/schemas/status-v1.json"


@pytest.fixture
def api(sandbox, tmp_path) -> OctoApi:
    """Octo, as the tests look at it."""
    credentials = find(sandbox.environ)
    assert credentials is not None
    endpoint = sandbox.environ["OCTO_TF_OCTO_ENDPOINT"]
    return OctoApi(endpoint, credentials, token_folder=tmp_path / "tokens")


@pytest.fixture(scope="module")
def registered_standalone(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    applied = sandbox.project("standalone")("apply", "--yes", "--wait", "60s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def registered(sandbox, registered_standalone) -> Project:
    """A standalone account that is registered and confirmed."""
    return sandbox.restore(registered_standalone)["standalone"]


@pytest.fixture
def left(registered) -> Project:
    """A standalone account that was registered, and has left: the last thing that ran."""
    result = registered("unregister", "--yes")
    assert result.returncode == 0, result.stderr
    return registered


def test_an_account_leaves_when_its_id_is_typed_and_not_otherwise(registered, api):
    question = "Type the account id to confirm"
    code, shown = registered.on_terminal("unregister", answers={question: "111111111111"})
    assert code == 1, shown
    assert f"is not {registered.account_id}: nothing was changed" in " ".join(shown.split())
    assert api.status(registered.account_id) is not None
    code, shown = registered.on_terminal("unregister", answers={question: registered.account_id})
    assert code == 0, shown
    assert api.status(registered.account_id) is None


def test_a_nightly_verification_brings_nobody_back_and_says_who_left(left, api):
    for arguments in (("verify",), ("verify", "--no-octo", "--external-id", external_id(api))):
        result = left(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        assert re.search(r"The account left Octo on \d{4}-\d\d-\d\d\.", result.stdout)
    assert left("confirm").returncode == 0
    assert api.status(left.account_id) is None


def test_status_is_a_history(left):
    shown = left("status").stdout
    for name in ("Planned", "Applied", "Verified", "Registered", "Finished", "Left"):
        assert re.search(rf"^{name} .*\d{{4}}-\d\d-\d\dT", shown, re.MULTILINE), (name, shown)
    assert "To do" not in shown
    document = json.loads(left("status", "--json").stdout)
    jsonschema.validate(document, json.loads(STATUS.read_text()))
    assert document["left_at"] >= document["finished_at"] >= document["registered_at"]


def test_the_plan_says_that_it_would_register_an_account_that_left(left, api):
    result = left("plan")
    assert result.returncode == 0, result.stderr
    assert re.search(
        rf"Register account {left.account_id} with Octo \(it left on \d{{4}}-\d\d-\d\d\)\.",
        " ".join(result.stdout.split()),
    )
    assert api.status(left.account_id) is None


def external_id(api: OctoApi) -> str:
    return api.template().external_id.get_secret_value()
