"""Terraform's machine-readable output becomes typed events and plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.errors import EngineError
from orchestrator.terraform.events import (
    Diagnostic,
    OutputValues,
    PlannedChange,
    ResourceProgress,
    UnparsedLine,
    parse,
)
from orchestrator.terraform.plan import from_show

RESOURCE = {
    "addr": "module.octo.module.api_access.aws_iam_role.api_access",
    "resource_type": "aws_iam_role",
}


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (
            {"type": "planned_change", "change": {"resource": RESOURCE, "action": "create"}},
            PlannedChange(RESOURCE["addr"], "aws_iam_role", "create"),
        ),
        (
            {
                "type": "apply_complete",
                "hook": {"resource": RESOURCE, "action": "create", "elapsed_seconds": 3},
            },
            ResourceProgress("complete", RESOURCE["addr"], "create", 3.0),
        ),
        (
            {
                "type": "diagnostic",
                "diagnostic": {
                    "severity": "error",
                    "summary": "Invalid value",
                    "detail": "why",
                    "range": {"filename": "main.tf", "start": {"line": 7}},
                },
            },
            Diagnostic("error", "Invalid value", "why", "", "main.tf:7"),
        ),
        (
            {"type": "outputs", "outputs": {"a": {"value": 1}, "b": {"action": "create"}}},
            OutputValues({"a": 1}),
        ),
        ({"type": "version", "terraform": "1.11.4"}, None),
    ],
)
def test_each_kind_of_line_becomes_its_event(message, event):
    assert parse(json.dumps(message)) == event


@pytest.mark.parametrize("line", ["[DEBUG] x", "{", "[]", "3", '{"no": "type"}'])
def test_a_line_that_is_no_event_is_kept_as_noise(line):
    assert parse(line + "\n") == UnparsedLine(line)


def show(*changes: tuple[list[str], dict], outputs: dict | None = None) -> dict:
    return {
        "resource_changes": [
            {
                "address": f"aws_iam_role.r{n}",
                "type": "aws_iam_role",
                "change": {
                    "actions": actions,
                    **{k: v for k, v in extra.items() if k == "importing"},
                },
                **{k: v for k, v in extra.items() if k != "importing"},
            }
            for n, (actions, extra) in enumerate(changes)
        ],
        "output_changes": outputs or {},
        "variables": {"account_id": {"value": "111122223333"}},
    }


@pytest.mark.parametrize(
    ("actions", "extra", "word"),
    [
        (["create"], {}, "create"),
        (["update"], {}, "update"),
        (["delete"], {}, "delete"),
        (["forget"], {}, "remove"),
        (["delete", "create"], {}, "replace"),
        (["create", "delete"], {}, "replace"),
        (["no-op"], {"importing": {"id": "x"}}, "import"),
        (["no-op"], {"previous_address": "aws_iam_role.old"}, "move"),
        (["transmute"], {}, "transmute"),
    ],
)
def test_a_saved_plans_actions_become_the_event_streams_words(actions, extra, word):
    plan = from_show(Path("p"), show((actions, extra)))
    assert [change.action for change in plan.changes] == [word]
    assert plan.has_changes


def test_a_plan_without_changes_has_none():
    plan = from_show(Path("p"), show((["no-op"], {}), (["read"], {})))
    assert plan.changes == ()
    assert not plan.has_changes
    assert plan.inputs["account_id"] == "111122223333"


def test_a_plan_that_changes_an_output_only_has_changes():
    plan = from_show(Path("p"), show(outputs={"cur": {"actions": ["update"]}}))
    assert plan.changes == ()
    assert plan.has_changes


def test_what_was_applied_of_a_moved_resource_is_known_though_somebody_changed_it():
    """As Terraform has it: its drift is computed after the moves."""
    new, old = "module.octo.aws_iam_role.new", "module.octo.aws_iam_role.old"
    where = {"address": new, "previous_address": old, "type": "aws_iam_role"}
    changed = {"actions": ["update"], "before": {"path": "/by-hand/"}, "after": {"path": "/"}}
    drift = {"actions": ["update"], "before": {"path": "/"}, "after": {"path": "/by-hand/"}}
    document = {
        "resource_changes": [{**where, "change": changed}],
        "resource_drift": [{**where, "change": drift}],
    }
    (resource,) = from_show(Path("p"), document).resources
    assert (resource.applied, resource.before) == ({"path": "/"}, {"path": "/by-hand/"})


def test_a_document_that_is_no_plan_is_refused():
    with pytest.raises(EngineError, match="not a Terraform plan"):
        from_show(Path("p"), {"values": {}})
