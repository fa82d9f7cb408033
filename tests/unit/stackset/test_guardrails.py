"""What an organization's policies deny, and the exemption that ends it: no AWS needed."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import CutOff
from orchestrator.model.control_policies import (
    RESOURCE,
    SERVICE,
    ControlPolicies,
    ControlPolicy,
    Kind,
)
from orchestrator.model.guardrail import Exempted, Phase, exempt
from orchestrator.model.linked_calls import LinkedCalls
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.organization import Member, Organization
from orchestrator.stackset import preflight
from orchestrator.stackset.guardrails import Guardrails, describe, evaluate

PAYER, ONE, TWO = "111111111111", "222222222222", "333333333333"
PARENTS = {"r-1": None, "ou-a": "r-1", "ou-b": "ou-a", "ou-c": "r-1"}
ORGANIZATION = Organization(
    "r-1",
    PARENTS,
    tuple(
        Member(account, account, "ACTIVE", ou)
        for account, ou in ((PAYER, "r-1"), (ONE, "ou-b"), (TWO, "ou-c"))
    ),
    PAYER,
    {},
    "o-abcdefghij",
)
EXECUTION = "arn:aws:iam::*:role/stacksets-exec-*"


def calls(**inputs: Any) -> LinkedCalls:
    return LinkedCalls(Inputs(PAYER, "reports", **inputs), "aws", "us-east-1")


def policies(*attached: tuple[str, dict[str, Any]], kind: Kind = SERVICE) -> ControlPolicies:
    """One policy for each (place, statement); each place keeps AWS's own policy."""
    made = {
        f"p-{n}": ControlPolicy(f"p-{n}", f"policy-{n}", kind, {**VERSION, "Statement": [s]})
        for n, (_, s) in enumerate(attached)
    }
    default = "p-FullAWSAccess" if kind == SERVICE else "p-RCPFullAWSAccess"
    places: dict[tuple[Kind, str], tuple[str, ...]] = {}
    for number, (place, _) in enumerate(attached):
        before = places.get((kind, place), (default,))
        places[kind, place] = (*before, f"p-{number}")
    return ControlPolicies(frozenset({kind}), made, places)


VERSION = {"Version": "2012-10-17"}


def deny(action: str | list[str], **condition: Any) -> dict[str, Any]:
    statement = {"Sid": "No", "Effect": "Deny", "Action": action, "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement


def predicted(found: ControlPolicies, **inputs: Any) -> Guardrails:
    return evaluate(found, ORGANIZATION, calls(**inputs), deployed_to=[ONE, TWO])


def test_a_policy_binds_the_accounts_under_the_place_that_it_is_attached_to():
    (obstacle,) = predicted(policies(("ou-a", deny("iam:CreateRole")))).obstacles
    assert (obstacle.phase, obstacle.certain) == (Phase.DEPLOYMENT, True)
    assert (obstacle.accounts, obstacle.places) == ((ONE,), ("ou-a",))
    assert obstacle.actions == ("iam:CreateRole",)
    assert obstacle.name == "statement No"


def test_a_role_that_the_policy_exempts_is_not_bound():
    exempted = deny("iam:CreateRole", ArnNotLike={"aws:PrincipalARN": [EXECUTION]})
    assert predicted(policies(("r-1", exempted))).obstacles == ()


def test_what_depends_on_a_key_that_is_not_known_may_be_denied():
    tagged = deny("iam:CreateRole", StringNotEquals={"aws:PrincipalTag/team": "platform"})
    (obstacle,) = predicted(policies(("ou-c", tagged))).obstacles
    assert not obstacle.certain
    assert not obstacle.cuts_off
    assert obstacle.keys == ("aws:principaltag/team",)


def test_an_execution_role_that_a_policy_names_may_be_the_accounts_own():
    named = f"arn:aws:iam::{ONE}:role/stacksets-exec-{'ab' * 16}"
    exempted = deny("iam:CreateRole", ArnNotEquals={"aws:PrincipalArn": named})
    found = predicted(policies(("r-1", exempted))).obstacles
    assert {(o.certain, o.accounts) for o in found} == {(False, (ONE,)), (True, (TWO,))}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"}}, True),
        (
            {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ["o-abcdefghij", "o-partner0000"]}},
            False,  # Octo's organization may be the partner's
        ),
        (
            {
                "StringNotEqualsIfExists": {
                    "aws:PrincipalOrgID": "o-abcdefghij",
                    "aws:PrincipalAccount": ["131920598436"],
                }
            },
            None,
        ),
    ],
)
def test_a_perimeter_cuts_octo_off_unless_it_exempts_octos_account(condition, expected):
    statement = {**deny("sts:AssumeRole", **condition), "Principal": "*"}
    found = predicted(policies(("r-1", statement), kind=RESOURCE)).obstacles
    assert [o.certain for o in found] == ([] if expected is None else [expected])
    assert all(o.phase is Phase.ACCESS and o.accounts == (ONE, TWO) for o in found)


