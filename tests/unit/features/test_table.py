"""The table of features: complete, the same in Terraform and Python, and within IAM's limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any, get_args

import hcl2
import pytest

from orchestrator import assets
from orchestrator.detection.permissions import RISKS, risks
from orchestrator.model.module_contract import documents, features
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    APPROVER_ROLE,
    CUR_ROLE,
    EXECUTOR_ROLE,
    SEARCHER_ROLE,
    UPDATER_ROLE,
)
from orchestrator.model.policy import allowed, as_list, matches, statements
from orchestrator.model.registration.api_access import ActionName, FeatureName
from orchestrator.model.registration.combinations import DELETING_ACTIONS
from tests.registered import MANY

TABLE = features.table()
ACCOUNT = {"partition": "aws", "account_id": "111122223333"}
EVERYTHING = Inputs(
    "111122223333",
    "bucket",
    features=tuple(TABLE.features),
    execution_actions=tuple(TABLE.execution_actions),
    execution_may_delete=True,
    execution_tag={"k" * 128: "v" * 256},
)
# IAM: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE, MANAGED = 10_240, 6_144


def policies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every policy of every role with all features: role, name, document."""
    for role, named in documents.role_policies(EVERYTHING, EVERYTHING.features, **ACCOUNT).items():
        yield from ((role, name, policy) for name, policy in named.items())
    for name, policy in documents.cur_policies("arn:aws:s3:::bucket", "pre").items():
        yield CUR_ROLE, name, policy


def boundary() -> dict[str, Any]:
    text = (assets.MODULE / "policies/execution_boundary.json.tftpl").read_text()
    for name, value in ACCOUNT.items():
        text = text.replace(f"${{{name}}}", value)
    return json.loads(text)


def test_the_settings_have_the_tables_names():
    assert get_args(FeatureName) == tuple(TABLE.features)
    assert get_args(ActionName) == tuple(TABLE.execution_actions)
    deleting = tuple(name for name, one in TABLE.execution_actions.items() if one.deletes)
    assert deleting == DELETING_ACTIONS


def test_the_modules_validations_have_the_tables_names():
    variables = hcl2.loads((assets.MODULE / "variables.tf").read_text())["variable"]
    text = {name.strip('"'): str(body) for v in variables for name, body in v.items()}
    lists = {
        "features": [{*TABLE.features}],
        "stackset_features": [{*TABLE.features}],
        "execution_actions": [{*TABLE.execution_actions}, {*DELETING_ACTIONS}],
    }
    for name, expected in lists.items():
        found = [
            {*re.findall(r'"(\w+)"', one)} for one in re.findall(r"\[([^\]]*)\]\)\)", text[name])
        ]
        assert [one for one in found if one] == expected, name


def test_every_policy_file_belongs_to_a_feature():
    used = {
        f for one in TABLE.features.values() for named in one.roles.values() for f in named.values()
    }
    there = {path.name for path in (assets.MODULE / "policies").iterdir()}
    assert there == used | {"execution_boundary.json.tftpl"}


def test_every_source_is_known_and_nothing_is_said_to_be_seen_live():
    for name, feature in TABLE.features.items():
        assert feature.sources, name
        assert {*feature.sources} <= TABLE.sources.keys(), name
        assert not feature.seen_live, name


def test_cost_is_in_every_account_and_recommendations_are_read_by_both_roles():
    assert {*TABLE.features["cost"].roles} == {API_ROLE, CUR_ROLE}
    assert {*TABLE.features["recommendations"].roles} == {API_ROLE, SEARCHER_ROLE}
    assert {*TABLE.features["execution"].roles} == {UPDATER_ROLE, EXECUTOR_ROLE, APPROVER_ROLE}


@pytest.mark.parametrize("role", [API_ROLE, CUR_ROLE, SEARCHER_ROLE])
def test_what_octo_reads_by_has_no_risk(role: str):
    found = [policy for owner, _, policy in policies() if owner == role]
    assert found
    assert risks(found) == ()


def test_no_role_writes_iam_reads_secrets_or_changes_the_organization():
    forbidden = ("writes IAM", "reads secrets", "changes the organization")
    patterns = [action for risk in forbidden for action in RISKS[risk]]
    for role, name, policy in [*policies(), ("boundary", "", boundary())]:
        for pattern in allowed(policy):
            assert not any(matches(action, pattern) for action in patterns), (role, name, pattern)


