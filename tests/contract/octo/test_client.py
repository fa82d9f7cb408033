"""Our client against the sandbox's Octo: what goes wrong, and that nothing is lost or shown."""

from __future__ import annotations

import threading
import time

import pytest

from orchestrator.errors import OctoError, OctoRefused, OctoUnreachable
from orchestrator.octo.limit import Limit
from tests.registered import EXTERNAL_ID
from tests.waiting import wait_until

STANDALONE = "222222222222"


def plant(sandbox, **settings):
    return sandbox.faults.add({"service": "octo", **settings})


def test_registering_twice_is_success_and_loses_nothing(api, account, state):
    account("standalone", "standalone")
    api.register(STANDALONE, "Acme")
    assert api.confirm_api_access(STANDALONE).registration_status.api_access
    before = state.accounts[STANDALONE].created
    api.register(STANDALONE, "Acme")
    found = api.status(STANDALONE)
    assert found is not None
    assert found.aws_options.registration_status.api_access
    assert found.aws_options.role_arn.endswith("role/AlphausAcctAccessRole")
    assert state.accounts[STANDALONE].created == before


def test_an_account_of_another_organization_is_refused(api, client):
    client("octo-sandbox-other").register(STANDALONE, "Theirs")
    with pytest.raises(OctoRefused) as caught:
        api.register(STANDALONE, "Ours")
    assert "another organization" in caught.value.what
    assert caught.value.where == STANDALONE
    assert "move it" in caught.value.hint
    assert api.status(STANDALONE) is None


def test_a_wrong_client_is_an_error_with_a_way_out_and_without_the_secret(client):
    with pytest.raises(OctoError) as caught:
        client(secret="wrong-secret-5c1e").template()
    assert "does not know the client octo-sandbox" in caught.value.what
    assert "ALPHAUS_CLIENT_SECRET" in caught.value.hint
    assert "wrong-secret-5c1e" not in f"{caught.value} {caught.value.hint}"


def test_the_token_is_kept_for_its_owner_only_and_used_again(client, state, tmp_path):
    client().template()
    (kept,) = tmp_path.glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    client().template()
    assert len(state.tokens) == 1


def test_a_token_that_expires_in_the_middle_is_renewed_once(api, sandbox, state):
    api.template()
    plant(sandbox, action="RegisterAccount", error="ExpiredToken", times=1)
    api.register(STANDALONE, "Acme")
    assert STANDALONE in state.accounts
    plant(sandbox, action="GetAccountAccessTemplateUrl", error="ExpiredToken")
    with pytest.raises(OctoError) as caught:
        api.template()
    assert not isinstance(caught.value, OctoRefused)
    assert sandbox.faults.listed()[-1]["happened"] == 2


def test_a_short_lived_token_is_renewed_before_it_ends(client, state):
    state.token_seconds = 30  # shorter than the margin: each call asks for one
    try:
        api = client()
        api.template()
        api.template()
        assert len(state.tokens) == 2
    finally:
        state.token_seconds = 3600.0


@pytest.mark.parametrize("error", ["ResourceExhausted", "Internal", "Unavailable"])
def test_a_busy_octo_is_asked_again(api, sandbox, state, error):
    planted = plant(sandbox, action="RegisterAccount", error=error, times=2)
    started = time.monotonic()
    api.register(STANDALONE, "Acme")
    assert planted.happened == 3
    assert STANDALONE in state.accounts
    if error == "ResourceExhausted":
        assert time.monotonic() - started > 2  # as long as Retry-After said, twice


def test_an_octo_that_stays_down_is_unreachable(api, sandbox):
    plant(sandbox, action="*", error="Unavailable")
    with pytest.raises(OctoUnreachable) as caught:
        api.template()
    assert "octo-tf has recorded what remains to be done" in caught.value.hint


def test_a_dropped_connection_is_tried_again(api, sandbox, state):
    planted = plant(sandbox, action="RegisterAccount", drop=True, times=2)
    api.register(STANDALONE, "Acme")
    assert planted.happened == 3
    plant(sandbox, action="GetAccountAccessTemplateUrl", drop=True)
    with pytest.raises(OctoUnreachable):
        api.template()


def test_a_slow_octo_is_waited_for(api, sandbox):
    plant(sandbox, action="GetAccountAccessTemplateUrl", latency=1.0, times=1)
    assert api.template()


def test_what_octo_does_not_answer_in_time_is_not_sent_twice(api, sandbox, monkeypatch):
    api.template()
    monkeypatch.setattr("orchestrator.octo.connection._TIMEOUT_ONCE", (5.0, 0.5))
    planted = plant(sandbox, action="CreateAccountAccess", latency=5.0)
    with pytest.raises(OctoUnreachable) as caught:
        api.confirm_api_access(STANDALONE)
    wait_until(lambda: planted.happened, "Octo gets the call")
    assert "may still be working on it" in caught.value.hint
    monkeypatch.setattr("orchestrator.octo.connection._TIMEOUT", (5.0, 2.0))
    reading = plant(sandbox, action="GetAccountAccessTemplateUrl", latency=10.0, times=1)
    assert api.template()  # nothing is at work because of a question
    assert reading.happened >= 2
    assert planted.happened == 1


@pytest.mark.parametrize("error", ["PermissionDenied", "InvalidArgument", "FailedPrecondition"])
def test_a_refusal_is_not_repeated(api, sandbox, error):
    planted = plant(sandbox, action="RegisterAccount", error=error)
    with pytest.raises(OctoRefused):
        api.register(STANDALONE, "Acme")
    assert planted.happened == 1


def test_a_stream_gives_every_account_and_its_error_is_an_error(api, sandbox):
    names = [f"{number:012}" for number in range(1, 31)]
    for name in names:
        api.register(name, f"n{name}")
    assert [found.target for found in api.status_of_all()] == names
    plant(sandbox, action="ListDataAccess", error="BrokenStream", times=1)
    with pytest.raises(OctoUnreachable) as caught:
        list(api.status_of_all())
    assert "listing the accounts" in caught.value.what


def test_unregistering_forgets_and_does_so_twice(api, state):
    api.register(STANDALONE, "Acme")
    api.unregister(STANDALONE)
    api.unregister(STANDALONE)
    assert state.accounts == {}


def test_the_published_limit_is_kept_by_many_threads(api, state, sandbox):
    api.template()
    threads = [
        threading.Thread(target=lambda: [api.template() for _ in range(20)]) for _ in range(10)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 1.0  # 200 calls at 90 a second at most
    assert state.too_early == 0


def test_octo_itself_keeps_to_its_limit(raw, api, state):
    raw("GET", "/v1/me")
    calls = state.calls["octo-sandbox"]
    calls.extend([time.monotonic() + 3600] * 100)  # however slow the next call is
    busy = raw("GET", "/v1/me")
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (429, 8, "1")
    assert state.too_early == 1
    calls.clear()
    calls.extend([time.monotonic()] * 100)
    assert api.template()  # as late as Octo asks for


def test_the_limit_spaces_calls_by_its_clock():
    slept: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limit = Limit(3, clock=lambda: now[0], sleep=sleep)
    for _ in range(7):
        limit.wait()
    assert slept == [1.0, 1.0]


def test_a_message_never_holds_the_external_id(api, account, sandbox, state):
    assert EXTERNAL_ID not in repr(api.template())
    account("standalone", "standalone")
    api.register(STANDALONE, "")
    answer = api.confirm_api_access(STANDALONE)
    assert EXTERNAL_ID not in repr(answer) + str(answer)
    assert EXTERNAL_ID not in repr(api.status(STANDALONE))
