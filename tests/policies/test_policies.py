"""Every option set's policies are enough for its whole route, and nothing in them is too much."""

from __future__ import annotations

import pytest

from orchestrator.model.policy import as_list
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
    route.run("apply", "--yes", "--wait", "60s")
    documents = route.policies("plan")
    for statement in [s for document in documents for s in document["Statement"]]:
        output = route.fails_without(statement["Sid"], documents, "plan")
        actions = as_list(statement["Action"])
        assert [a for a in actions if a.partition(":")[2] in output], (statement["Sid"], output)
