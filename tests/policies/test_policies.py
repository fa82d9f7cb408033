"""Every option set's policies are enough for its whole route, and nothing in them is too much."""

from __future__ import annotations

import pytest

from orchestrator.model.policy import as_list
from orchestrator.sandbox import S3_ACTIONS
from tests.e2e.least_privilege import Route, Statement
from tests.e2e.option_sets import OPTION_SETS, route_of

SANDBOX = ("--linked", "3")


@pytest.mark.parametrize("name", OPTION_SETS)
def test_the_policies_are_enough_and_no_action_is_too_much(sandbox, name):
    route = route_of(sandbox, OPTION_SETS[name])
    OPTION_SETS[name].go(route)
    assert route.disagreements() == []
    assert route.unneeded() == []


@pytest.mark.parametrize("name", ["linked, state in S3 under a key", "payer, existing bucket"])
def test_a_plan_without_any_one_statement_fails_and_names_an_action_of_it(sandbox, name):
    route = route_of(sandbox, OPTION_SETS[name])
    documents = route.policies("plan")
    statements = [s for document in documents for s in document["Statement"]]
    # S3 tells only those who may list the bucket that there is no state yet.
    before = [s for s in statements if s["Sid"] == "StateBucket"]
    is_needed(route, documents, before)
    route.run("apply", "--yes", "--wait", "60s")
    is_needed(route, documents, [s for s in statements if s not in before])


def is_needed(route: Route, documents: list[Statement], statements: list[Statement]) -> None:
    """Without each of the statements a plan fails, and names an action of it, or its call."""
    for statement in statements:
        output = route.fails_without(statement["Sid"], documents, "plan")
        actions = {action.partition(":")[2] for action in as_list(statement["Action"])}
        calls = {call for call, action in S3_ACTIONS.items() if action in actions}
        assert any(name in output for name in actions | calls), (statement["Sid"], output)
