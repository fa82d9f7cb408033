"""What policies let a principal do, before and after, is what ``decide`` says."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.policy import Policy, abilities
from orchestrator.model.policy.abilities import Comparison, Powers, allowed_by, compare
from orchestrator.model.policy.classification import Access, expand
from orchestrator.model.policy.globs import members
from orchestrator.model.policy.terms import Condition, Terms
from orchestrator.model.policy.trust import Admission, compare_trust
from orchestrator.sandbox import AccessRequest, PolicySet, decide_all

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
    tagged = Condition("StringEquals", "aws:ResourceTag/octo", ("execute",))
    assert back.limited[0].terms == Terms(((tagged,),))


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
PATTERNS = (*["s3:PutObject"] * 4, *ACTIONS, "s3:Put*", "octo:*")
S3 = "arn:aws:s3:::"
RESOURCES = ("*", *(S3 + r for r in ("b/*", "b/pre/*", "c/*", "a*", "*b/*", "?/*", "b/pre/x")))
CONCRETE = tuple(S3 + r for r in ("b/x", "b/pre/x", "c/x", "a/b/x", "ab/x", "dd/x", "a"))
LINES = (
    *(("StringEquals", "k", v) for v in ("x", "y", ["x", "y"])),
    *((op, "k", "x") for op in ("StringNotEquals", "StringEqualsIfExists", "StringLike")),
    *(("StringLike", "k", v) for v in ("x*", "*y", "?")),
    *(("StringNotLike", "k", v) for v in ("x*", ["x*", "y"])),
    *((f"{many}:StringEquals", "k", ["x"]) for many in ("ForAnyValue", "ForAllValues")),
    *(("IpAddress", "ip", v) for v in ("10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0")),
    *(("NotIpAddress", "ip", v) for v in ("10.0.0.0/8", "10.1.0.0/16")),
    *((f"NumericLessThan{op}", "n", v) for op in ("", "Equals") for v in ("5", "6")),
    ("NumericEquals", "n", "5"),
    *(("Null", "k", v) for v in ("true", "false")),
)
VALUES = {
    "k": (None, "x", "y", "xy", ("x", "y")),
    "ip": ("10.1.2.3", "10.2.0.1", "192.0.2.1"),
    "n": (None, "4", "5", "5.5", "6"),
}
keys = st.fixed_dictionaries({key: st.sampled_from(found) for key, found in VALUES.items()})


def condition(lines: list[tuple[str, str, Any]]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for operator, key, value in lines:
        found.setdefault(operator, {})[key] = value
    return {"Condition": found} if found else {}


def a_statement(*lines: tuple[str, str, Any]) -> Any:
    return st.builds(
        lambda effect, actions, resources, more, no_action, no_resource: {
            "Effect": effect,
            "NotAction" if no_action else "Action": actions,
            "NotResource" if no_resource else "Resource": resources,
            **condition(more),
        },
        st.sampled_from(["Allow", "Allow", "Deny"]),
        st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2),
        st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2),
        st.one_of(st.just([]), *[st.lists(st.sampled_from(lines), max_size=n) for n in (1, 1, 2)]),
        st.sampled_from([*[False] * 9, True]),
        st.sampled_from([False, False, True]),
    )


def some_powers(*lines: tuple[str, str, Any]) -> Any:
    documents = st.lists(a_statement(*lines), max_size=3).map(lambda found: policy(*found))
    return st.builds(
        lambda document, boundary: powers(document, boundary=boundary),
        documents,
        st.one_of(st.none(), documents),
    )


def with_condition(statement: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in statement.items() if key != "Condition"}
    return {**kept, **{key: value for key, value in other.items() if key == "Condition"}}


def with_resource(statement: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in statement.items() if "Resource" not in key}
    return {**kept, **{key: value for key, value in other.items() if "Resource" in key}}


def before_and_after() -> Any:
    """Two sides that differ by a statement, its condition or its resources."""
    found = a_statement(*LINES)
    shared = st.lists(found, max_size=1)
    differing = st.builds(
        lambda one, other, change: change(one, other),
        *(found, found),
        st.sampled_from(
            [
                lambda one, other: ([one], [other]),
                lambda one, _: ([one], []),
                lambda one, _: ([], [one]),
                *[lambda one, other: ([one], [with_condition(one, other)])] * 4,
                *[lambda one, other: ([one], [with_resource(one, other)])] * 3,
            ]
        ),
    )
    bounds = st.one_of(st.none(), st.none(), st.lists(found, min_size=1, max_size=2))
    return st.builds(
        lambda common, differ, bound: [
            powers(policy(*common, *own), boundary=bound and policy(*bound)) for own in differ
        ],
        *(shared, differing, bounds),
    )


def allows(found: Powers, action: str, resource: str, values: dict[str, Any]) -> bool:
    """What the sandbox's own evaluation, which shares no code with this one, says of a request."""
    context = {k: [*v] if isinstance(v, tuple) else v for k, v in values.items() if v is not None}
    sides = PolicySet(
        [p.document for p in found.policies], [p.document for p in found.boundary or ()]
    )
    request = AccessRequest(action, resource, context)
    return decide_all(sides, request, same_account=True) == "allowed"