def test_a_level_without_an_allow_is_named_with_its_policies():
    listed = {"Effect": "Allow", "Action": ["iam:*", "cloudformation:*"], "Resource": "*"}
    made = policies(("ou-a", listed))
    only = ControlPolicies(made.enabled, made.policies, {(SERVICE, "ou-a"): ("p-0",)})
    (obstacle,) = predicted(only).obstacles
    assert obstacle.phase is Phase.CALLS
    assert "organizations:DescribeOrganization" in obstacle.actions or any(
        a.startswith("organizations:Describe") for a in obstacle.actions
    )
    assert "no Allow in SCP policy-0 (p-0)" in describe(obstacle, obstacle.accounts)
    assert obstacle.exemption["Effect"] == "Allow"


def test_octos_reading_is_limited_where_a_global_service_is_out_of_the_allowed_regions():
    statement = {
        "Sid": "Regions",
        "Effect": "Deny",
        "NotAction": ["iam:*", "cloudformation:*", "sts:*"],
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
    }
    (obstacle,) = predicted(policies(("r-1", statement))).obstacles
    assert obstacle.phase is Phase.CALLS
    assert "ce:GetCostAndUsage" in obstacle.actions  # Cost Explorer is in us-east-1
    assert not any(a.startswith("ec2:") for a in obstacle.actions)
    assert not obstacle.cuts_off


@pytest.mark.parametrize(
    ("condition", "settings", "alternative"),
    [
        (
            {"StringNotEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ONE}:policy/b"}},
            {"permissions_boundary": f"arn:aws:iam::{PAYER}:policy/b"},
            "set permissions_boundary to the boundary that it demands:"
            f" arn:aws:iam::{ONE}:policy/b",
        ),
        (
            {"Null": {"aws:RequestTag/owner": "true"}},
            {"tags": {"owner": "x"}},
            "set tags with owner",
        ),
    ],
)
def test_the_setting_that_a_statement_demands_is_an_alternative(condition, settings, alternative):
    made = policies(("ou-b", deny("iam:CreateRole", **condition)))
    (obstacle,) = predicted(made).obstacles
    assert obstacle.alternatives == (alternative,)
    assert predicted(made, **settings).obstacles == ()


def test_each_chain_of_policies_is_evaluated_once(monkeypatch):
    units = {f"ou-{n}": "r-1" for n in range(40)}
    members = tuple(Member(f"{10**11 + n}", "", "ACTIVE", f"ou-{n % 40}") for n in range(4000))
    large = Organization("r-1", {"r-1": None, **units}, members, PAYER, {}, "o-abcdefghij")
    only_one = deny("iam:*", StringEquals={"aws:PrincipalAccount": members[3].account_id})
    made = policies(("ou-1", deny("iam:CreateRole")), ("r-1", deny("s3:*")), ("ou-3", only_one))
    evaluated = []
    genuine = LinkedCalls.deployment
    monkeypatch.setattr(
        LinkedCalls,
        "deployment",
        lambda self, place: evaluated.append(place.account_id) or genuine(self, place),
    )
    found = evaluate(made, large, calls(), deployed_to=[m.account_id for m in members])
    # Those of ou-1, of ou-3 with and without the account that is named, and all others; each
    # chain lists the deployment's calls twice, for later changes too.
    assert found.chains == 4
    assert len(set(evaluated)) == 4
    assert len(found.cut_off) == 101


