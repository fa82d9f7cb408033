"""What is looked at before a StackSet is planned, against the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from orchestrator.app.context import Settings, build
from orchestrator.aws import iam
from orchestrator.aws.errors import ServiceError
from orchestrator.aws.identity import identify
from orchestrator.aws.session import Aws
from orchestrator.config.load import load
from orchestrator.detection import limits
from orchestrator.detection.imports import ImportRules
from orchestrator.doctor.checks import organization
from orchestrator.doctor.model import DoctorContext
from orchestrator.errors import Refused
from orchestrator.model.account import Account
from orchestrator.model.coverage import Coverage, LinkedAccount, State
from orchestrator.model.registration import Registration
from orchestrator.stackset import preflight
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan

Operator = tuple[Aws, Account]
PAYER = Registration.model_validate(
    {"account_id": "111111111111", "external_id": "abc", "use_stackset": True}
)
ACCOUNT = Account("111111111111", "payer", "arn:aws:iam::111111111111:user/operator", None)


@pytest.fixture
def operator(session) -> Iterator:
    """A user of the payer who may do some things and no others."""
    iam = session("payer").client("iam")
    iam.create_user(UserName="operator")
    keys = iam.create_access_key(UserName="operator")["AccessKey"]

    def make(*allowed: str) -> Operator:
        actions = ["organizations:DescribeOrganization", *allowed]
        iam.put_user_policy(
            UserName="operator",
            PolicyName="some",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
                }
            ),
        )
        own = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], region_name="us-east-1")
        aws = Aws(own)
        return aws, identify(aws, "111111111111")

    yield make
    iam.delete_access_key(UserName="operator", AccessKeyId=keys["AccessKeyId"])
    iam.delete_user_policy(UserName="operator", PolicyName="some")
    iam.delete_user(UserName="operator")


def test_what_the_caller_may_not_do_is_named(operator):
    missing = "cloudformation:CreateStackInstances"
    found = {a for p in preflight.deployment(PAYER, ACCOUNT) for a in p.actions}
    aws, account = operator("iam:SimulatePrincipalPolicy", *(found - {missing}))
    assert preflight.denied_deployment_actions(aws, PAYER, account) == [missing]


def test_a_caller_who_may_not_ask_gets_no_refusal(operator):
    aws, account = operator()
    assert preflight.denied_deployment_actions(aws, PAYER, account) == []


def test_more_accounts_than_a_stack_set_holds_are_refused():
    everyone = (LinkedAccount("111122223333", "x", State.MISSING),) * 100_001
    with pytest.raises(Refused, match=r"100,001 linked accounts .* at most 100,000"):
        preflight.check_quota("111111111111", Coverage(everyone))
    preflight.check_quota("111111111111", Coverage(everyone[1:]))


ROLES = tuple(PlannedChange(f"aws_iam_role.{name}", "aws_iam_role", "create") for name in "ab")


def found_by_a_plan(tmp_path: Path) -> dict[str, str]:
    """What the route of a plan finds in AWS before it goes on; of roles only, none exists."""
    flags = {"account_id": "111111111111", "external_id": "abc", "credentials.profile": "payer"}
    context = build(load(tmp_path / "none.yaml", flags, {}), Settings(tmp_path, {}))
    return context.cloud.find_existing(
        Plan(tmp_path / "plan", ROLES, True),
        ImportRules(),
        read=lambda: {role.address: {"name": "a-new-one"} for role in ROLES},
    )


def test_a_plan_that_exceeds_the_quota_of_roles_is_refused(session, tmp_path, monkeypatch):
    assert found_by_a_plan(tmp_path) == {}
    monkeypatch.setattr(iam, "free_roles", lambda _aws: 1)
    with pytest.raises(Refused, match="creates 2 roles, and the account's quota allows 1 more"):
        found_by_a_plan(tmp_path)
    existing = Plan(tmp_path / "plan", ROLES, True)
    limits.check_roles(None, existing, [ROLES[0].address])  # which is imported


def test_a_plan_by_a_caller_who_may_not_read_the_quota_is_not_refused(operator):
    aws, _ = operator()
    with pytest.raises(ServiceError, match="GetAccountSummary"):
        iam.free_roles(aws)
    limits.check_roles(aws, Plan(Path("plan"), ROLES, True), ())


def test_doctor_says_that_the_quota_of_roles_is_too_small(aws, monkeypatch):
    monkeypatch.setattr(iam, "free_roles", lambda _aws: 1)
    context = DoctorContext({}, Path(), time.time, registration=PAYER, connection=aws("payer"))
    result = organization.CHECK.run(context)
    assert (result.status.value, result.summary) == (
        "problem",
        "The account needs 2 roles, and its quota allows 1 more.",
    )
