"""Which features an adoption keeps, by the roles and policies that exist."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.adoption import feature_proposal
from orchestrator.adoption.proposal import propose
from orchestrator.adoption.stated import Stated
from orchestrator.detection import stackset_template
from orchestrator.model.module_contract import documents, features
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    APPROVER_ROLE,
    EXECUTOR_ROLE,
    PRINCIPAL,
    SEARCHER_ROLE,
    UPDATER_ROLE,
    is_managed,
)
from orchestrator.model.observed import Role
from orchestrator.model.stackset import TemplateContent
from orchestrator.stacks import templates
from tests.registered import MANY
from tests.unit.adoption.test_proposal import deploys, found, role, stack_set

BARE = role(UPDATER_ROLE)
EXECUTES = (UPDATER_ROLE, EXECUTOR_ROLE, APPROVER_ROLE)
CHOSEN = Inputs(
    "111122223333",
    "bucket",
    features=("ai_cost", "cost", "execution", "recommendations", "unit_metrics"),
    execution_actions=("stop_ec2", "terminate_ec2"),
    execution_may_delete=True,
    execution_tag={"octo": "yes"},
    additional_actions=("rds:DescribeDBProxies",),
)


def lost(inputs: Inputs) -> dict[str, Role]:
    """The roles of a registration whose state was lost."""
    made = documents.role_policies(
        inputs, inputs.features, partition="aws", account_id=inputs.account_id
    )
    arn = f"arn:aws:iam::{inputs.account_id}:policy/"
    roles = {
        name: role(
            name,
            inline={n: p for n, p in policies.items() if not is_managed(n)},
            managed={arn + n: p for n, p in policies.items() if is_managed(n)},
        )
        for name, policies in made.items()
    }
    for name, kind in ((n, features.table().roles[n].trust) for n in made):
        if kind != "external_id":
            trust = documents.role_trust(
                kind, "", "", partition="aws", account_id=inputs.account_id
            )
            roles[name] = replace(roles[name], trust=trust)
    return roles


def test_a_registration_whose_state_was_lost_keeps_what_was_chosen():
    settings = feature_proposal.propose(lost(CHOSEN))
    assert sorted(settings.pop("features")) == sorted(CHOSEN.features)
    assert settings == {
        "execution_actions": ["stop_ec2", "terminate_ec2"],
        "execution_may_delete": True,
        "execution_tag": {"octo": "yes"},
        "additional_actions": ["rds:DescribeDBProxies"],
    }


@pytest.mark.parametrize("action", features.table().execution_actions)
def test_each_action_is_read_back_from_the_executors_policy(action: str):
    one = replace(CHOSEN, execution_actions=(action,), execution_tag={}, additional_actions=())
    settings = feature_proposal.propose(lost(one))
    assert settings["execution_actions"] == [action]
    assert "execution_tag" not in settings
    assert settings.get("execution_may_delete", False) is (
        features.table().execution_actions[action].deletes
    )


def test_additional_actions_in_managed_policies_are_kept():
    proposal = propose(found(*lost(replace(CHOSEN, additional_actions=MANY)).values()), Stated())
    assert proposal.settings["additional_actions"] == sorted(MANY)
    assert proposal.removals == ()


def test_what_is_kept_is_a_valid_registration(registered):
    settings = propose(found(*lost(CHOSEN).values()), Stated()).settings
    assert registered(**settings).execution_actions == ["stop_ec2", "terminate_ec2"]


def test_nothing_is_removed_from_the_roles_of_kept_features():
    proposal = propose(found(*lost(CHOSEN).values()), Stated())
    assert proposal.removals == ()
    assert proposal.leftovers == ()
    assert {f"role {name}" for name in (API_ROLE, SEARCHER_ROLE, *EXECUTES)} <= {*proposal.adopted}


def test_octos_own_searcher_role_keeps_recommendations():
    searcher = role(SEARCHER_ROLE, inline={"theirs": {"Statement": []}})
    proposal = propose(found(role(API_ROLE), searcher), Stated())
    assert proposal.settings["features"] == ["cost", "recommendations"]
    assert f"role {SEARCHER_ROLE}" in proposal.adopted
    assert [removal.what for removal in proposal.removals] == ["inline policy theirs"]


def test_octos_own_roles_of_execution_stay_until_actions_are_chosen():
    theirs = [role(name, managed={"arn:x:policy/AdministratorAccess": None}) for name in EXECUTES]
    proposal = propose(found(role(API_ROLE), *theirs), Stated())
    assert "features" not in proposal.settings
    assert {leftover.name for leftover in proposal.leftovers} == {*EXECUTES}
    (warning,) = (text for text in proposal.warnings if UPDATER_ROLE in text)
    assert "execution_actions" in warning
    assert "deleting them ends execution" in warning


def reads(name: str, *actions: str) -> Role:
    """A role of Octo's own template: its policies have other names than the module's."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return role(name, inline={"octo-optimization": {"Statement": [statement]}})


