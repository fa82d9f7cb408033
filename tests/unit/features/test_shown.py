"""octo-tf features shows the whole table."""

from __future__ import annotations

from click.testing import CliRunner

from orchestrator import cli
from orchestrator.model.module_contract.features import table


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
