"""A value that AWS adds later never crashes octo-tf, and never counts as good."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from orchestrator.aws import cloudformation, iam, organizations, s3
from orchestrator.config.load import load
from orchestrator.errors import AwsError
from orchestrator.model import partition
from orchestrator.model.account import Account, AccountType
from orchestrator.model.billing_transfer import BillingTransfer, summarize
from orchestrator.model.coverage import State, cover
from orchestrator.model.observed import Bucket, Encryption, Observed
from orchestrator.model.organization import Member, Organization
from orchestrator.model.registration import Registration
from orchestrator.model.stackset import StackInstance, StackSet
from orchestrator.stacks import observed
from orchestrator.stackset import deployments
from orchestrator.verify.checks import (
    cur_s3_delivery,
    cur_s3_encryption,
    stackset_operation,
    stackset_trusted_access,
)
from orchestrator.verify.model import Finding, Status

NEW = "SOMETHING_NEW"
KINDS: tuple[AccountType, ...] = ("payer", "linked", "standalone")
NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)


class Answers:
    """A boto3 client, and the ``Aws`` that gives it: each call has one answer, a page of it too."""

    facts = None

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def client(self, _service: str, _region: str | None = None) -> Answers:
        return self

    def get_paginator(self, call: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [self._answers[call]])

    def __getattr__(self, call: str) -> Any:
        return lambda **_: self._answers[call]


def instance(**values: str) -> StackInstance:
    given = {"status": "CURRENT", "detailed": "SUCCEEDED", **values}
    return StackInstance(
        *("222222222222", "r-1", given["status"], given["detailed"], "", ""),
        has_stack=True,
        region="us-east-1",
    )


def state_of(member: str = "ACTIVE", **values: str) -> State:
    organization = Organization(
        "r-1",
        {"r-1": None},
        (Member("222222222222", "linked", member, "r-1"),),
        "111111111111",
    )
    deployed = StackSet("s", instances={"222222222222": instance(**values)})
    found = cover(organization, deployed, targets=["r-1"], excluded=())
    return found.accounts[0].state


def test_the_usual_values_are_good():
    assert state_of() is State.CURRENT


@pytest.mark.parametrize("values", [{"member": NEW}, {"status": NEW}, {"detailed": NEW}])
def test_an_account_or_instance_of_a_new_state_is_not_covered(values):
    assert state_of(**values) not in (State.CURRENT, State.RUNNING)


def finding(check: ModuleType, answers: Answers, **desired: Any) -> Finding:
    wanted: Any = SimpleNamespace(**desired)
    found: Finding = check.CHECK.judge(
        wanted, check.CHECK.read(SimpleNamespace(aws=answers, desired=wanted))
    )
    return found


def operation(status: str) -> dict[str, Any]:
    return {"OperationId": "o-1", "Action": NEW, "Status": status}


def test_an_operation_of_a_new_status_fails_its_check():
    answers = Answers(
        describe_stack_set={"StackSet": {"StackSetId": "s:1", "StackSetARN": "arn:aws:x"}},
        list_stack_set_operations={"Summaries": [operation(NEW)]},
    )
    found = finding(stackset_operation, answers, stackset=SimpleNamespace(name="s"))
    assert found.status is Status.FAIL
    assert NEW.lower() in found.summary


def test_an_operation_of_a_new_status_is_not_waited_for_for_ever():
    answers = Answers(
        describe_stack_set_operation={"StackSetOperation": operation(NEW)},
        list_stack_set_operation_results={"Summaries": []},
    )
    with pytest.raises(AwsError, match=f"{NEW}, which octo-tf does not know"):
        deployments.wait(answers, "s", "o-1", lambda *_: None, sleep=lambda _: None)


def test_a_stack_of_a_new_status_is_not_complete(monkeypatch):
    wanted = SimpleNamespace(region="us-east-1", name="stack", template="api-access")
    stack = {"StackName": "stack", "StackStatus": NEW, "StackId": "id"}
    event = {"ResourceStatus": NEW, "LogicalResourceId": "role", "StackName": "stack"}
    answers = Answers(
        describe_stacks={"Stacks": [stack]}, describe_stack_events={"StackEvents": [event]}
    )
    monkeypatch.setattr(observed, "_main_resource", lambda *_: None)
    monkeypatch.setattr(observed, "_latest", lambda *_: "stack")
    assert observed.describe_stack(answers, wanted).state == "failed"


def test_trusted_access_of_a_new_status_is_not_on():
    answers = Answers(describe_organizations_access={"Status": NEW})
    found = finding(stackset_trusted_access, answers)
    assert found.status is Status.FAIL


def test_a_stackset_of_a_new_permission_model_is_not_service_managed():
    described = {"StackSetId": "s:1", "StackSetARN": "arn:aws:x", "PermissionModel": NEW}
    found = cloudformation.describe_stack_set(
        Answers(describe_stack_set={"StackSet": described}), "s"
    )
    assert found is not None
    assert not found.service_managed


def test_a_delivery_of_a_new_status_fails():
    report = {"ReportName": "r", "ReportStatus": {"lastStatus": NEW}}
    desired: Any = SimpleNamespace(cur=SimpleNamespace(report_name="r"))
    found = cur_s3_delivery.CHECK.judge(desired, Observed(report=report))
    assert found.status is Status.FAIL
    assert NEW in found.summary


@pytest.mark.parametrize(
    ("algorithm", "status"), [("AES256", Status.PASS), ("aws:fsx", Status.WARN), (NEW, Status.WARN)]
)
def test_only_an_encryption_that_is_known_passes(algorithm, status):
    desired: Any = SimpleNamespace(cur=SimpleNamespace(s3_bucket_name="b"))
    bucket = Bucket("b", encryption=Encryption(algorithm))
    found = cur_s3_encryption.CHECK.judge(desired, Observed(bucket=bucket))
    assert found.status is status
    assert (algorithm in found.summary) == (status is Status.WARN)


def test_a_new_decision_of_iam_is_no_permission():
    result = {"EvalActionName": "iam:GetRole", "EvalDecision": NEW}
    answers = Answers(simulate_principal_policy={"EvaluationResults": [result]})
    assert iam.simulate(answers, "arn", ["iam:GetRole"]) == {"iam:GetRole": "not allowed"}


def test_an_organization_of_a_new_feature_set_has_not_all_features():
    answers = Answers(describe_organization={"Organization": {"FeatureSet": NEW}})
    assert not organizations.has_all_features(answers)


def test_a_bucket_in_a_new_region_is_where_aws_says():
    answers = Answers(get_bucket_location={"LocationConstraint": "eusc-de-east-9"})
    assert s3.bucket_region(answers, "b", "111111111111") == "eusc-de-east-9"


def test_a_bucket_of_the_accounts_own_namespace_and_a_new_region_are_valid_settings():
    name = "billing-111122223333-eusc-de-east-1-an"
    settings = {
        "account_id": "111122223333",
        "external_id": "some-id",
        "cur_s3_bucket_option": "USE_EXISTING",
        "cur_s3_bucket_name": name,
        "cur_s3_bucket_region": "eusc-de-east-1",
    }
    assert load(Path("absent.yaml"), settings, {}).cur_s3_bucket_name == name


def test_a_new_partition_is_taken_from_the_arn():
    assert partition.partition_of_arn("arn:aws-new:iam::111111111111:role/r") == "aws-new"
    assert partition.partition_of_region("eusc-de-east-1") == "aws-eusc"


@pytest.mark.parametrize("own", ["aws-us-gov", "aws-eusc", "aws-new"])
def test_only_a_linked_account_fits_a_partition_without_reports(own):
    regions = {"aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1", "aws-new": "new-a-1"}
    settings = {"account_id": "111122223333", "region": regions[own]}
    registration = Registration.model_construct(
        **settings, cur_s3_bucket_region=regions[own], permissions_boundary=None
    )
    arn = f"arn:{own}:iam::111122223333:root"
    found = [partition.mismatch(registration, Account("1", kind, arn, None)) for kind in KINDS]
    if own == "aws-new":  # its regions are not known either
        assert {one.setting for one in found if one} == {"region"}
        return
    assert [one and one.setting for one in found] == ["account_id", None, "account_id"]
    assert found[0] is not None
    assert own in found[0].what


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("own", "takes_all"), [("aws", True), ("aws-cn", True), ("aws-us-gov", False)]
)
def test_an_account_of_a_partition_without_reports_is_taken_for_a_linked_one(own, takes_all, kind):
    account = Account("1", kind, f"arn:{own}:iam::111122223333:root", None)
    assert partition.as_registered(account).account_type == (kind if takes_all else "linked")


@pytest.mark.parametrize("side", ["outbound", "inbound"])
def test_a_transfer_of_a_new_status_is_not_in_force_and_is_said(side):
    transfer = BillingTransfer("333333333333", NEW, NOW - timedelta(days=1), None)
    given: dict[str, list[BillingTransfer]] = {"outbound": [], "inbound": [], side: [transfer]}
    found = summarize(**given, now=NOW)
    assert (found.paid_by, found.pays_for) == (None, ())
    assert [NEW in text for text in found.warnings] == [True]


def test_a_transfer_that_has_ended_is_not_in_force():
    ended = BillingTransfer("333333333333", "ACCEPTED", NOW - timedelta(days=9), NOW)
    assert summarize([ended], [ended], NOW).warnings == ()
