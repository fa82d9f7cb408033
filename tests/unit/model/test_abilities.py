"""What policies let a principal do, before and after, is what ``decide`` says."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.policy import Policy, abilities
from orchestrator.model.policy.abilities import Condition, Powers, allowed_by, compare, judge
from orchestrator.model.policy.classification import Access, expand
from orchestrator.model.policy.trust import Admission, compare_trust

OCTO = "131920598436"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def powers(*documents: dict[str, Any], boundary: dict[str, Any] | None = None) -> Powers:
    bounds = None if boundary is None else (Policy(boundary),)
    return Powers(tuple(map(Policy, documents)), bounds)


def trust(principal: Any = OCTO, **condition: Any) -> dict[str, Any]:
    who = {"AWS": principal} if isinstance(principal, str) else principal
    more = {"Condition": condition} if condition else {}
    return policy({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", **more})


UNDER_TAG = {"Condition": {"StringEquals": {"aws:ResourceTag/octo": "execute"}}}


def test_a_new_action_is_gained_with_what_it_does():
    change = compare(
        powers(policy(allow("s3:List*"))), powers(policy(allow(["s3:List*", "s3:PutObject"])))
    )
    assert [a.patterns for a in change.gained] == [("s3:PutObject",)]
    assert change.gained[0].by_access == {Access.WRITE: ("s3:PutObject",)}
    assert not change.lost


def test_an_action_that_a_pattern_allowed_before_is_not_gained():
    change = compare(powers(policy(allow("s3:Get*"))), powers(policy(allow("s3:GetObject"))))
    assert not change.gained
    assert "s3:GetObject" not in change.lost[0].actions


def test_the_same_actions_in_other_words_are_no_change():
    exact = [*expand("ce:Get*")]
    assert not compare(powers(policy(allow("ce:Get*"))), powers(policy(allow(exact))))


def test_an_action_on_more_resources_is_gained_there_only():
    change = compare(
        powers(policy(allow("s3:GetObject", "arn:aws:s3:::b/pre/*"))),
        powers(policy(allow("s3:GetObject", "arn:aws:s3:::b/*"))),
    )
    assert [a.resource for a in change.gained] == ["arn:aws:s3:::b/*"]


def test_a_condition_that_falls_away_frees_the_action():
    change = compare(
        powers(policy(allow("ec2:StopInstances", **UNDER_TAG))),
        powers(policy(allow("ec2:StopInstances"))),
    )
    assert [a.actions for a in change.freed] == [("ec2:StopInstances",)]
    assert not change.gained
    back = compare(
        powers(policy(allow("ec2:StopInstances"))),
        powers(policy(allow("ec2:StopInstances", **UNDER_TAG))),
    )
    assert back.limited[0].conditions == (
        Condition("StringEquals", "aws:ResourceTag/octo", ("execute",)),
    )


def test_what_the_boundary_forbids_is_not_gained():
    change = compare(
        powers(),
        powers(
            policy(allow(["s3:PutObject", "ec2:StopInstances"])), boundary=policy(allow("ec2:*"))
        ),
    )
    assert [a.actions for a in change.gained] == [("ec2:StopInstances",)]
    assert [a.actions for a in change.bounded] == [("s3:PutObject",)]


def test_what_a_deny_forbids_is_not_gained():
    assert not compare(powers(), powers(policy(allow("s3:PutObject"), deny("s3:*"))))


def test_a_pattern_is_named_as_the_policy_writes_it():
    (ability,) = allowed_by(policy(allow("s3:*")))
    assert ability.patterns == ("s3:*",)
    assert len(ability.actions) > 100


KNOWN = ("s3:GetObject", "s3:PutObject", "ec2:StopInstances")
ACTIONS = (*KNOWN, "octo:Invented")
PATTERNS = (*ACTIONS, "s3:*", "s3:Get*", "ec2:Stop*", "*", "octo:*")
RESOURCES = ("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/pre/*", "arn:aws:s3:::c/*")
statement = st.builds(
    lambda effect, actions, resource, more, inverse: {
        "Effect": effect,
        "NotAction" if inverse else "Action": actions,
        "Resource": resource,
        **more,
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
    st.sampled_from(RESOURCES),
    st.sampled_from([{}, {}, UNDER_TAG]),
    st.sampled_from([False, False, False, True]),
)
documents = st.lists(statement, max_size=3).map(lambda found: policy(*found))
some_powers = st.builds(
    lambda document, boundary: powers(document, boundary=boundary),
    documents,
    st.one_of(st.none(), documents),
)


@settings(max_examples=30, deadline=None)
@given(some_powers, some_powers)
def test_every_claim_is_what_the_judge_says(before, after):
    change = compare(before, after)
    said = {
        (action, ability.resource): kind
        for kind in ("gained", "lost", "freed", "limited", "bounded")
        for ability in getattr(change, kind)
        for action in ability.actions
        if action in ACTIONS
    }
    for (action, resource), kind in said.items():
        was, now = (judge(p, action, resource).outcome for p in (before, after))
        assert (was == "denied") == (kind == "gained") or kind == "bounded"
        assert (now == "denied") == (kind in ("lost", "bounded"))
        if kind == "limited":
            assert now == "unknown"


@settings(max_examples=30, deadline=None)
@given(some_powers, some_powers)
def test_what_the_judge_allows_only_afterwards_is_claimed(before, after):
    change = compare(before, after)
    for action in KNOWN:
        for resource in RESOURCES:
            was, now = (judge(p, action, resource).outcome for p in (before, after))
            if was == "denied" and now == "allowed":
                claimed = [a.resource for a in change.gained if action in a.actions]
                assert any(fnmatchcase(resource, pattern) for pattern in claimed)


def test_a_new_principal_is_gained_and_the_external_id_is_never_kept():
    condition = {"StringEquals": {"sts:ExternalId": "planted-secret"}}
    change = compare_trust(trust(**condition), trust("arn:aws:iam::999988887777:root"))
    assert change.gained == (Admission("999988887777"),)
    assert [a.keys for a in change.lost] == [("sts:ExternalId",)]
    assert "planted" not in repr(change)


def test_a_condition_of_trust_that_falls_away_is_weaker():
    condition = {"StringEquals": {"sts:ExternalId": "one-secret"}}
    change = compare_trust(trust(**condition), trust())
    ((was, now),) = change.weakened
    assert (was.keys, now.keys) == (("sts:ExternalId",), ())
    assert not compare_trust(trust(), trust(**condition)).weakened


def test_another_external_id_is_a_change_without_its_values():
    one, other = ({"StringEquals": {"sts:ExternalId": value}} for value in ("one-id", "two-id"))
    change = compare_trust(trust(**one), trust(**other))
    assert change.another_external_id
    assert not change.weakened


@pytest.mark.parametrize("name", [OCTO, f"arn:aws:iam::{OCTO}:root"])
def test_an_account_is_the_same_by_its_id_and_by_its_root(name):
    assert not compare_trust(trust(OCTO), trust(name))


def test_everybody_is_a_principal_of_its_own():
    assert compare_trust(trust(), trust("*")).gained[0].who == "*"


def test_actions_that_many_resources_share_are_named_once(monkeypatch):
    named: list[str] = []
    folded = abilities._folded

    def count(service: str, *others: Any) -> tuple[str, ...]:
        named.append(service)
        return folded(service, *others)

    monkeypatch.setattr(abilities, "_folded", count)
    found = allowed_by(policy(*(allow("*", f"arn:aws:s3:::b{n}/*") for n in range(40))))
    assert len(found) == 40 * len(set(named))
    assert len(named) == len(set(named)) > 100