def test_pass_role_is_for_the_executor_and_systems_manager_only():
    for role, name, policy in [*policies(), ("boundary", "", boundary())]:
        for statement in statements(policy):
            if "iam:PassRole" in as_list(statement["Action"]):
                assert statement["Action"] == "iam:PassRole", (role, name)
                assert statement["Resource"].endswith(f":role/{EXECUTOR_ROLE}")
                assert statement["Condition"] == {
                    "StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}
                }


def test_octo_can_neither_approve_its_templates_nor_start_runbooks_past_them():
    (updater,) = (policy for role, _, policy in policies() if role == UPDATER_ROLE)
    for action in ("ssm:UpdateDocumentMetadata", "ssm:StartAutomationExecution"):
        assert not any(matches(action, pattern) for pattern in allowed(updater))


def test_the_boundary_lets_through_what_the_roles_of_execution_may_do_and_no_more():
    granted = {
        action
        for role, _, policy in policies()
        if role in (UPDATER_ROLE, EXECUTOR_ROLE, APPROVER_ROLE)
        for action in allowed(policy)
    }
    assert {*allowed(boundary())} == granted


def test_the_executor_has_exactly_the_chosen_actions():
    for name, action in TABLE.execution_actions.items():
        one = replace(EVERYTHING, execution_actions=(name,), execution_tag={})
        found = documents.execution_statements(one, **ACCOUNT)
        changes = {a for change in action.changes for a in change.actions}
        assert {a for s in found for a in s["Action"]} == {*action.reads, *changes}
        assert all("Condition" not in statement for statement in found)


def test_a_tag_limits_all_that_the_table_says_it_limits():
    chosen = replace(EVERYTHING, execution_tag={"octo": "yes"})
    tagged = [s for s in documents.execution_statements(chosen, **ACCOUNT) if "Condition" in s]
    assert len(tagged) == sum(c.tagged for a in TABLE.execution_actions.values() for c in a.changes)
    assert all(s["Condition"] == {"StringEquals": {"aws:ResourceTag/octo": "yes"}} for s in tagged)


def test_all_features_and_actions_stay_within_iams_limits():
    sizes: dict[str, int] = {}
    for role, _, policy in policies():
        sizes[role] = sizes.get(role, 0) + len(documents.text(policy))
    assert sizes.keys() == TABLE.roles.keys()
    assert all(size <= INLINE for size in sizes.values()), sizes
    assert len(documents.text(boundary())) <= MANAGED


def test_additional_actions_beyond_the_limit_are_in_managed_policies():
    longest = tuple(f"{'a' * 40}:BatchDescribe{number:0>100}" for number in range(200))
    for actions in ((), longest[:5], longest[:30], longest, MANY):
        one = replace(EVERYTHING, additional_actions=actions)
        found = documents.role_policies(one, one.features, **ACCOUNT)
        for role in (API_ROLE, SEARCHER_ROLE):
            own = {n: p for n, p in found[role].items() if n.lower().startswith("octo-")}
            managed = {n: p for n, p in found[role].items() if n not in own}
            assert sum(len(documents.text(p)) for p in own.values()) <= INLINE
            assert all(len(documents.text(p)) <= MANAGED for p in managed.values())
            assert ("octo-additional" in own) == (0 < len(actions) <= 5)
            assert bool(managed) == (len(actions) > 5)
            additional = [*managed.values(), own.get("octo-additional", {"Statement": []})]
            granted = [action for policy in additional for action in allowed(policy)]
            assert sorted(granted) == sorted(actions)


def test_each_choice_of_features_has_the_roles_of_its_features_alone():
    others = [name for name in TABLE.features if name != "cost"]
    for count in range(len(others) + 1):
        for more in combinations(others, count):
            found = documents.role_policies(EVERYTHING, ("cost", *more), **ACCOUNT)
            assert sorted({*found} - {API_ROLE}) == features.feature_roles(["cost", *more])
            for role, named in found.items():
                assert {*named} <= {*features.policy_names(role)}
