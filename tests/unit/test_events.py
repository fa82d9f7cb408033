"""The event stream as JSON lines, against its published schema."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from orchestrator.app import events
from orchestrator.app.apply import apply
from orchestrator.app.events import Ended, Events, LinkedAccountsProgress, Note
from orchestrator.cli import run
from orchestrator.errors import ConfigError, EngineError
from orchestrator.ui.jsonl import JsonLines, open_target
from tests.unit.app.fakes import scene

SCHEMA = json.loads(Path("docs/schemas/events-v1.json").read_text())


def check(lines: list[str]) -> list[dict[str, Any]]:
    documents = [json.loads(line) for line in lines]
    for document in documents:
        jsonschema.validate(document, SCHEMA)
    return documents


def test_every_event_of_a_run_keeps_to_the_schema_and_holds_no_secret(tmp_path):
    lines: list[str] = []
    route = scene(tmp_path)
    apply(route.context, consent=route.agree)
    write = JsonLines(lines.append, now=lambda: 1.0)
    extra = [
        LinkedAccountsProgress({"222222222222": ("FAILED", "denied")}),
        events.ResourceProgress("module.octo.aws_iam_role.x", "create", "complete", 3.0),
        events.Warned("careful"),
        Note("so"),
        events.Asked("Apply?", "--yes"),
        Ended("apply", 0, 1.5),
    ]
    for event in [*route.recording.events, *extra]:
        write(event)
    documents = check(lines)
    assert {d["event"] for d in documents} == {kind.code for kind in get_args(events.Event)}
    assert "octo-external-id" not in "".join(lines)


def test_every_kind_of_event_is_in_the_schema():
    titles = {kind["title"] for kind in SCHEMA["oneOf"]}
    assert titles == {kind.code for kind in get_args(events.Event)}


def test_a_consumer_gets_one_event_at_a_time():
    busy = threading.Lock()

    def consume(_event: events.Event) -> None:
        assert busy.acquire(blocking=False)
        busy.release()

    stream = Events(consume)
    threads = [
        threading.Thread(target=lambda: [stream.note("x") for _ in range(200)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_events_are_appended_to_a_file_or_written_to_a_descriptor(tmp_path):
    file = tmp_path / "events"
    open_target(str(file))("one\n")
    open_target(str(file))("two\n")
    assert file.read_text() == "one\ntwo\n"
    reading, writing = os.pipe()
    open_target(f"fd:{writing}")("three\n")
    os.close(writing)
    assert os.read(reading, 100) == b"three\n"
    os.close(reading)


@pytest.mark.parametrize("target", ["/nowhere/events", "fd:x", "fd:987"])
def test_a_target_that_cannot_be_written_is_named(target):
    with pytest.raises(ConfigError, match="--events") as caught:
        open_target(target)
    assert caught.value.hint


def test_the_last_event_says_how_the_command_ended(tmp_path, monkeypatch):
    file = tmp_path / "events"
    monkeypatch.chdir(tmp_path)
    Path("octo.yaml").write_text("account_id: '111122223333'\nexternal_id: octo-external-id\n")

    def fail(*_arguments: Any, **_settings: Any) -> None:
        raise EngineError("it failed", where="here", hint="try something else")

    monkeypatch.setattr("orchestrator.app.verify.verify", fail)
    assert run(["verify", "--events", f"jsonl={file}"]) == 1
    (last,) = check(file.read_text().splitlines())
    assert (last["event"], last["command"], last["exit_code"]) == ("result", "verify", 1)
    assert (last["error"], last["where"], last["hint"]) == (
        "it failed",
        "here",
        "try something else",
    )
