"""octo-tf features shows the whole table."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from orchestrator import cli
from orchestrator.model.module_contract.feature_permissions import in_words, permissions
from orchestrator.model.module_contract.features import table
from orchestrator.model.policy.classification import access

SCHEMA = Path(__file__).parents[3] / "docs/schemas/features-v1.json"


def test_every_feature_and_every_action_is_shown_with_what_it_needs():
    result = CliRunner().invoke(cli.group, ["features"], standalone_mode=False)
    shown = " ".join(result.output.split())
    for name, feature in table().features.items():
        assert f"{name} " in shown
        texts = [feature.shows, feature.lost, *feature.needs, *feature.roles]
        assert all(text in shown for text in texts), name
    for name, action in table().execution_actions.items():
        assert f"execution_actions: {name} For {action.recommendation}" in shown
        assert (
            "Deletes" in shown.split(f"execution_actions: {name} ")[1].split("execution_")[0]
        ) == (action.deletes)


def test_no_line_is_wider_than_a_terminal():
    result = CliRunner().invoke(cli.group, ["features"], standalone_mode=False)
    assert max(map(len, result.output.splitlines())) <= 100


def test_the_json_has_the_whole_table():
    result = CliRunner().invoke(cli.group, ["features", "--json"], standalone_mode=False)
    shown = json.loads(result.stdout)
    jsonschema.validate(shown, json.loads(SCHEMA.read_text(encoding="utf-8")))
    for part in ("features", "roles", "execution_actions"):
        assert shown[part].keys() == getattr(table(), part).keys()
    assert shown["features"]["cost"]["sources"][0].startswith("Octo's documentation")


@pytest.mark.parametrize("name", [name for name in table().features if name != "execution"])
def test_no_feature_but_execution_changes_anything(name):
    assert [one.changes for one in permissions(name).values() if one.changes] == []


def test_what_execution_grants_besides_the_chosen_actions_is_named():
    changes = [action for one in permissions("execution").values() for action in one.changes]
    assert changes
    assert all(access(action).changes and action in in_words("execution") for action in changes)
