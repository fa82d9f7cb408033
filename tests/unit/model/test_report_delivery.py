"""A bucket's policy and its key are judged by what they mean for the delivery of a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.model.report_delivery import (
    PolicyJudgement,
    ReportDelivery,
    judge_bucket_policy,
    judge_key_policy,
)

CASES = Path(__file__).parents[2] / "e2e/bucket_policies"
ACCOUNT, BUCKET = "222222222222", "example-octo-reports"
DELIVERY = ReportDelivery(ACCOUNT, "aws", "curreport", "pre", BUCKET, "eu-west-1", "us-east-1")
ARN = f"arn:aws:s3:::{BUCKET}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/AlphausAcctAccessCurRole"
BILLING = {"Service": "billingreports.amazonaws.com"}


def case(name: str) -> dict[str, Any]:
    return json.loads((CASES / f"{name}.json").read_text())


def judged(*added: dict[str, Any], base: str = "service-in-org-boolifexists") -> PolicyJudgement:
    document = case(base)
    return judge_bucket_policy(
        {**document, "Statement": document["Statement"] + list(added)}, DELIVERY
    )


def deny(**parts: Any) -> dict[str, Any]:
    action = {} if "NotAction" in parts else {"Action": "s3:PutObject"}
    principal = {} if "NotPrincipal" in parts else {"Principal": "*"}
    return {
        "Sid": "Guard",
        "Effect": "Deny",
        **action,
        **principal,
        "Resource": f"{ARN}/*",
        **parts,
    }


@pytest.mark.parametrize(
    "name", ["console-default-stringequals", "data-exports-guide", "service-in-org-boolifexists"]
)
def test_a_policy_that_works_has_nothing_against_it(name):
    found = judge_bucket_policy(case(name), DELIVERY)
    assert found == PolicyJudgement((), (), {}, (), requires_tls=False)


@pytest.mark.parametrize(
    ("name", "statement"),
    [("deny-outside-org", "DenyOutsideOrg"), ("deny-notprincipal", "OnlyFinops")],
)
def test_a_deny_that_certainly_stops_the_delivery_is_named(name, statement):
    assert judge_bucket_policy(case(name), DELIVERY).denying == (f"statement {statement}",)


def test_the_classic_policy_lets_in_the_reports_of_any_account():
    found = judge_bucket_policy(case("classic-unconditional"), DELIVERY)
    assert found.wide == ("statement Stmt1335892150622", "statement Stmt1335892526596")
    assert (found.lacking, found.denying) == ((), ())


KMS_HEADER = "s3:x-amz-server-side-encryption"


@pytest.mark.parametrize(
    "statement",
    [
        deny(NotAction="s3:GetObject"),
        deny(NotPrincipal={"AWS": ACCOUNT}),
        deny(Action="s3:*"),
        deny(Condition={"StringNotEquals": {KMS_HEADER: "aws:kms"}}),
        deny(Condition={"StringNotEqualsIfExists": {KMS_HEADER: "aws:kms"}}),
        deny(Condition={"Null": {f"{KMS_HEADER}-aws-kms-key-id": "true"}}),
        deny(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
        deny(Condition={"StringNotLike": {"aws:userId": ["AROAEXAMPLE:*", ACCOUNT]}}),
        deny(Condition={"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}),
        deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}),
        deny(Condition={"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
    ],
)
def test_what_a_service_cannot_fulfil_stops_it(statement):
    assert judged(statement).denying == ("statement Guard",)


@pytest.mark.parametrize(
    "statement",
    [
        deny(Action="s3:DeleteObject"),
        deny(NotAction="s3:*"),
        deny(Resource=f"{ARN}/private/*"),
        deny(NotPrincipal=BILLING),
        deny(Condition={"Bool": {"aws:SecureTransport": "false"}}),
        deny(Condition={"StringNotEquals": {"aws:SourceAccount": [ACCOUNT]}}),
        deny(Condition={"StringEquals": {KMS_HEADER: "aws:kms"}}),
        deny(Condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}),
    ],
)
def test_what_means_others_does_not(statement):
    found = judged(statement)
    assert (found.denying, found.open, found.lacking) == ((), {}, ())


@pytest.mark.parametrize(
    ("condition", "key"),
    [
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "aws:sourceip"),
        ({"StringNotEquals": {"aws:SourceOrgID": "o-example1234"}}, "aws:sourceorgid"),
        ({"StringNotEquals": {KMS_HEADER: "AES256"}}, KMS_HEADER),
    ],
)
def test_a_deny_on_a_key_that_aws_does_not_document_is_open(condition, key):
    found = judged(deny(Condition=condition))
    assert found.denying == ()
    assert {name: set(decision.keys) for name, decision in found.open.items()} == {
        "statement Guard": {key}
    }


def without(element: str, value: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": BILLING,
        "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:PutObject"],
        "Resource": [ARN, f"{ARN}/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        element: value,
    }


@pytest.mark.parametrize(
    ("statement", "lacking"),
    [
        (without("Action", ["s3:GetBucket*", "s3:put*"]), ()),
        (without("Action", ["s3:GetBucketPolicy", "s3:Put*"]), (f"s3:GetBucketAcl on {ARN}",)),
        (without("Resource", [ARN, f"{ARN}/pre/*"]), (f"s3:PutObject on {ARN}/*",)),
        (without("Principal", "*"), ()),
        (without("Condition", {"Null": {"aws:SourceArn": "false"}}), ()),
        (
            without("Condition", {"ArnLike": {"aws:SourceArn": "arn:aws:cur:eu-west-1:*:*"}}),
            (
                f"s3:GetBucketAcl on {ARN}",
                f"s3:GetBucketPolicy on {ARN}",
                f"s3:PutObject on {ARN}/*",
            ),
        ),
    ],
)
def test_what_nothing_allows_is_listed_whatever_the_wording(statement, lacking):
    assert judge_bucket_policy({"Statement": [statement]}, DELIVERY).lacking == lacking


def test_statements_without_a_sid_are_named_by_their_number():
    found = judge_bucket_policy({"Statement": [without("Condition", {})]}, DELIVERY)
    assert found.wide == ("statement number 1",)


# Keys


def key_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(principal: Any, action: str = "kms:*", **parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **parts}


OF_THE_ACCOUNT = allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
MAY_DECRYPT = {"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}}


def judge_key(document: Any, *, policies: tuple[Any, ...] = (), same_account: bool = True):
    return judge_key_policy(
        document, DELIVERY, role_arn=ROLE, role_policies=policies, same_account=same_account
    )


def test_the_default_key_policy_lets_neither_in_and_the_statements_to_add_do():
    found = judge_key(key_policy(OF_THE_ACCOUNT))
    assert (found.deliver.outcome, found.read.outcome) == ("denied", "denied")
    amended = judge_key(key_policy(OF_THE_ACCOUNT, *found.needed))
    assert (amended.deliver.allowed, amended.read.allowed, amended.needed) == (True, True, ())


def test_a_role_whose_own_policy_lets_it_decrypt_needs_only_the_account_in_the_key_policy():
    assert judge_key(key_policy(OF_THE_ACCOUNT), policies=(MAY_DECRYPT,)).read.allowed
    assert not judge_key(key_policy(allow(BILLING)), policies=(MAY_DECRYPT,)).read.allowed


def test_a_key_of_another_account_needs_the_roles_own_policy_too():
    document = key_policy(allow({"AWS": ROLE}), allow(BILLING))
    found = judge_key(document, same_account=False)
    # No statement of the key's policy helps.
    assert (found.read.outcome, found.read.layer, found.needed) == ("denied", "identity", ())
    assert judge_key(document, same_account=False, policies=(MAY_DECRYPT,)).read.allowed


def test_a_key_for_use_by_s3_alone_lets_the_delivery_in():
    via_s3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    assert judge_key(key_policy(allow(BILLING, Condition=via_s3))).deliver.allowed
    denied = {
        **allow("*", Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}),
        "Effect": "Deny",
        "Sid": "NoServices",
    }
    found = judge_key(key_policy(allow(BILLING), denied)).deliver
    assert (found.explicit_deny, str(found.statement)) == (True, "statement NoServices")
