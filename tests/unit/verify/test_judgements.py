"""Checks judge facts: here they are given, so that no AWS is needed, real or simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest

from orchestrator.aws import cloudformation, cur, enrolment, iam, organizations, s3
from orchestrator.aws.facts import Facts
from orchestrator.aws.session import Aws
from orchestrator.model.coverage import State
from orchestrator.model.enrolment import SERVICES, Enrolment
from orchestrator.model.external_ids import NO_ROTATION, Acceptance
from orchestrator.model.module_contract.outputs import Outputs, StackSetOutput
from orchestrator.model.observed import Role
from orchestrator.model.organization import Member, Organization
from orchestrator.model.policy import document
from orchestrator.model.stackset import StackSet
from orchestrator.verify.model import Context, Finding, Status
from orchestrator.verify.remedy import for_stacks
from orchestrator.verify.runner import find
from tests.registered import CUR_ROLE, EXTERNAL_ID, PRINCIPAL, ROLE, current, outputs, policy, trust

ID, LINKED = "111122223333", "444455556666"
BUCKET = f"alphaus-cur-export-{ID}"
NAME, ROOT = "octo", "r-1"
RESTORING = "delete the stack Mine"


class NoAws(boto3.Session):
    """A session for observations whose facts are all given."""

    def client(self, *arguments: Any, **_: Any) -> Any:
        raise AssertionError(f"{arguments[0]} is asked")


def expected(**stackset: Any) -> Outputs:
    wanted = {
        "name": NAME,
        "id": "octo:1",
        "region": "us-east-1",
        "role_name": ROLE,
        "template": "{}",
        "targets": [ROOT],
        "excluded_accounts": [],
        "retain_stacks": True,
        **stackset,
    }
    return outputs(ID, "payer").model_copy(update={"stackset": StackSetOutput(**wanted)})


def judged(
    check_id: str,
    known: Mapping[Any, object],
    wanted: Outputs | None = None,
    acceptance: Acceptance = NO_ROTATION,
    now: float = 0.0,
) -> Finding:
    aws = Aws(NoAws(region_name="us-east-1")).observe(Facts({**known}))
    context = Context(wanted or expected(), EXTERNAL_ID, aws, None, lambda: now, acceptance)
    check = next(check for check in find() if check.id == check_id)
    assert check.applies(context)
    return check.run(context)


def role(name: str = ROLE, policies: str = "octo-cost", **changes: Any) -> Role:
    arn = f"arn:aws:iam::{ID}:role/{name}"
    values = {"trust": json.loads(trust()), "inline": {policies: document(policy("cost"))}}
    return Role(name, arn, "AROA", **{**values, **changes})


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (role(), ""),
        (role(trust=json.loads(trust(Principal={"AWS": PRINCIPAL}))), ""),
        (None, "does not exist"),
        (role(trust=json.loads(trust("another"))), "it requires another external id"),
        (role(trust=json.loads(trust(None))), "it does not require an external id"),
        (
            role(trust=json.loads(trust(Principal="*"))),
            f"it trusts *, not account {PRINCIPAL} alone",
        ),
        (
            role(trust=json.loads(trust(Principal={"AWS": "arn:aws:iam::999988887777:root"}))),
            f"it trusts 999988887777, not account {PRINCIPAL} alone",
        ),
        (
            role(trust=json.loads(trust(Principal={"AWS": [PRINCIPAL, PRINCIPAL]}))),
            f"its principal is not account {PRINCIPAL} alone",
        ),
        (
            role(
                trust={
                    "Statement": [
                        *json.loads(trust())["Statement"],
                        *json.loads(trust("b", Principal={"AWS": "999988887777"}))["Statement"],
                    ]
                }
            ),
            "2 statements instead of one, and trusts 999988887777",
        ),
        (role(trust=json.loads(trust(Effect="Deny"))), "its effect is not Allow"),
        (role(trust=json.loads(trust(NotAction="x"))), "it has NotAction"),
        (role(trust={"Statement": []}), "0 statements instead of one"),
    ],
)
def test_the_trust_policy_is_judged(found, words):
    finding = judged("api_access.trust", {(iam.get_role, ROLE): found})
    assert finding.status is (Status.FAIL if words else Status.PASS)
    assert words in finding.summary
    assert EXTERNAL_ID not in repr(finding)


def trusting(*ids: str) -> Role:
    document = json.loads(trust())
    document["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = [*ids]
    return role(trust=document)


ROTATION = Acceptance(("the-new-id", EXTERNAL_ID), since="2026-11-27T09:00:00+00:00")


@pytest.mark.parametrize(
    ("ids", "acceptance", "words"),
    [
        ((EXTERNAL_ID, "the-new-id"), ROTATION, ""),
        (("the-new-id", EXTERNAL_ID), ROTATION, ""),
        ((EXTERNAL_ID,), ROTATION, "it requires another external id"),
        ((EXTERNAL_ID, "a-third", "the-new-id"), ROTATION, "it accepts another external id, too"),
        ((EXTERNAL_ID, "the-old-id"), NO_ROTATION, "it accepts another external id, too"),
        (("the-old-id",), NO_ROTATION, "it requires another external id"),
        ((EXTERNAL_ID,), NO_ROTATION, ""),
    ],
)
def test_the_external_ids_of_the_trust_policy_are_judged(ids, acceptance, words):
    known = {(iam.get_role, ROLE): trusting(*ids)}
    finding = judged("api_access.trust", known, acceptance=acceptance)
    assert finding.status is (Status.FAIL if words else Status.PASS)
    assert words in finding.summary
    assert not any(secret in repr(finding) for secret in (*ids, *acceptance.also))


@pytest.mark.parametrize(
    ("since", "hours", "words"),
    [
        (ROTATION.since, 0, "for 0 hours now"),
        (ROTATION.since, 1.5, "for 1 hour now"),
        (ROTATION.since, 47, "for 47 hours now"),
        (ROTATION.since, 49, "for 2 days now"),
        (ROTATION.since, -1, "for 0 hours now"),  # of a colleague whose clock is ahead
        ("2026-11-27T10:00:00+01:00", 3, "for 3 hours now"),
        ("", 3, f"{ROLE} is to accept 2 external ids: Octo's"),
    ],
)
def test_a_rotation_warns_with_its_age(since, hours, words):
    began = datetime(2026, 11, 27, 9, tzinfo=timezone.utc).timestamp()
    rotation = replace(ROTATION, since=since)
    finding = judged("api_access.rotation", {}, acceptance=rotation, now=began + hours * 3600)
    assert finding.status is Status.WARN
    assert words in finding.summary
    assert "octo-tf rotate-external-id" in finding.hint


@pytest.mark.parametrize(
    ("missing", "status", "said"),
    [
        ((), Status.PASS, "Cost Optimization Hub, Compute Optimizer, Trusted Advisor."),
        (("compute_optimizer",), Status.WARN, "not enrolled in Compute Optimizer, so"),
        (tuple(SERVICES), Status.WARN, "not enrolled in Cost Optimization Hub, Compute"),
    ],
)
def test_an_account_outside_of_a_service_is_warned_of(missing, status, said):
    wanted = outputs(ID, "payer")
    chosen = wanted.api_access.model_copy(update={"features": ["cost", "recommendations"]})
    wanted = wanted.model_copy(update={"api_access": chosen})
    facts = {
        (enrolment.read, name): Enrolment(name not in missing, has_role=True) for name in SERVICES
    }
    finding = judged("recommendations.enrolment", facts, wanted)
    assert finding.status is status
    assert said in finding.summary
    assert ("octo-tf apply" in finding.hint) is bool(missing)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (role(), ""),
        (role(inline={}), "inline policy octo-cost is missing"),
        (role(inline={"octo-cost": {}}), "inline policy octo-cost was changed"),
        (role(managed={"arn:m": None}), "managed policy arn:m is extra"),
        (role(boundary="arn:b"), "its permissions boundary is arn:b, not unset"),
        (role(description="by hand"), ""),
    ],
)
def test_the_policies_are_judged(found, words):
    finding = judged("api_access.policies", {(iam.get_role_with_policies, ROLE): found})
    assert finding.status is (Status.FAIL if words else Status.PASS)
    assert words in finding.summary


def test_the_weaker_trust_is_judged_by_what_was_asked_for():
    wanted = outputs(ID, "payer", role_trust="principal_only")
    reading = policy("cur_read", bucket_arn=f"arn:aws:s3:::{BUCKET}", prefix="pre")
    for document_, status in ((trust(None), Status.WARN), (trust(), Status.FAIL)):
        found = role(
            CUR_ROLE,
            trust=json.loads(document_),
            inline={
                "octo-cur-billing": document(policy("cur_billing")),
                "octo-cur-read": document(reading),
            },
        )
        known = {(iam.get_role_with_policies, CUR_ROLE): found}
        assert judged("cur_s3.role", known, wanted).status is status


def report(**changes: Any) -> dict[str, Any]:
    definition = outputs(ID, "payer").cur.definition
    return {"ReportName": "curreport", **definition, "AdditionalArtifacts": None, **changes}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([report()], ""),
        ([], "does not exist"),
        ([report(TimeUnit="DAILY")], "TimeUnit is DAILY, not HOURLY"),
        ([report(S3Region="eu-west-1")], "S3Region is eu-west-1, not us-east-1"),
    ],
)
def test_the_report_is_judged(found, words):
    finding = judged("cur_s3.report", {(cur.list_reports,): found})
    assert finding.status is (Status.FAIL if words else Status.PASS)
    assert words in finding.summary


def test_a_bucket_elsewhere_is_remedied_in_octo_yaml_first():
    finding = judged("cur_s3.bucket", {(s3.bucket_region, BUCKET, ID): "eu-west-1"})
    first = "Set cur_s3_bucket_region: eu-west-1 in octo.yaml, then"
    assert finding.hint == f"{first} run octo-tf apply."
    assert for_stacks(finding.remedy, RESTORING) == f"{first} {RESTORING}."


def test_a_remedy_says_how_by_the_way_in_which_the_account_is_registered():
    remedy = judged("api_access.role", {(iam.get_role, ROLE): None}).remedy
    assert for_stacks(remedy, RESTORING) == "Delete the stack Mine: it creates the role."
    access = judged("stackset.trusted_access", {(cloudformation.trusted_access,): "DISABLED"})
    assert access.hint == "Run octo-tf apply --enable-trusted-access."
    assert "octo-tf apply" not in for_stacks(access.remedy, RESTORING)


def coverage_of(*accounts: str) -> Finding:
    members = [Member(a, a.title(), "ACTIVE", ROOT) for a in (ID, LINKED, "777788889999")]
    known = {
        (organizations.read,): Organization(ROOT, {ROOT: None}, tuple(members), ID),
        (cloudformation.read_stack_set, NAME): StackSet(NAME, instances=current(*accounts)),
    }
    return judged("stackset.coverage", known)


def test_the_coverage_is_typed_evidence():
    assert coverage_of(LINKED, "777788889999").status is Status.PASS
    finding = coverage_of(LINKED)
    assert finding.status is Status.FAIL
    assert [s.account_id for s in finding.coverage.of(State.MISSING)] == ["777788889999"]
    assert "octo-tf stackset retry" in for_stacks(finding.remedy, RESTORING)
