"""moto's backends, looked up by key."""

from __future__ import annotations

from moto.core.base_backend import BackendDict
from moto.iam.models import iam_backends

from orchestrator.sandbox import lookup


def test_a_known_account_is_not_searched_for(monkeypatch):
    lookup.install()
    made = iam_backends["777777777777"]  # made by moto, as before

    def searched(_self):
        raise AssertionError("moto went through every account")

    monkeypatch.setattr(BackendDict, "keys", searched)
    assert iam_backends["777777777777"] is made
    assert made["aws"].account_id == "777777777777"