EXEMPTED = Exempted("ArnNotLike", "aws:PrincipalArn", (EXECUTION,))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, {"ArnNotLike": {"aws:PrincipalArn": EXECUTION}}),
        (
            {"ArnNotLike": {"aws:PrincipalARN": "arn:aws:iam::*:role/admin"}},
            {"ArnNotLike": {"aws:PrincipalARN": ["arn:aws:iam::*:role/admin", EXECUTION]}},
        ),
        (
            {"StringNotLikeIfExists": {"aws:PrincipalArn": ["arn:aws:iam::*:role/admin"]}},
            {
                "StringNotLikeIfExists": {
                    "aws:PrincipalArn": ["arn:aws:iam::*:role/admin", EXECUTION]
                }
            },
        ),
        (  # a wildcard means nothing to StringNotEquals
            {"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/admin"}},
            {
                "StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/admin"},
                "ArnNotLike": {"aws:PrincipalArn": EXECUTION},
            },
        ),
        (
            {"ArnNotLike": {"aws:SourceArn": "arn:x"}},
            {"ArnNotLike": {"aws:SourceArn": "arn:x", "aws:PrincipalArn": EXECUTION}},
        ),
    ],
)
def test_an_exemption_joins_those_that_the_statement_has(condition, expected):
    assert exempt(deny("iam:*", **condition), EXEMPTED)["Condition"] == expected


def test_an_exemption_leaves_the_statement_as_it_was():
    statement = deny("iam:*", ArnNotLike={"aws:PrincipalArn": ["arn:a"]})
    exempt(statement, EXEMPTED)
    assert statement == deny("iam:*", ArnNotLike={"aws:PrincipalArn": ["arn:a"]})


def test_only_accounts_that_were_never_deployed_to_are_refused():
    found = predicted(policies(("r-1", deny("iam:CreateRole"))))
    preflight.check_guardrails(found, [])
    with pytest.raises(CutOff, match="1 linked account off") as caught:
        preflight.check_guardrails(found, [ONE], excluded=["444444444444"])
    assert caught.value.excluded == ("444444444444", ONE)
    assert f"--stackset-excluded-account {ONE}" in caught.value.hint
    assert TWO not in str(caught.value)


def test_a_later_change_that_is_denied_cuts_nobody_off():
    (obstacle,) = predicted(policies(("ou-b", deny("iam:DeleteRole")))).obstacles
    assert obstacle.phase is Phase.CHANGES
    assert not obstacle.cuts_off


MANY = Organization(
    "r-1",
    PARENTS,
    tuple(Member(a, a, "ACTIVE", "ou-a") for a in map(str, range(10**11, 10**11 + 200))),
    PAYER,
    {},
    "o-abcdefghij",
)


def evaluated(pattern: str) -> Guardrails:
    deny = {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": pattern}
    accounts = [member.account_id for member in MANY.members]
    return evaluate(policies(("r-1", deny)), MANY, calls(), deployed_to=accounts)


def test_a_wildcard_beside_digits_that_are_of_no_account_id_is_evaluated_once():
    assert evaluated("arn:aws:iam::*:role/ops1*").chains == 1


@pytest.mark.parametrize(
    ("pattern", "denied", "most"),
    [
        ("arn:aws:iam::1000000000*:role/*", 100, 3),
        ("arn:aws:iam::*42:role/*", 2, 3),
        ("arn:aws:iam::10000000017?:role/*", 10, 2),
        ("arn:aws:iam::*:role/*", 200, 1),
    ],
)
def test_accounts_are_evaluated_by_how_a_part_of_an_id_fits_theirs(pattern, denied, most):
    found = evaluated(pattern)
    (obstacle,) = [o for o in found.obstacles if o.phase is Phase.DEPLOYMENT]
    assert len(obstacle.accounts) == denied
    assert found.chains <= most


@pytest.mark.parametrize(
    ("action", "keeps"),
    [
        ("iam:DeleteRole", True),
        ("iam:DeleteRolePolicy", True),
        ("cloudformation:DeleteStack", True),
        ("iam:UpdateAssumeRolePolicy", False),
        ("iam:CreateRole", False),
    ],
)
def test_a_policy_that_denies_the_removal_keeps_the_role(action, keeps):
    found = evaluate(
        policies(("ou-b", deny(action))), ORGANIZATION, calls(), deployed_to=[], used=[ONE, TWO]
    )
    assert [o.accounts for o in found.obstacles if o.keeps_role] == ([(ONE,)] if keeps else [])
