"""The policy evaluator says what AWS says, for the language that this flow uses."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.policy import AccessRequest, decide, like, parse_policy

READ = AccessRequest("s3:GetObject", "arn:aws:s3:::bucket/key")


def allow(**parts) -> dict:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **parts}


def decision(
    *statements: dict, question: AccessRequest = READ, resource_policy: bool = False
) -> str:
    return decide([{"Statement": list(statements)}], question, resource_policy=resource_policy)


def test_nothing_said_is_an_implicit_deny():
    assert decide([], READ) == "implicitDeny"


def test_an_allow_allows():
    assert decision(allow()) == "allowed"


def test_an_explicit_deny_wins_over_every_allow():
    assert decision(allow(), allow(Effect="Deny"), allow()) == "explicitDeny"


def test_a_statement_may_stand_alone_without_a_list():
    assert decide([{"Statement": allow()}], READ) == "allowed"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:*", "allowed"),
        ("S3:getobject", "allowed"),
        ("s3:Get?bject", "allowed"),
        (["iam:*", "s3:Get*"], "allowed"),
        ("*", "allowed"),
        ("s3:GetObjectAcl", "implicitDeny"),
        ("s3:Put*", "implicitDeny"),
    ],
)
def test_actions_match_with_wildcards_and_without_case(action, expected):
    assert decision(allow(Action=action)) == expected


def test_not_action_matches_everything_else():
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert decision(statement) == "allowed"
    assert decision({**statement, "NotAction": "s3:*"}) == "implicitDeny"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("arn:aws:s3:::bucket/*", "allowed"),
        ("arn:aws:s3:::bucket/ke?", "allowed"),
        ("arn:aws:s3:::bucket", "implicitDeny"),
        ("arn:aws:s3:::BUCKET/*", "implicitDeny"),
        ("arn:aws:s3:::bucket/[k]ey", "implicitDeny"),
    ],
)
def test_resources_match_with_wildcards_and_with_case(resource, expected):
    assert decision(allow(Resource=resource)) == expected


def test_a_resource_that_was_not_meant_matches_only_a_wildcard():
    question = AccessRequest("s3:GetObject", "*")
    assert decision(allow(Resource="arn:aws:s3:::bucket/*"), question=question) == "implicitDeny"


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"a:k": "v"}}, {"a:k": "v"}, True),
        ({"StringEquals": {"A:K": "v"}}, {"a:k": "v"}, True),
        ({"StringEquals": {"a:k": ["x", "v"]}}, {"a:k": "v"}, True),
        ({"StringEquals": {"a:k": "v"}}, {"a:k": "V"}, False),
        ({"StringEquals": {"a:k": "v"}}, {}, False),
        ({"StringEqualsIfExists": {"a:k": "v"}}, {}, True),
        ({"StringNotEquals": {"a:k": "v"}}, {}, True),
        ({"StringNotEquals": {"a:k": ["v", "w"]}}, {"a:k": "w"}, False),
        ({"StringLike": {"a:k": "v*"}}, {"a:k": "value"}, True),
        ({"StringEqualsIgnoreCase": {"a:k": "v"}}, {"a:k": "V"}, True),
        (
            {"ArnLike": {"a:k": "arn:aws:cur:*:1:definition/*"}},
            {"a:k": "arn:aws:cur:x:1:definition/r"},
            True,
        ),
        ({"ArnLike": {"a:k": "arn:aws:*"}}, {"a:k": "arn:aws:cur:x:1:definition/r"}, False),
        ({"Bool": {"a:k": "false"}}, {"a:k": "true"}, False),
        ({"Bool": {"a:k": False}}, {"a:k": "false"}, True),
        ({"Null": {"a:k": "true"}}, {}, True),
        ({"Null": {"a:k": "false"}}, {}, False),
        ({"IpAddress": {"a:k": "10.0.0.0/8"}}, {"a:k": "10.1.2.3"}, True),
        ({"NotIpAddress": {"a:k": "10.0.0.0/8"}}, {"a:k": "10.1.2.3"}, False),
        ({"NumericLessThan": {"a:k": "5"}}, {"a:k": "4"}, True),
        ({"NumericLessThan": {"a:k": "5"}}, {"a:k": "x"}, False),
        ({"DateLessThan": {"a:k": "2026-01-01T00:00:00Z"}}, {"a:k": "2025-01-01T00:00:00Z"}, True),
        ({"StringEquals": {"a:k": "v", "a:l": "w"}}, {"a:k": "v"}, False),
        ({"SomethingNew": {"a:k": "v"}}, {"a:k": "v"}, False),
        ({"ForAnyValue:StringEquals": {"a:k": "v"}}, {"a:k": "v"}, True),
        ({"ForAllValues:StringEquals": {"a:k": "v"}}, {}, True),
    ],
)
def test_conditions(condition, context, holds):
    question = AccessRequest(READ.action, READ.resource, context)
    expected = "allowed" if holds else "implicitDeny"
    assert decision(allow(Condition=condition), question=question) == expected


OCTO = {
    "AWS": ["arn:aws:iam::131920598436:user/x", "arn:aws:iam::131920598436:root", "131920598436"]
}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", "allowed"),
        ({"AWS": "*"}, "allowed"),
        ({"AWS": "131920598436"}, "allowed"),
        ({"AWS": ["1", "arn:aws:iam::131920598436:root"]}, "allowed"),
        ({"AWS": "arn:aws:iam::131920598436:user/x"}, "allowed"),
        ({"AWS": "arn:aws:iam::131920598436:user/y"}, "implicitDeny"),
        ({"AWS": "111111111111"}, "implicitDeny"),
        ({"Service": "billingreports.amazonaws.com"}, "implicitDeny"),
        ({}, "implicitDeny"),
    ],
)
def test_a_resource_policy_names_who_may(principal, expected):
    question = AccessRequest(READ.action, READ.resource, principals=OCTO)
    assert decision(allow(Principal=principal), question=question, resource_policy=True) == expected


def test_not_principal_is_everybody_else():
    question = AccessRequest(READ.action, READ.resource, principals=OCTO)
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    theirs = {**statement, "NotPrincipal": {"AWS": OCTO["AWS"][:2]}}
    others = {**statement, "NotPrincipal": {"AWS": "111111111111"}}
    # "all principals except the user named Bob": the account alone excepts none of its users.
    alone = {**statement, "NotPrincipal": {"AWS": "131920598436"}}
    assert decision(theirs, question=question, resource_policy=True) == "implicitDeny"
    assert decision(others, question=question, resource_policy=True) == "explicitDeny"
    assert decision(alone, question=question, resource_policy=True) == "explicitDeny"


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '"Statement"'])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(ValueError):
        parse_policy(text)


def test_brackets_mean_themselves():
    assert like("a[b]*", "a[b]c")
    assert not like("a[b]*", "abc")
