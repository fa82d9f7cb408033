"""Requests are decided as the IAM User Guide's pages on policy evaluation say."""

from __future__ import annotations

import pytest

from orchestrator.model.policy import (
    UNKNOWN,
    Layers,
    Policy,
    Principal,
    Request,
    decide,
)

ACCOUNT = "123456789012"
ARN = "arn:aws:s3:::bucket/key"
USER = Principal.aws(f"arn:aws:iam::{ACCOUNT}:user/ann")
ROLE = Principal.aws(f"arn:aws:iam::{ACCOUNT}:role/reader")
SESSION = Principal.aws(f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/today")
SERVICE = Principal.service("billingreports.amazonaws.com")


def policy(*statements: dict, name: str = "") -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": list(statements)}, name)


def statement(effect: str = "Allow", **parts) -> dict:
    action = {} if "NotAction" in parts else {"Action": "s3:*"}
    resource = {} if "NotResource" in parts else {"Resource": "*"}
    return {"Effect": effect, **action, **resource, **parts}


def request(principal: Principal = USER, **keys) -> Request:
    return Request("s3:GetObject", ARN, principal, keys)


ALLOW, DENY, SILENT = policy(statement()), policy(statement("Deny")), policy()
FULL_ACCESS = policy(statement(Principal="*"))  # as RCPFullAWSAccess
NO_ACCESS = policy(statement("Deny", Principal="*"))
OTHER = policy(statement(Action="ec2:*"))


def for_principal(principal) -> Policy:
    return policy(statement(Principal=principal), name="the bucket's policy")


# reference_policies_evaluation-logic_policy-eval-denyallow.html
@pytest.mark.parametrize(
    ("layers", "outcome"),
    [
        (Layers(identity=[]), "denied"),
        (Layers(identity=[ALLOW]), "allowed"),
        (Layers(identity=[ALLOW, DENY]), "denied"),
        (Layers(identity=[ALLOW], scps=[[ALLOW], [ALLOW]]), "allowed"),
        (Layers(identity=[ALLOW], scps=[[ALLOW], [OTHER]]), "denied"),
        (Layers(identity=[ALLOW], scps=[[ALLOW, DENY]]), "denied"),
        (Layers(identity=[SILENT], scps=[[ALLOW]]), "denied"),
        (Layers(identity=[ALLOW], rcps=[[FULL_ACCESS], [FULL_ACCESS]]), "allowed"),
        (Layers(identity=[ALLOW], rcps=[[FULL_ACCESS], [NO_ACCESS]]), "denied"),
        (Layers(identity=[ALLOW], boundary=[ALLOW]), "allowed"),
        (Layers(identity=[ALLOW], boundary=[OTHER]), "denied"),
        (Layers(identity=[SILENT], boundary=[ALLOW]), "denied"),
        (Layers(identity=[ALLOW], session=[OTHER]), "denied"),
        (Layers(identity=[ALLOW], resource=policy(statement("Deny", Principal="*"))), "denied"),
    ],
)
def test_every_layer_must_allow_and_an_explicit_deny_wins(layers, outcome):
    assert decide(request(), layers).outcome == outcome


# reference_policies_evaluation-logic_policy-eval-basics-single-account (the table "Resource-based
# policies": what an Allow for each kind of principal bypasses)
@pytest.mark.parametrize(
    ("principal", "named", "identity", "boundary", "outcome"),
    [
        (USER, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, [], None, "allowed"),
        (USER, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, [], [OTHER], "allowed"),
        (USER, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}, [], None, "denied"),
        (USER, {"AWS": ACCOUNT}, [], None, "denied"),
        (USER, {"AWS": ACCOUNT}, [ALLOW], None, "allowed"),
        (SESSION, {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}, [], None, "allowed"),
        (SESSION, {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}, [], [OTHER], "denied"),
        (
            SESSION,
            {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/today"},
            [],
            [OTHER],
            "allowed",
        ),
        (ROLE, {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}, [], [OTHER], "denied"),
        (USER, "*", [], None, "allowed"),
        (USER, {"Service": "s3.amazonaws.com"}, [], None, "denied"),
    ],
)
def test_within_an_account_the_resources_policy_may_allow_alone(
    principal, named, identity, boundary, outcome
):
    layers = Layers(identity=identity, boundary=boundary, resource=for_principal(named))
    assert decide(request(principal), layers).outcome == outcome


# reference_policies_evaluation-logic-cross-account.html
@pytest.mark.parametrize(
    ("identity", "named", "outcome"),
    [
        ([ALLOW], {"AWS": ACCOUNT}, "allowed"),
        ([ALLOW], {"AWS": "999999999999"}, "denied"),
        ([], {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, "denied"),
    ],
)
def test_across_accounts_both_sides_must_allow(identity, named, outcome):
    layers = Layers(identity=identity, resource=for_principal(named), same_account=False)
    assert decide(request(), layers).outcome == outcome


# KMS Developer Guide, key-policies.html: "the key policy must allow, or let IAM policies do so"
@pytest.mark.parametrize(
    ("identity", "named", "outcome"),
    [
        ([ALLOW], {"AWS": ACCOUNT}, "allowed"),
        ([], {"AWS": ACCOUNT}, "denied"),
        ([], {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}, "allowed"),
        ([ALLOW], {"AWS": "999999999999"}, "denied"),
    ],
)
def test_a_key_policy_must_allow_or_leave_it_to_the_accounts_policies(identity, named, outcome):
    layers = Layers(identity=identity, resource=for_principal(named), resource_alone=True)
    assert decide(request(ROLE), layers).outcome == outcome


# reference_policies_elements_principal.html, reference_policies_elements_notprincipal.html
@pytest.mark.parametrize(
    ("principal", "element", "applies"),
    [
        (SERVICE, {"Principal": "*"}, True),
        (SERVICE, {"Principal": {"AWS": "*"}}, True),  # "are equivalent"
        (SERVICE, {"Principal": {"Service": "billingreports.amazonaws.com"}}, True),
        (SERVICE, {"Principal": {"Service": "s3.amazonaws.com"}}, False),
        (SERVICE, {"NotPrincipal": {"AWS": ACCOUNT}}, True),
        (SERVICE, {"NotPrincipal": {"Service": ["billingreports.amazonaws.com"]}}, False),
        (USER, {"NotPrincipal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT]}}, False),
        # "you must also specify the account ARN of the not-denied principal"
        (USER, {"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}}, True),
        (USER, {"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, True),
        (USER, {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, True),
        (Principal.anonymous(), {"Principal": {"AWS": "*"}}, True),
        (Principal.anonymous(), {"Principal": {"AWS": ACCOUNT}}, False),
    ],
)
def test_a_deny_is_for_whom_its_principal_means(principal, element, applies):
    resource = policy(statement("Deny", **element), statement(Principal="*"))
    assert decide(request(principal), Layers(resource=resource)).explicit_deny is applies


# reference_policies_elements_action.html, ..._notaction.html, ..._resource.html, ..._notresource
@pytest.mark.parametrize(
    ("parts", "applies"),
    [
        ({"Action": "S3:getobject"}, True),
        ({"Action": ["iam:*", "s3:Get?bject"]}, True),
        ({"Action": "s3:GetObjectAcl"}, False),
        ({"NotAction": "iam:*"}, True),
        ({"NotAction": "s3:Get*"}, False),
        ({"Resource": "arn:aws:s3:::bucket/*"}, True),
        ({"Resource": "arn:aws:s3:::BUCKET/*"}, False),
        ({"Resource": "arn:aws:s3:::bucket/[k]ey"}, False),
        ({"Resource": "arn:aws:s3:::bucket/${aws:username}"}, False),
        ({"NotResource": ["arn:aws:s3:::other/*"]}, True),
        ({"NotResource": "arn:aws:s3:::bucket/*"}, False),
    ],
)
def test_actions_and_resources_match_with_wildcards(parts, applies):
    decision = decide(request(), Layers(identity=[policy(statement(**parts))]))
    assert decision.allowed is applies


def test_the_answer_names_the_statement_by_sid_or_number_and_its_layer():
    deny = policy(
        statement(Principal="*"),
        statement("Deny", Principal="*", Sid="OnlyUs"),
        name="the policy of bucket",
    )
    decision = decide(request(), Layers(identity=[ALLOW], resource=deny))
    assert (str(decision.statement), decision.layer) == (
        "statement OnlyUs of the policy of bucket",
        "resource",
    )
    allowed = decide(request(), Layers(identity=[SILENT, ALLOW]))
    assert (str(allowed.statement), allowed.layer) == ("statement number 1", "identity")


def test_an_implicit_deny_names_the_layer_that_allows_nothing():
    def layer(**layers) -> str:
        return decide(request(), Layers(**layers)).layer

    assert layer(identity=[ALLOW], scps=[[OTHER]]) == "scp"
    assert layer(identity=[ALLOW], boundary=[OTHER]) == "boundary"
    assert layer(identity=[SILENT]) == "identity"
    assert layer(identity=[ALLOW], resource=SILENT, same_account=False) == "resource"
    assert layer(resource=SILENT) == "resource"


def test_a_deny_that_may_apply_makes_the_answer_unknown_and_names_its_keys():
    condition = {"StringNotEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalOrgID": "o-1"}}
    deny = policy(statement("Deny", Sid="Perimeter", Condition=condition))
    decision = decide(
        request(**{"aws:PrincipalOrgID": "o-2", "*": UNKNOWN}), Layers(identity=[ALLOW, deny])
    )
    assert (decision.outcome, decision.keys) == ("unknown", {"aws:sourcevpc"})
    assert str(decision.statement) == "statement Perimeter"
    inside = request(**{"aws:PrincipalOrgID": "o-1", "*": UNKNOWN})
    assert decide(inside, Layers(identity=[ALLOW, deny])).allowed


def test_what_nothing_allows_is_denied_even_if_a_deny_is_open():
    deny = policy(statement("Deny", Condition={"Null": {"aws:SourceVpc": "true"}}))
    decision = decide(request(**{"*": UNKNOWN}), Layers(identity=[deny]))
    assert (decision.outcome, decision.explicit_deny) == ("denied", False)
