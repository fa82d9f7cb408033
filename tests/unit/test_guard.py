"""The guard lets ordinary plans pass and refuses what a registration cannot lose."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import ExitCode, PlanRefused
from orchestrator.terraform import guard
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan

ROLE = "module.octo.module.api_access.aws_iam_role.api_access"


def plan_of(*changes: tuple[str, str, str], undestroyable: tuple[str, ...] = ()) -> Plan:
    return Plan(
        Path("octo.tfplan"),
        tuple(PlannedChange(address, kind, action) for address, kind, action in changes),
        True,
        undestroyable,
    )


def examine(plan: Plan, **settings) -> None:
    guard.judge(plan, **settings).enforce()


@pytest.mark.parametrize("action", ["create", "update", "import", "move", "remove"])
def test_what_keeps_the_role_passes(action):
    examine(plan_of((ROLE, "aws_iam_role", action)))


@pytest.mark.parametrize("action", ["delete", "replace"])
@pytest.mark.parametrize("kind", sorted(guard.PROTECTED))
def test_losing_a_protected_resource_is_refused(kind, action):
    address = f"module.octo.module.part[0].{kind}.it[0]"
    with pytest.raises(PlanRefused) as caught:
        examine(plan_of((address, kind, action)))
    assert caught.value.exit_code is ExitCode.REFUSED
    assert f"{address}: the plan would {action} it" in str(caught.value)
    assert f"--allow-destroy '{address}'" in caught.value.hint


def test_losing_the_role_of_a_feature_is_refused_for_what_it_means():
    address = 'module.octo.module.api_access.aws_iam_role.feature["OctoSSMUpdaterRole"]'
    with pytest.raises(PlanRefused, match="the feature of Octo that needs it would end"):
        examine(plan_of((address, "aws_iam_role", "delete")))
    examine(plan_of((address, "aws_iam_role", "delete")), allow_destroy=[address])


def test_naming_the_address_lets_exactly_it_pass():
    other = "module.octo.module.cur_export[0].aws_iam_role.cur"
    examine(plan_of((ROLE, "aws_iam_role", "delete")), allow_destroy=[ROLE])
    with pytest.raises(PlanRefused) as caught:
        examine(
            plan_of((ROLE, "aws_iam_role", "delete"), (other, "aws_iam_role", "delete")),
            allow_destroy=[ROLE],
        )
    assert other in str(caught.value)
    assert ROLE not in str(caught.value)


def test_an_unprotected_resource_may_be_removed():
    examine(plan_of(("module.octo.aws_iam_role_policy.x", "aws_iam_role_policy", "delete")))


def test_an_action_nobody_knows_is_refused_whatever_it_is_about():
    with pytest.raises(PlanRefused, match="'shuffle' is unknown to octo-tf"):
        examine(plan_of(("module.octo.aws_iam_role_policy.x", "x", "shuffle")))


def test_what_terraform_itself_keeps_is_named():
    address = "module.octo.module.cur_export[0].aws_s3_bucket.cur[0]"
    with pytest.raises(PlanRefused) as caught:
        examine(plan_of(undestroyable=(address,)))
    assert f"{address}: Terraform's prevent_destroy protects it; the billing data" in str(
        caught.value
    )
