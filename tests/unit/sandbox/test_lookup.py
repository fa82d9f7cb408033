"""moto's backends, looked up by key."""

from __future__ import annotations

from types import SimpleNamespace

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


class Accounts(list[SimpleNamespace]):
    """A list that counts how often all of it is gone through."""

    times = 0

    def __iter__(self):
        self.times += 1
        return super().__iter__()


class Organization:
    def __init__(self, *ids: str) -> None:
        self.accounts = Accounts(SimpleNamespace(id=i) for i in ids)


def test_the_accounts_of_an_organization_are_gone_through_once():
    organization = Organization("1", "2", "3")
    assert [lookup.member(organization, i).id for i in "123"] == [*"123"]
    assert lookup.member(organization, "4") is None
    assert organization.accounts.times == 1


def test_an_account_that_took_the_place_of_another_is_found():
    organization = Organization("1", "2")
    assert lookup.member(organization, "1")
    organization.accounts.pop(0)
    organization.accounts.append(SimpleNamespace(id="3"))
    assert lookup.member(organization, "3")
    assert lookup.member(organization, "1") is None