def recommends() -> list[str]:
    policies = documents.of_features(API_ROLE, ["recommendations"])
    return [a for p in policies.values() for s in p["Statement"] for a in s["Action"]]


def test_what_octo_has_today_is_known_by_what_its_roles_may_do():
    half = [*recommends()[::2], "cloudwatch:*"]
    today = feature_proposal.today({API_ROLE: reads(API_ROLE, *half), UPDATER_ROLE: BARE})
    assert today["recommendations"] == (API_ROLE,)
    assert today["unit_metrics"] == (API_ROLE,)
    assert today["execution"] == (UPDATER_ROLE,)
    assert feature_proposal.today({API_ROLE: reads(API_ROLE, "*")}) == {}
    assert feature_proposal.today({API_ROLE: reads(API_ROLE, "ce:*")}) == {}


def test_a_feature_of_octos_own_template_is_kept_unless_it_is_declined():
    roles = (reads(API_ROLE, *recommends()), role(SEARCHER_ROLE))
    kept = propose(found(*roles), Stated())
    assert {"cost", "recommendations"} <= {*kept.settings["features"]}
    assert f"role {SEARCHER_ROLE}" in kept.adopted
    assert kept.today["recommendations"] == (API_ROLE,)
    declined = propose(found(*roles), Stated(None, {"features": ["cost"]}))
    assert f"role {SEARCHER_ROLE}" not in declined.adopted
    assert declined.today == {}
    (leftover,) = declined.leftovers
    assert (leftover.name, leftover.feature) == (SEARCHER_ROLE, "recommendations")


def test_the_roles_of_execution_are_adopted_with_the_actions_that_are_chosen():
    chosen = {"features": ["cost", "execution"], "execution_actions": ["stop_ec2"]}
    root = {"AWS": "arn:aws:iam::111122223333:root"}
    trust = {"Statement": [{"Principal": {"Service": "ssm.amazonaws.com", **root}}]}
    others = [replace(role(name), trust=trust) for name in (EXECUTOR_ROLE, APPROVER_ROLE)]
    proposal = propose(found(role(API_ROLE), role(UPDATER_ROLE), *others), Stated(None, chosen))
    removed = {str(r).partition(": it could")[0] for r in proposal.removals}
    assert removed == {
        f"role {EXECUTOR_ROLE}: trust in 111122223333",
        f"role {APPROVER_ROLE}: trust in ssm.amazonaws.com",
    }
    assert {f"role {name}" for name in EXECUTES} <= {*proposal.adopted}
    assert proposal.leftovers == ()


def content(linked: tuple[str, ...]) -> TemplateContent:
    """What octo-tf's own StackSet deploys."""
    text = templates.linked_template(replace(CHOSEN, stackset_features=linked))
    read = stackset_template.read(text, {"ExternalId": "the-id", "Principal": PRINCIPAL}, "aws")
    assert read
    return read


@pytest.mark.parametrize(
    ("linked", "expected"),
    [
        (("ai_cost", "cost", "recommendations", "unit_metrics"), None),
        (("cost", "recommendations"), ["cost", "recommendations"]),
        (("cost",), ["cost"]),
    ],
)
def test_octo_tfs_own_stackset_keeps_the_features_of_linked_accounts(linked: Any, expected: Any):
    own = stack_set(content=content(linked))
    proposal = propose(found(*lost(CHOSEN).values(), stack_set=own), Stated())
    assert proposal.settings["use_stackset"] is True
    assert proposal.settings.get("stackset_features") == expected
    assert proposal.removals == ()


def test_a_stackset_of_others_gets_the_features_of_the_account():
    proposal = propose(
        found(*lost(CHOSEN).values(), stack_set=stack_set(content=deploys())), Stated()
    )
    assert proposal.settings["use_stackset"] is True
    assert "stackset_features" not in proposal.settings
