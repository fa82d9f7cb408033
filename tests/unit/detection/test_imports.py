"""What the plan would create although AWS has it: compared, imported or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.aws import cloudformation, cur, iam, s3
from orchestrator.aws.session import Aws
from orchestrator.detection import stack_sets
from orchestrator.detection.imports import ImportRules, find
from orchestrator.errors import Refused
from orchestrator.model.module_contract.addresses import (
    API_ACCESS,
    BOUNDARY,
    BUCKET,
    CUR_EXPORT,
    MODULE,
    REPORT,
    STACKSET,
)
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.observed import (
    Bucket,
    Encryption,
    ManagedPolicy,
    OwningStack,
    Role,
    StackOwners,
)
from orchestrator.model.stackset import StackSet, TemplateContent
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan
from tests.registered import ROLE, current, trust

AWS = Aws(boto3.Session(region_name="us-east-1"))  # never called
NAMES = Inputs("111122223333", "bucket", stackset_name="octo")
API = f"{API_ACCESS}aws_iam_role.api_access"
POLICY = f'{API_ACCESS}aws_iam_role_policy.api_access["octo-cost"]'
READ = json.dumps({"Statement": {"Effect": "Allow", "Action": "ce:Get*", "Resource": "*"}})
WANTED = {
    API: {"name": ROLE, "assume_role_policy": trust("the-id"), "description": "ours"},
    POLICY: {"name": "octo-cost", "role": ROLE, "policy": READ},
    REPORT: {"report_name": "curreport", "time_unit": "HOURLY", "s3_bucket": "bucket"},
}


def role(external_id: str = "the-id", **changes: Any) -> Role:
    values: dict[str, Any] = {"description": "ours", "trust": json.loads(trust(external_id))}
    return Role(ROLE, "arn:aws:iam::111122223333:role/" + ROLE, "AROA", **values | changes)


@pytest.fixture
def there(monkeypatch):
    """What AWS has: set by a test."""
    has: dict[str, Any] = {"stack": None}
    monkeypatch.setattr(iam, "describe_role", lambda aws, name: has.get(name))
    monkeypatch.setattr(iam, "describe_policy", lambda aws, name, account_id: has.get(name))
    monkeypatch.setattr(s3, "describe_bucket", lambda aws, name, account_id: has.get(name))
    monkeypatch.setattr(cur, "get_report", lambda aws, name: has.get(name))
    monkeypatch.setattr(stack_sets, "describe", lambda aws, name: has.get(name))

    def owners(aws: Aws, ids: set[str]) -> StackOwners:
        return StackOwners(dict.fromkeys(ids, has["stack"]) if has["stack"] else {}, ())

    monkeypatch.setattr(cloudformation, "owning_stacks", owners)
    return has


def imports(*addresses: str, more: dict[str, Any] | None = None, **how: Any) -> dict[str, str]:
    changes = [PlannedChange(MODULE + a, a.split(".")[0], "create") for a in addresses]
    return find(
        AWS,
        Plan(Path("p"), tuple(changes), True),
        NAMES,
        ImportRules(**how),
        read=lambda: {MODULE + a: v for a, v in {**WANTED, **(more or {})}.items()},
    )


def test_nothing_there_is_nothing_to_import_and_the_plan_is_not_read(there):
    plan = Plan(Path("p"), (PlannedChange(MODULE + API, "aws_iam_role", "create"),), True)
    assert find(AWS, plan, NAMES, ImportRules(), read=lambda: pytest.fail("read")) == {}


def test_only_what_would_be_created_is_looked_for(there):
    there[ROLE] = role()
    assert imports(REPORT) == {}


def test_an_exact_role_is_imported_with_the_policies_that_it_has(there):
    there[ROLE] = role()
    assert imports(API, POLICY) == {MODULE + API: ROLE}
    there[ROLE] = role(inline={"octo-cost": {}})
    assert imports(API, POLICY)[MODULE + POLICY] == f"{ROLE}:octo-cost"


ADDITIONAL = f'{API_ACCESS}aws_iam_policy.additional["OctoAdditional1"]'
ATTACHMENT = f'{API_ACCESS}aws_iam_role_policy_attachment.api_access["OctoAdditional1"]'
ARN = "arn:aws:iam::111122223333:policy/OctoAdditional1"
MANAGED = {
    ADDITIONAL: {"name": "OctoAdditional1", "policy": READ},
    ATTACHMENT: {"role": ROLE},  # the ARN is known after the apply
    BOUNDARY: {"name": "OctoExecutionBoundary", "policy": READ},
}


def test_a_managed_policy_is_imported_with_its_attachment(there):
    there["OctoAdditional1"] = ManagedPolicy(ARN, json.loads(READ))
    assert imports(ADDITIONAL, ATTACHMENT, more=MANAGED) == {MODULE + ADDITIONAL: ARN}
    there[ROLE] = role(managed={ARN: json.loads(READ)})
    assert imports(API, ADDITIONAL, ATTACHMENT, more=MANAGED) == {
        MODULE + API: ROLE,
        MODULE + ADDITIONAL: ARN,
        MODULE + ATTACHMENT: f"{ROLE}/{ARN}",
    }


@pytest.mark.parametrize(
    ("address", "name"),
    [(ADDITIONAL, "OctoAdditional1"), (BOUNDARY, "OctoExecutionBoundary")],
)
def test_a_managed_policy_with_another_document_is_refused_unless_it_is_adopted(
    there, address, name
):
    arn = f"arn:aws:iam::111122223333:policy/{name}"
    there[name] = ManagedPolicy(arn, {"Statement": []})
    with pytest.raises(Refused, match=f"policy {name}: its document differs"):
        imports(address, more=MANAGED)
    assert imports(address, more=MANAGED, adopting=True) == {MODULE + address: arn}


@pytest.mark.parametrize("change", [{"description": "another"}, {"external_id": "another"}])
def test_a_role_that_differs_is_refused_unless_it_is_ours_or_asked_for(there, change):
    there[ROLE] = role(**change)
    with pytest.raises(Refused, match="differs") as caught:
        imports(API)
    assert "octo-tf adopt" in caught.value.hint
    assert "the-id" not in str(caught.value)
    assert imports(API, unfinished=frozenset({MODULE + API}))
    assert imports(API, adopting=True)


def test_a_role_that_differs_in_whom_it_trusts_is_refused_with_the_name(there):
    document = json.loads(trust("the-id", Principal={"AWS": "999988887777"}))
    there[ROLE] = role(trust=document)
    with pytest.raises(Refused, match=r"trust policy differs \(it trusts 999988887777\)"):
        imports(API)


def test_a_role_under_a_path_is_refused_with_what_can_be_done(there):
    there[ROLE] = role()
    there[ROLE] = replace(there[ROLE], arn=f"arn:aws:iam::111122223333:role/octo/{ROLE}")
    with pytest.raises(Refused, match="its path is /octo/") as caught:
        imports(API, adopting=True)
    assert "Delete the role" in caught.value.hint
    assert "use_stackset" not in caught.value.hint


def test_what_would_go_needs_consent_thing_by_thing(there):
    there[ROLE] = role(inline={"a": {}, "b": {}})
    with pytest.raises(Refused, match="inline policy b") as caught:
        imports(API, adopting=True, accepted_removals={(f"role {ROLE}", "inline policy a")})
    assert "inline policy a" not in str(caught.value)
    both = {(f"role {ROLE}", f"inline policy {name}") for name in "ab"}
    assert imports(API, accepted_removals=both)


def test_even_a_killed_runs_own_role_keeps_what_somebody_added(there):
    there[ROLE] = role(managed={"arn:m": None})
    with pytest.raises(Refused, match="managed policy arn:m"):
        imports(API, unfinished=frozenset({MODULE + API}))


def test_what_a_stack_owns_is_never_taken(there):
    there[ROLE], there["stack"] = role(), OwningStack("console-stack", "us-east-1")
    with pytest.raises(Refused, match="console-stack") as caught:
        imports(API, adopting=True)
    assert "Retain" in caught.value.hint
    with pytest.raises(Refused, match="console-stack"):
        imports(API, adopting=True, released_stacks=["another-stack"])


def test_what_a_stack_owns_is_imported_once_its_release_is_announced(there):
    there[ROLE], there["stack"] = role(), OwningStack("console-stack", "us-east-1")
    assert imports(API, adopting=True, released_stacks=["console-stack"]) == {MODULE + API: ROLE}


def test_a_bucket_comes_with_the_settings_that_it_has(there):
    kind = "aws_s3_bucket_policy"
    setting = f"{CUR_EXPORT}{kind}.cur[0]"
    there["bucket"] = Bucket(
        "bucket", "us-east-1", True, settings=frozenset({kind}), encryption=Encryption("AES256")
    )
    assert imports(BUCKET, setting) == {MODULE + BUCKET: "bucket", MODULE + setting: "bucket"}
    there["bucket"] = Bucket("bucket", "us-east-1", False, encryption=Encryption("AES256"))
    with pytest.raises(Refused, match="it holds objects"):
        imports(BUCKET)


def test_a_report_must_be_the_very_same(there):
    found = {"ReportName": "curreport", "TimeUnit": "HOURLY", "S3Bucket": "bucket"}
    there["curreport"] = found
    assert imports(REPORT) == {MODULE + REPORT: "curreport"}
    there["curreport"] = {**found, "TimeUnit": "DAILY"}
    with pytest.raises(Refused, match="its time_unit is DAILY"):
        imports(REPORT)


def stack_set(**changes: Any) -> StackSet:
    makes = TemplateContent(
        "Octo", Role(ROLE, f"arn:*:iam::*:role/{ROLE}", "", inline={"root": {}})
    )
    values: dict[str, Any] = {
        "name": "octo",
        "stack_set_id": "octo:1",
        "content": makes,
        "instances": current("999988887777"),
        "regions": ("us-east-1",),
        "retain_on_removal": True,
        "targets": (),
        **changes,
    }
    return StackSet(**values)


def planned_set(logical_id: str) -> dict[str, Any]:
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": ROLE}}
    return {
        "template_body": json.dumps({"Resources": {logical_id: role}}),
        "parameters": {"ExternalId": "the-id"},
        "auto_deployment": [{"enabled": True, "retain_stacks_on_account_removal": True}],
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "another logical id"),
        ({"retain_on_removal": False}, "lose their role, against stackset_retain"),
    ],
)
def test_a_stackset_that_could_not_be_updated_is_refused_even_when_adopting(there, change, says):
    there["octo"] = stack_set(**change)
    with pytest.raises(Refused, match=says):
        imports(STACKSET, adopting=True, more={STACKSET: planned_set("Another")})


def test_what_a_stackset_would_take_away_needs_consent(there):
    there["octo"] = stack_set()
    planned = {STACKSET: planned_set("Octo")}
    with pytest.raises(Refused, match="inline policy root"):
        imports(STACKSET, adopting=True, more=planned)
    consented = [("StackSet octo", "inline policy root")]
    found = imports(STACKSET, adopting=True, more=planned, accepted_removals=consented)
    assert found == {MODULE + STACKSET: "octo"}


CONTESTED = {
    "unfinished": frozenset({MODULE + API, MODULE + POLICY}),
    "contested": frozenset({MODULE + API}),
}


def test_a_role_whose_creation_was_answered_by_nobody_is_this_runs_own(there):
    """AWS had carried out the call; the run ended before it could give the role its policies."""
    there[ROLE] = role()
    assert imports(API, POLICY, **CONTESTED) == {MODULE + API: ROLE}


@pytest.mark.parametrize("external_id", ["the-id", "another-id"])
def test_a_role_that_another_run_made_meanwhile_is_refused_even_if_it_is_the_same(
    there, external_id
):
    there[ROLE] = role(external_id, inline={"octo-cost": json.loads(READ)})
    with pytest.raises(Refused, match="created by another run") as refused:
        imports(API, POLICY, **CONTESTED)
    assert ROLE in str(refused.value)
    assert "Another working folder" in refused.value.hint
    assert imports(API, POLICY, **{**CONTESTED, "adopting": True})[MODULE + API] == ROLE
