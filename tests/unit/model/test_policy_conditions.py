"""Conditions hold as the tables of the IAM User Guide say, page by page."""

from __future__ import annotations

import pytest

from orchestrator.model.policy import UNKNOWN, AnyOf, Layers, Policy, Principal, Request, decide

ANN = Principal.aws("arn:aws:iam::123456789012:user/ann")


def outcome(condition: dict, keys: dict, *, version: str = "2012-10-17") -> str:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    policy = Policy({"Version": version, "Statement": statement})
    decision = decide(Request("s3:GetObject", "*", ANN, keys), Layers(identity=[policy]))
    return decision.outcome


def holds(condition: dict, keys: dict) -> bool:
    found = outcome(condition, keys)
    assert found != "unknown"
    return found == "allowed"


# reference_policies_elements_condition_operators.html, and its examples
OPERATORS = [
    ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, "iamuser-admin", True),
    ({"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}, "IamUser-Admin", False),
    ({"StringEqualsIgnoreCase": {"aws:username": "johndoe"}}, "JohnDoe", True),
    ({"StringNotEqualsIgnoreCase": {"aws:username": "johndoe"}}, "JohnDoe", False),
    ({"StringNotEquals": {"aws:username": "johndoe"}}, "JohnDoe", True),
    ({"StringLike": {"s3:prefix": ["", "home/", "home/Ann*"]}}, "home/Ann/x", True),
    ({"StringLike": {"s3:prefix": ["home/?"]}}, "home/ab", False),
    ({"StringNotLike": {"s3:prefix": "home/*"}}, "home/x", False),
    ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, "10", True),
    ({"NumericLessThan": {"s3:max-keys": "10"}}, "10", False),
    ({"NumericEquals": {"s3:max-keys": "10"}}, "10.0", True),
    ({"NumericNotEquals": {"s3:max-keys": "10"}}, "10", False),
    ({"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}}, "3601", True),
    ({"NumericGreaterThanEquals": {"aws:MultiFactorAuthAge": "3600"}}, "3599", False),
    ({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}, "1577836802", True),
    ({"DateGreaterThanEquals": {"aws:CurrentTime": "2020-04-01T00:00:00Z"}}, "2020-04-01", True),
    ({"DateLessThan": {"aws:CurrentTime": "2020-04-01"}}, "2020-06-30T23:59:59Z", False),
    ({"DateLessThanEquals": {"aws:CurrentTime": "2020-06-30T23:59:59Z"}}, "2020-06-30", True),
    ({"DateEquals": {"aws:CurrentTime": "2020-06-30"}}, "2020-06-30T00:00:00Z", True),
    ({"DateNotEquals": {"aws:CurrentTime": "2020-06-30"}}, "2020-06-30T00:00:00Z", False),
    ({"Bool": {"aws:SecureTransport": "false"}}, "false", True),
    ({"Bool": {"aws:SecureTransport": False}}, "true", False),
    ({"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}, "QmluYXJ5", False),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "203.0.113.7", True),
    ({"IpAddress": {"aws:SourceIp": "2001:DB8:1234:5678::/64"}}, "203.0.113.7", False),
    ({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}, "2001:db8::1", True),
    ({"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}}, "203.0.113.7", False),
    ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:1:t?"}}, "arn:aws:sns:eu-west-1:1:t2", True),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}, "arn:aws:sns:eu-west-1:1:t2", False),
    ({"ArnLike": {"aws:SourceArn": "arn:aws:cur:*:1:d/*"}}, "arn:aws:cur:x:1:d/a:b", True),
    ({"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:1:*"}}, "arn:aws:sns:x:1:t", False),
    ({"ArnNotEquals": {"aws:SourceArn": "arn:aws:sns:*:1:*"}}, "arn:aws:sns:x:2:t", True),
    ({"Null": {"aws:TokenIssueTime": "true"}}, "2020-01-01", False),
    ({"Null": {"aws:TokenIssueTime": "false"}}, "2020-01-01", True),
]


@pytest.mark.parametrize(("condition", "value", "expected"), OPERATORS)
def test_an_operator_compares_as_its_table_says(condition, value, expected):
    (keys,) = condition.values()
    (key,) = keys
    assert holds(condition, {key.upper(): value}) is expected  # names ignore case


# "If the key that you specify in a policy condition is not present in the request context, the
# values do not match and the condition is false. If the policy condition requires that the key is
# not matched, such as StringNotLike or ArnNotLike, and the right key is not present, the condition
# is true." (reference_policies_elements_condition_operators.html)
@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        *((name, False) for name in ("StringEquals", "StringLike", "ArnLike", "Bool")),
        *((name, False) for name in ("IpAddress", "NumericLessThan", "DateGreaterThan")),
        *((name, True) for name in ("StringNotEquals", "StringNotLike", "ArnNotLike")),
        *((name, True) for name in ("NotIpAddress", "NumericNotEquals", "DateNotEquals")),
        *((f"{name}IfExists", True) for name in ("StringEquals", "ArnLike", "Bool", "IpAddress")),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_key_that_the_request_lacks_is_no_match(operator, expected):
    assert holds({operator: {"aws:SourceIp": "true"}}, {}) is expected


# reference_policies_condition-single-vs-multi-valued-context-keys.html and
# reference_policies_condition-logic-multiple-context-keys-or-values.html
TAGS = "aws:TagKeys"


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "expected"),
    [
        ("ForAllValues:StringEquals", ["environment", "cost-center"], ["environment"], True),
        ("ForAllValues:StringEquals", ["environment"], ["environment", "dept"], False),
        ("ForAllValues:StringEquals", ["environment"], [], True),
        ("ForAllValues:StringEquals", ["environment"], [""], True),
        ("ForAllValues:StringNotEquals", ["secret"], ["environment", "secret"], False),
        ("ForAnyValue:StringEquals", ["environment"], ["environment", "dept"], True),
        ("ForAnyValue:StringEquals", ["environment"], ["dept"], False),
        ("ForAnyValue:StringEquals", ["environment"], [], False),
        ("ForAnyValue:StringNotEquals", ["environment"], ["environment", "dept"], True),
        ("ForAnyValue:StringNotEquals", ["environment"], ["environment"], False),
    ],
)
def test_set_operators_look_at_every_value_of_the_request(operator, wanted, actual, expected):
    assert holds({operator: {TAGS: wanted}}, {TAGS: actual}) is expected


def test_values_are_alternatives_and_negated_ones_must_all_differ():
    assert holds({"StringEquals": {"aws:username": ["ann", "bob"]}}, {"aws:username": "bob"})
    assert not holds({"StringNotEquals": {"aws:username": ["ann", "bob"]}}, {"aws:username": "bob"})


def test_keys_and_operators_must_all_hold():
    condition = {"StringEquals": {"a:k": "v", "a:l": "w"}, "Bool": {"a:m": "true"}}
    assert holds(condition, {"a:k": "v", "a:l": "w", "a:m": "true"})
    assert not holds(condition, {"a:k": "v", "a:l": "w", "a:m": "false"})
    assert not holds(condition, {"a:k": "v", "a:m": "true"})


# reference_policies_variables.html
@pytest.mark.parametrize(
    ("condition", "keys", "expected"),
    [
        ({"StringLike": {"s3:prefix": "${aws:username}/*"}}, {"s3:prefix": "ann/x"}, True),
        ({"StringLike": {"s3:prefix": "${aws:username}/*"}}, {"s3:prefix": "bob/x"}, False),
        ({"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}, {"s3:prefix": "x"}, False),
        (
            {"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team, 'all'}"}},
            {"s3:prefix": "all"},
            True,
        ),
        ({"StringLike": {"s3:prefix": "a${*}b"}}, {"s3:prefix": "a*b"}, True),
        ({"StringLike": {"s3:prefix": "a${*}b"}}, {"s3:prefix": "axb"}, False),
        ({"StringEquals": {"s3:prefix": "${$}{x}"}}, {"s3:prefix": "${x}"}, True),
    ],
)
def test_policy_variables_stand_for_the_requests_values(condition, keys, expected):
    assert holds(condition, {"aws:username": "ann", **keys}) is expected


def test_a_variables_value_brings_no_wildcards():
    condition = {"StringLike": {"s3:prefix": "${aws:username}"}}
    assert not holds(condition, {"aws:username": "*", "s3:prefix": "bob"})


def test_before_version_2012_10_17_a_variable_is_literal_text():
    keys = {"aws:username": "ann", "s3:prefix": "ann"}
    condition = {"StringEquals": {"s3:prefix": "${aws:username}"}}
    assert outcome(condition, keys, version="2008-10-17") == "denied"


@pytest.mark.parametrize(
    ("condition", "keys", "expected"),
    [
        ({"StringEquals": {"aws:SourceIp": "x"}}, {"*": UNKNOWN}, "unknown"),
        ({"StringEqualsIfExists": {"aws:SourceIp": "x"}}, {"*": UNKNOWN}, "unknown"),
        ({"Null": {"aws:SourceIp": "true"}}, {"*": UNKNOWN}, "unknown"),
        ({"StringEquals": {"aws:SourceIp": "x", "a:k": "v"}}, {"*": UNKNOWN, "a:k": "w"}, "denied"),
        ({"StringLike": {"a:k": "${a:l}"}}, {"a:k": "v", "a:l": UNKNOWN}, "unknown"),
        ({"StringNotEquals": {"a:k": "kms"}}, {"a:k": AnyOf((None, "AES256"))}, "allowed"),
        ({"StringEquals": {"a:k": "AES256"}}, {"a:k": AnyOf((None, "AES256"))}, "unknown"),
        (
            {"Null": {"aws:PrincipalTag/a": "true"}},
            {"aws:PrincipalTag/*": None, "*": UNKNOWN},
            "allowed",
        ),
        ({"OperatorOfTomorrow": {"a:k": "v"}}, {"a:k": "v"}, "unknown"),
    ],
)
def test_what_depends_on_an_unknown_key_is_unknown(condition, keys, expected):
    assert outcome(condition, keys) == expected
