"""The evaluation of policies and the sandbox's own agree on generated policies and requests.

They share no code, so a mistake that is in one only is found here; where they differ, AWS's
documentation says which is right.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.policy import Layers, Policy, Principal, Request, decide
from orchestrator.sandbox.policy import AccessRequest, PolicySet, decide_all

ACCOUNT, OTHER = "111111111111", "999999999999"
BILLING = "billingreports.amazonaws.com"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/today"

# Each caller as both evaluations have it.
CALLERS: dict[str, tuple[Principal, dict[str, list[str]]]] = {
    "service": (Principal.service(BILLING), {"Service": [BILLING]}),
    "user": (Principal.aws(USER), {"AWS": [USER, ROOT, ACCOUNT]}),
    "role": (Principal.aws(ROLE), {"AWS": [ROLE, ROOT, ACCOUNT]}),
    "session": (Principal.aws(SESSION), {"AWS": [SESSION, ROLE, ROOT, ACCOUNT]}),
    "root user": (Principal.aws(ROOT), {"AWS": [ROOT, ACCOUNT]}),
}

TEXTS = ("", "a", "A", "ann", "a*", "a?c", "abc", "team/abc", "[a]")
ARNS = (
    "arn:aws:cur:us-east-1:111111111111:definition/curreport",
    "arn:aws:cur:us-east-1:111111111111:definition/*",
    "arn:aws:cur:*:111111111111:definition/*",
    "arn:aws:*",
    "arn:aws:sns:eu-west-1:999999999999:topic:a",
)
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "Text": (
        (
            *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
            *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        ),
        (*TEXTS, "${aws:username}", "team/${aws:username}*", "${aws:userid, 'ann'}", "a${*}"),
        TEXTS,
    ),
    "Arn": (("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), (*ARNS, "no-arn"), ARNS),
    "Bool": (("Bool",), ("true", "false", "True"), ("true", "false")),
    "Number": (
        tuple(
            f"Numeric{name}"
            for name in (
                *("Equals", "NotEquals", "LessThan", "LessThanEquals"),
                *("GreaterThan", "GreaterThanEquals"),
            )
        ),
        ("1", "2.0", "10"),
        ("1", "2", "10", "10.5"),
    ),
    "Date": (
        ("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan"),
        ("2026-01-01T00:00:00Z", "1767225600", "2026-06-30"),
        ("2026-01-01T00:00:00Z", "1767225599", "2026-06-30T23:59:59Z"),
    ),
    "Ip": (
        ("IpAddress", "NotIpAddress"),
        ("10.0.0.0/8", "203.0.113.7", "2001:db8::/32"),
        ("10.1.2.3", "203.0.113.7", "2001:db8::1"),
    ),
}


def one_or_list(values: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    single = [
        st.tuples(
            st.sampled_from(operators),
            st.sampled_from(["", "IfExists"]),
            st.just(f"k:{family}"),
            one_or_list(wanted),
        )
        for family, (operators, wanted, _) in FAMILIES.items()
    ]
    several = st.tuples(
        st.sampled_from(
            [
                f"{quantifier}:{name}"
                for quantifier in ("ForAllValues", "ForAnyValue")
                for name in FAMILIES["Text"][0]
            ]
        ),
        st.sampled_from(["", "IfExists"]),
        st.just("k:Many"),
        one_or_list(FAMILIES["Text"][1]),
    )
    null = st.tuples(
        st.just("Null"),
        st.just(""),
        st.sampled_from(["k:Text", "K:MANY", "k:Bool"]),
        st.sampled_from(["true", "false"]),
    )
    return st.lists(st.one_of(*single, several, null), max_size=2).map(
        lambda found: {f"{name}{suffix}": {key: value} for name, suffix, key, value in found}
    )


def contexts() -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        f"K:{family}": st.sampled_from(values) for family, (_, _, values) in FAMILIES.items()
    }
    optional["k:Many"] = st.lists(st.sampled_from(TEXTS), max_size=3)
    optional["aws:username"] = st.sampled_from(["ann", "a*"])
    return st.fixed_dictionaries({}, optional=optional)


NAMES = {
    "AWS": (USER, ROLE, SESSION, ROOT, ACCOUNT, OTHER, f"arn:aws:iam::{OTHER}:root"),
    "Service": (BILLING, "s3.amazonaws.com"),
}
NAMED = st.fixed_dictionaries({}, optional={k: one_or_list(v) for k, v in NAMES.items()})
ACTIONS = ("s3:GetObject", "S3:getobject", "s3:*", "s3:Get?bject", "s3:PutObject", "*", "kms:*")
RESOURCES = (
    *("*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/ann", "arn:aws:s3:::Bucket/*"),
    *("arn:aws:s3:::bucket/${aws:username}", "arn:aws:s3:::bucket/[a]*"),
)


@st.composite
def statement(draw: st.DrawFn, *, with_principal: bool) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    made: dict[str, Any] = {
        "Effect": effect,
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(one_or_list(ACTIONS)),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(
            one_or_list(RESOURCES)
        ),
    }
    if condition := draw(conditions()):
        made["Condition"] = condition
    if with_principal:
        # "You cannot use NotPrincipal with Allow": it is for Deny alone here.
        is_negated = effect == "Deny" and draw(st.booleans())
        everybody = st.sampled_from(["*", {"AWS": "*"}])
        made["NotPrincipal" if is_negated else "Principal"] = draw(
            NAMED if is_negated else NAMED | everybody
        )
    return made


@st.composite
def documents(draw: st.DrawFn, *, with_principal: bool = False) -> dict[str, Any]:
    found = draw(st.lists(statement(with_principal=with_principal), min_size=1, max_size=3))
    return {
        "Version": draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"])),
        "Statement": found[0] if len(found) == 1 else found,
    }


def agree(
    caller: str,
    request: tuple[str, str, dict[str, Any]],
    *,
    identity: list[dict[str, Any]],
    boundary: list[dict[str, Any]] = (),
    session: list[dict[str, Any]] = (),
    on_resource: dict[str, Any] | None = None,
    scps: list[list[dict[str, Any]]] = (),
    rcps: list[list[dict[str, Any]]] = (),
    same_account: bool = True,
    resource_alone: bool = False,
) -> str:
    """Have both decide, and return the outcome."""
    principal, names = CALLERS[caller]
    has_identity = caller != "service"
    theirs = decide_all(
        PolicySet(
            identity if has_identity else None,
            list(boundary) if has_identity else [],
            on_resource,
            list(session) if has_identity else [],
            list(scps),
            list(rcps),
            resource_alone,
        ),
        AccessRequest(*request, names),
        same_account=same_account,
    )

    def policies(found):
        return [Policy(document) for document in found]

    action, resource, context = request
    ours = decide(
        Request(action, resource, principal, context),
        Layers(
            identity=policies(identity) if has_identity else None,
            boundary=policies(boundary) if has_identity and boundary else None,
            session=policies(session) if has_identity and session else None,
            scps=[policies(level) for level in scps],
            rcps=[policies(level) for level in rcps],
            resource=Policy(on_resource) if on_resource else None,
            same_account=same_account,
            resource_alone=resource_alone,
        ),
    )
    outcome = "allowed" if ours.allowed else "implicitDeny"
    assert theirs == ("explicitDeny" if ours.explicit_deny else outcome)
    return theirs


REQUESTS = st.tuples(
    st.sampled_from(["s3:GetObject", "s3:PutObject"]),
    st.sampled_from(["arn:aws:s3:::bucket/ann", "arn:aws:s3:::bucket/[a]x", "*"]),
    contexts(),
)


@given(request=REQUESTS, document=documents())
def test_both_read_a_policy_the_same(request, document):
    agree("user", request, identity=[document])


@given(
    caller=st.sampled_from(list(CALLERS)),
    request=REQUESTS,
    document=documents(with_principal=True),
)
def test_both_read_a_resources_policy_the_same(caller, request, document):
    agree(caller, request, identity=[], on_resource=document)


def plain(effect: str, action: str = "s3:*", **principal: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": "*", **principal}
    return {"Version": "2012-10-17", "Statement": [statement]}


ALLOW, OTHER_ACTION, DENY = plain("Allow"), plain("Allow", "ec2:*"), plain("Deny")
POLICIES = st.lists(st.sampled_from([ALLOW, ALLOW, OTHER_ACTION, DENY]), max_size=2)
LIMITS = st.lists(st.sampled_from([ALLOW, ALLOW, ALLOW, OTHER_ACTION, DENY]), max_size=1)
LEVEL = st.lists(st.sampled_from([ALLOW, ALLOW, OTHER_ACTION]), min_size=1, max_size=2)
LEVELS = st.lists(LEVEL, max_size=2)
# "Principal: the only value that RCPs support is *".
RCPS = LEVELS.map(
    lambda levels: [
        [plain(s["Effect"], s["Action"], Principal="*") for d in level for s in d["Statement"]]
        for level in levels
    ]
)
ON_RESOURCE = st.builds(
    lambda effect, names: plain(effect, Principal=names),
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
    NAMED | st.sampled_from(["*", {"AWS": "*"}]),
)


@given(
    caller=st.sampled_from(list(CALLERS)),
    identity=POLICIES,
    boundary=LIMITS,
    session=LIMITS,
    on_resource=st.none() | ON_RESOURCE,
    scps=LEVELS,
    rcps=RCPS,
    same_account=st.booleans(),
    resource_alone=st.booleans(),
)
def test_both_combine_policies_the_same(caller, **layers):
    agree(caller, ("s3:GetObject", "arn:aws:s3:::bucket/key", {}), **layers)
