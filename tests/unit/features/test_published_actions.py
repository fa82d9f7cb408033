"""Every action of Octo's published module is granted by a feature, or left out for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from orchestrator.model.policy import allowed
from tests.unit.features.test_table import policies

FOLDER = Path(__file__).parent
LEFT_OUT: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(
    (FOLDER / "left_out.yaml").read_text()
)


@dataclass(frozen=True)
class Published:
    """An action pattern: how many IAM actions it stands for; whether all of them list or read."""

    where: str
    pattern: str
    actions: int
    reads: bool


def published() -> list[Published]:
    lines = (FOLDER / "published_actions.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return [
        Published(where, pattern, int(actions), not any(levels[2:]))
        for where, pattern, actions, *levels in rows
    ]


GRANTED = sorted({action for _, _, policy in policies() for action in allowed(policy)})


def granted(one: Published) -> bool:
    """Whether all that the pattern stands for is granted, by some feature."""
    pattern = one.pattern.lower()
    if any(fnmatchcase(pattern, wider.lower()) for wider in GRANTED):
        return True
    count = sum(fnmatchcase(action.lower(), pattern) for action in GRANTED)
    return 0 < one.actions <= count


def reasons(one: Published) -> list[str]:
    service = one.pattern.partition(":")[0]
    return [
        name
        for name, reason in LEFT_OUT.items()
        if one.pattern in reason.get("patterns", ())
        or (one.reads and service in reason.get("services", ()))
    ]


def test_every_pattern_is_granted_or_left_out_for_a_reason(record_property):
    every = published()
    assert len(every) == 412
    unclassified = [o.pattern for o in every if not granted(o) and not reasons(o)]
    assert unclassified == []
    given = sum(map(granted, every))
    rest = len(every) - given
    count = f"{len(every)} patterns: {given} granted in full by features, {rest} in part or not"
    record_property("published_actions", count)
    print(count)


def test_nothing_is_left_out_that_is_granted():
    assert [o.pattern for o in published() if granted(o) and reasons(o)] == []


def test_every_reason_is_about_a_published_pattern_and_says_what_is_lost():
    patterns = {one.pattern for one in published()}
    services = {pattern.partition(":")[0] for pattern in patterns}
    for name, reason in LEFT_OUT.items():
        assert reason["why"].endswith("."), name
        assert reason["lost"].endswith("."), name
        assert {*reason.get("patterns", ())} <= patterns, name
        assert {*reason.get("services", ())} <= services, name


@pytest.mark.parametrize(
    "action",
    [
        *("cur:DescribeReportDefinitions", "ce:GetSavingsPlansPurchaseRecommendation"),
        *("ce:GetReservationPurchaseRecommendation", "cloudwatch:GetMetricData"),
        *("rds:DescribeReservedDBInstances", "redshift:DescribeReservedNodes"),
        *("elasticache:DescribeReservedCacheNodes", "organizations:ListAccounts"),
        *("iam:ListRoles", "cloudformation:DescribeStacks", "billingconductor:ListPricingPlans"),
        *("es:DescribeReservedElasticsearchInstances", "budgets:DescribeBudgetAction"),
        *(
            "savingsplans:DescribeSavingsPlans",
            "iam:GetRolePolicy",
            "ec2:DescribeReservedInstances",
        ),
    ],
)
def test_cost_has_each_subject_that_octos_description_of_its_role_names(action: str):
    """Source: Octo's pages about its two templates, "Capabilities" and "Attached policy"."""
    own = {f"octo-{name}" for name in ("cost", "cur-read", "cur-billing")}
    patterns = [p for _, name, policy in policies() if name in own for p in allowed(policy)]
    assert any(fnmatchcase(action, pattern) for pattern in patterns)
