"""Unregistering asks first, keeps out other runs, and leaves no folder for an unknown account."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app.unregister import unregister
from orchestrator.errors import OctoTfError
from orchestrator.octo.departure import Departure
from tests.unit.app.fakes import ACCOUNT, Scene, scene


@pytest.fixture
def route(tmp_path: Path) -> Scene:
    return scene(tmp_path)


def test_octo_is_asked_then_the_user_then_the_account_leaves(route):
    unregister(route.context, with_linked=False, consent=route.agree)
    assert route.calls == ["octo.describe_departure", "consent", "octo.unregister"]


def test_who_does_not_agree_changes_nothing(route):
    route.recording.failures["consent"] = OctoTfError("no")
    with pytest.raises(OctoTfError, match="no"):
        unregister(route.context, with_linked=True, consent=route.agree)
    assert route.recording.writes == []
    assert not route.context.folder.exists()


def test_an_account_does_not_leave_during_another_run(route):
    with (
        route.context.locked(),
        pytest.raises(OctoTfError, match="another octo-tf is at work"),
    ):
        unregister(route.context, with_linked=False, consent=route.agree)
    assert route.recording.writes == []


def test_of_an_account_that_nobody_knows_nothing_is_noted(route):
    route.octo.departure = Departure(ACCOUNT.account_id)
    unregister(route.context, with_linked=True, consent=route.agree)
    assert route.recording.writes == []
    assert not route.context.folder.exists()
