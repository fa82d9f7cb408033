"""What AWS's limits refuse in a plan, before anything is written."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from orchestrator.aws import cur
from orchestrator.aws.session import Aws
from orchestrator.detection.limits import check_plan
from orchestrator.errors import Refused
from orchestrator.model.module_contract.addresses import MODULE, REPORT
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan

AWS = Aws(boto3.Session(region_name="us-east-1"))  # never called


def check(monkeypatch, prefix: str, action: str, *, reports: tuple[str, ...] = ()) -> None:
    monkeypatch.setattr(cur, "list_reports", lambda _: [{"ReportName": name} for name in reports])
    change = PlannedChange(MODULE + REPORT, "aws_cur_report_definition", action)
    inputs = Inputs("111122223333", "bucket", cur_s3_prefix=prefix)
    check_plan(AWS, Plan(Path("plan"), (change,), True), inputs, read=dict)


@pytest.mark.parametrize("action", ["create", "replace"])
@pytest.mark.parametrize("prefix", ["p", "pre.", ".."])
def test_a_new_report_with_a_prefix_that_aws_takes_no_longer_is_refused(
    monkeypatch, prefix, action
):
    with pytest.raises(Refused, match="at least two characters") as caught:
        check(monkeypatch, prefix, action)
    assert caught.value.where == "cur_s3_prefix"


@pytest.mark.parametrize("prefix", ["pr", ".pre", "a/b"])
def test_a_new_report_with_another_prefix_is_not_refused(monkeypatch, prefix):
    check(monkeypatch, prefix, "create")


def test_a_report_that_has_such_a_prefix_is_imported_and_updated(monkeypatch):
    """AWS took it until November 2025."""
    check(monkeypatch, "p", "create", reports=("curreport",))
    check(monkeypatch, "pre.", "update")