def claims(change: Comparison, action: str, resource: str) -> set[str]:
    return {
        kind
        for kind in ("gained", "lost", "freed", "limited", "bounded")
        for ability in getattr(change, kind)
        if action in ability.actions and fnmatchcase(resource, ability.resource)
        if not any(fnmatchcase(resource, place) for place in ability.excepts)
    }


@settings(max_examples=200, deadline=None)
@given(before_and_after(), st.lists(keys, min_size=8, max_size=8))
def test_every_request_that_is_decided_otherwise_afterwards_is_claimed(sides, some):
    before, after = sides
    change = compare(before, after)
    for action, resource, values in product(KNOWN[:2], CONCRETE, some):
        was, now = (allows(side, action, resource, values) for side in (before, after))
        if now and not was:
            assert claims(change, action, resource) & {"gained", "freed"}
        if was and not now:
            assert claims(change, action, resource) & {"lost", "limited", "freed"}


@settings(max_examples=200, deadline=None)
@given(before_and_after(), st.lists(keys, min_size=8, max_size=8))
def test_every_claim_holds_for_all_requests(sides, some):
    before, after = sides
    change = compare(before, after)
    said = [
        (kind, action, members(ability.resource)[-1])  # what no narrower pattern means
        for kind in ("gained", "lost", "limited", "bounded")
        for ability in getattr(change, kind)
        for action in {*ability.actions} & {*ACTIONS}
    ]
    for (kind, action, resource), values in product(said, some):
        was, now = (allows(side, action, resource, values) for side in (before, after))
        assert not was or kind not in ("gained", "bounded")
        assert not now or kind not in ("lost", "bounded")
        assert was or not now or kind != "limited"


@settings(max_examples=100, deadline=None)
@given(some_powers(LINES[0], LINES[1]), st.permutations([0, 1, 2]))
def test_the_same_statements_in_another_order_are_no_difference(found, order):
    (given_policy,) = found.policies
    shuffled = [s for n in order for s in given_policy.document["Statement"][n : n + 1]]
    assert not compare(
        found,
        powers(
            policy(*shuffled),
            boundary=None if found.boundary is None else found.boundary[0].document,
        ),
    )


def test_an_action_that_no_table_has_is_compared_where_only_a_deny_or_an_exception_names_it():
    everything = policy(allow("*"))
    for less in (
        policy(allow("*"), deny("octo:Invented")),
        policy({"Effect": "Allow", "NotAction": "octo:Invented", "Resource": "*"}),
    ):
        change = compare(powers(less), powers(everything))
        assert [a.actions for a in change.gained] == [("octo:Invented",)]


def with_boundary(*lines: tuple[str, str, Any], action: str = "ec2:StopInstances") -> Powers:
    return powers(policy(allow(action, **condition([*lines]))), boundary=policy(allow(action)))


def test_a_boundary_hides_no_condition_of_the_policies():
    team_a, team_b = (("StringEquals", "aws:ResourceTag/team", value) for value in "ab")
    (freed,) = compare(with_boundary(team_a), with_boundary(team_b)).freed
    assert freed.terms.any_of == ((Condition("StringEquals", "aws:ResourceTag/team", ("b",)),),)
    (gained,) = compare(powers(), with_boundary(team_a)).gained
    assert [line.values for line in gained.terms.lines] == [("a",)]


PUT = "s3:PutObject"
NETWORK, PERSON = ("IpAddress", "aws:SourceIp", "10.0.0.0/8"), ("StringEquals", "k", "y")


def test_a_second_way_of_being_allowed_is_weaker():
    one = allow(PUT, **condition([NETWORK]))
    other = allow(PUT, **condition([PERSON]))
    (freed,) = compare(powers(policy(one)), powers(policy(one, other))).freed
    assert len(freed.terms.any_of) == 2
    assert compare(powers(policy(one, other)), powers(policy(one))).limited


@pytest.mark.parametrize("more", [[PERSON, NETWORK], []])
def test_a_deny_that_applies_more_rarely_is_weaker(more):
    before = powers(policy(allow(PUT), deny(PUT, **condition([NETWORK]))))
    after = [allow(PUT), deny(PUT, **condition(more))] if more else [allow(PUT)]
    assert [a.actions for a in compare(before, powers(policy(*after))).freed] == [(PUT,)]
    assert compare(powers(policy(*after)), before).limited


