"""The ledger remembers what Octo knows, and loses nothing."""

from __future__ import annotations

import json
import stat
import threading
from datetime import datetime, timezone

import pytest
from filelock import FileLock

from orchestrator.errors import LedgerError
from orchestrator.octo.ledger import Ledger

PASSED = {"api_access": "pass", "cur_s3": "pending", "stackset": "skipped"}


@pytest.fixture
def clock():
    class Clock:
        hour = 0

        def __call__(self) -> datetime:
            return datetime(2026, 1, 1, self.hour, tzinfo=timezone.utc)

    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.json", now=clock)


def test_an_account_is_unknown_until_it_is_registered(ledger):
    assert ledger.account("111122223333") is None
    record = ledger.register("111122223333", "Acme", "payer")
    assert ledger.account("111122223333") == record
    assert record.statuses == {}


def test_registering_again_keeps_what_was_confirmed(ledger, clock):
    ledger.register("111122223333", "Acme", "payer")
    ledger.confirm("111122223333", PASSED, finish=True)
    clock.hour = 5
    record = ledger.register("111122223333", "Acme Inc", "payer")
    assert record.account_name == "Acme Inc"
    assert record.registered_at == "2026-01-01T00:00:00+00:00"
    assert record.confirmed == {"api_access": "2026-01-01T00:00:00+00:00"}
    assert record.finished_at == "2026-01-01T00:00:00+00:00"


def test_an_area_that_no_longer_passes_is_no_longer_confirmed(ledger):
    ledger.register("111122223333", "Acme", "payer")
    ledger.confirm("111122223333", PASSED, finish=True)
    record = ledger.confirm("111122223333", {**PASSED, "api_access": "fail"}, finish=False)
    assert record.confirmed == {}
    assert record.finished_at is not None  # it was finished once: history stays


def test_confirming_an_unknown_account_is_an_error(ledger):
    with pytest.raises(LedgerError, match="is not registered"):
        ledger.confirm("111122223333", PASSED, finish=False)


def test_the_file_is_private_and_versioned(ledger, tmp_path):
    ledger.register("111122223333", "Acme", "payer")
    path = tmp_path / "ledger.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["schema_version"] == "octo-tf/ledger/v1"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"accounts": {"1": {}}}'])
def test_a_damaged_ledger_is_left_as_it_is_and_reported(ledger, tmp_path, content):
    path = tmp_path / "ledger.json"
    path.write_text(content)
    with pytest.raises(LedgerError, match="is damaged"):
        ledger.register("111122223333", "Acme", "payer")
    assert path.read_text() == content


def test_a_ledger_of_a_newer_version_is_not_overwritten(ledger, tmp_path):
    path = tmp_path / "ledger.json"
    path.write_text('{"schema_version": "octo-tf/ledger/v9", "accounts": {}}')
    with pytest.raises(LedgerError, match="octo-tf/ledger/v9"):
        ledger.register("111122223333", "Acme", "payer")
    assert "v9" in path.read_text()


def test_a_held_lock_is_reported_after_a_bounded_wait(tmp_path):
    with (
        FileLock(tmp_path / "ledger.json.lock"),
        pytest.raises(LedgerError, match="held by another"),
    ):
        Ledger(tmp_path / "ledger.json", lock_seconds=0.05).register("1" * 12, "x", "payer")


def test_concurrent_registrations_are_all_kept(ledger):
    ids = [f"{n:012}" for n in range(12)]
    threads = [threading.Thread(target=ledger.register, args=(i, "x", "linked")) for i in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ledger.account(account_id) for account_id in ids)