WEAKER = (
    (("StringLike", "k", "abc*"), ("StringLike", "k", "*")),
    (("StringEquals", "k", "x"), ("StringEquals", "k", ["x", "y"])),
    (("StringEquals", "k", "x"), ("StringEqualsIfExists", "k", "x")),
    (("StringNotLike", "k", "x*"), ("StringNotEquals", "k", "xy")),
    (NETWORK, ("IpAddress", "aws:SourceIp", "0.0.0.0/0")),
    (("NumericLessThan", "n", "5"), ("NumericLessThanEquals", "n", "5")),
    (("DateLessThan", "d", "2026-01-01T00:00:00Z"), ("DateLessThan", "d", "2027-01-01T00:00:00Z")),
    (("ArnEquals", "a", "arn:aws:s3:::b"), ("ArnLike", "a", "arn:aws:s3:::*")),
)


@pytest.mark.parametrize(("stricter", "weaker"), WEAKER)
def test_a_wider_value_or_operator_is_weaker_and_a_narrower_one_is_not(stricter, weaker):
    sides = [powers(policy(allow(PUT, **condition([line])))) for line in (stricter, weaker)]
    assert compare(*sides).freed
    assert not compare(*sides).limited
    assert compare(*reversed(sides)).limited
    assert not compare(*reversed(sides)).freed


def test_what_is_allowed_elsewhere_is_compared_by_the_exceptions():
    sides = [
        policy({"Effect": "Allow", "Action": PUT, "NotResource": f"{S3}{name}/*"}) for name in "ab"
    ]
    change = compare(*map(powers, sides))
    assert [a.resource for a in change.gained] == [f"{S3}a/*"]
    assert [a.resource for a in change.lost] == [f"{S3}b/*"]


def test_a_deny_on_resources_that_overlap_is_seen_when_it_goes():
    before = powers(policy(allow(PUT, f"{S3}a*"), deny(PUT, f"{S3}*b/*")))
    change = compare(before, powers(policy(allow(PUT, f"{S3}a*"))))
    assert [a.resource for a in change.gained] == [f"{S3}a*b/*"]


def test_patterns_that_overlap_in_two_ways_are_compared_in_both():
    before = powers(policy(allow(PUT, f"{S3}*b/*"), deny(PUT, f"{S3}?/*")))
    change = compare(before, powers(policy(allow(PUT, f"{S3}*b/*"))))
    assert {a.resource for a in change.gained} == {f"{S3}b/*", f"{S3}?/*b/*"}


def test_what_stays_is_excepted_from_what_is_lost():
    but = {"Effect": "Deny", "Action": PUT, "NotResource": f"{S3}a/*"}
    (lost,) = compare(powers(policy(allow(PUT))), powers(policy(allow(PUT), but))).lost
    assert (lost.resource, lost.excepts) == ("*", (f"{S3}a/*",))


@pytest.mark.parametrize(
    ("before", "after", "weaker"),
    [
        (trust(StringLike={"sts:ExternalId": "id"}), trust(StringLike={"sts:ExternalId": "*"}), 1),
        (
            trust(StringEquals={"sts:ExternalId": "id"}),
            trust(StringLike={"sts:ExternalId": "id"}),
            0,
        ),
        (
            trust(StringEquals={"sts:ExternalId": "id"}),
            policy(
                *trust(StringEquals={"sts:ExternalId": "id"})["Statement"],
                *trust(StringEquals={"aws:PrincipalOrgID": "o-1"})["Statement"],
            ),
            1,
        ),
    ],
)
def test_trust_is_weaker_by_a_wider_value_or_by_another_way_in(before, after, weaker):
    assert len(compare_trust(before, after).weakened) == weaker


def test_what_a_session_may_be_given_besides_is_of_the_trust():
    more = trust()
    more["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    assert compare_trust(trust(), more).gained == (Admission(OCTO, action="sts:TagSession"),)


def test_a_role_that_is_not_denied_any_more_is_a_new_principal():
    role = f"arn:aws:iam::{OCTO}:role/x"
    denied = {**trust(role)["Statement"][0], "Effect": "Deny"}
    before = policy(*trust()["Statement"], denied)
    assert compare_trust(before, trust()).gained == (Admission(role),)


def test_a_new_principal_is_gained_and_the_external_id_is_never_kept():
    condition = {"StringEquals": {"sts:ExternalId": "planted-secret"}}
    change = compare_trust(trust(**condition), trust("arn:aws:iam::999988887777:root"))
    assert change.gained == (Admission("999988887777"),)
    assert [{*a.terms.keys} for a in change.lost] == [{"sts:ExternalId"}]
    assert "planted" not in repr(change)


def test_a_condition_of_trust_that_falls_away_is_weaker():
    condition = {"StringEquals": {"sts:ExternalId": "one-secret"}}
    change = compare_trust(trust(**condition), trust())
    ((was, now),) = change.weakened
    assert ({*was.terms.keys}, {*now.terms.keys}) == ({"sts:ExternalId"}, set())
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
