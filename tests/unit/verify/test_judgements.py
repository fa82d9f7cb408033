"""Checks judge values: what is desired and what was observed are given, and no AWS is needed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from orchestrator.model.coverage import State
from orchestrator.model.desired import Desired
from orchestrator.model.enrolment import SERVICES, Enrolment
from orchestrator.model.external_ids import NO_ROTATION, Acceptance
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.outputs import Outputs, StackSetOutput
from orchestrator.model.observed import (
    Bucket,
    Delivery,
    Encryption,
    Key,
    Observed,
    Probes,
    Role,
    RoleAccess,
)
from orchestrator.model.organization import Member, Organization
from orchestrator.model.policy import document
from orchestrator.model.stackset import StackSet
from orchestrator.verify.model import Finding, Status
from orchestrator.verify.remedy import for_stacks
from orchestrator.verify.runner import find
from tests.registered import CUR_ROLE, EXTERNAL_ID, PRINCIPAL, ROLE, current, outputs, policy, trust

ID, LINKED = "111122223333", "444455556666"
BUCKET = f"alphaus-cur-export-{ID}"
NAME, ROOT = "octo", "r-1"
RESTORING = "delete the stack Mine"


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
    observed: Observed,
    wanted: Outputs | None = None,
    acceptance: Acceptance = NO_ROTATION,
) -> Finding:
    desired = Desired(wanted or expected(), EXTERNAL_ID, acceptance)
    check = next(check for check in find() if check.id == check_id)
    assert check.applies(desired)
    return check.judge(desired, observed)


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
    finding = judged("api_access.trust", Observed(roles={ROLE: found}))
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
    observed = Observed(roles={ROLE: trusting(*ids)})
    finding = judged("api_access.trust", observed, acceptance=acceptance)
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
    observed = Observed(at=began + hours * 3600)
    finding = judged("api_access.rotation", observed, acceptance=rotation)
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
    found = {name: Enrolment(name not in missing, has_role=True) for name in SERVICES}
    finding = judged("recommendations.enrolment", Observed(enrolments=found), wanted)
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
    finding = judged("api_access.policies", Observed(roles={ROLE: found}))
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
        observed = Observed(roles={CUR_ROLE: found})
        assert judged("cur_s3.role", observed, wanted).status is status


def report(**changes: Any) -> dict[str, Any]:
    definition = outputs(ID, "payer").cur.definition
    return {"ReportName": "curreport", **definition, "AdditionalArtifacts": None, **changes}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (report(), ""),
        (None, "does not exist"),
        (report(TimeUnit="DAILY"), "TimeUnit is DAILY, not HOURLY"),
        (report(S3Region="eu-west-1"), "S3Region is eu-west-1, not us-east-1"),
    ],
)
def test_the_report_is_judged(found, words):
    finding = judged("cur_s3.report", Observed(report=found))
    assert finding.status is (Status.FAIL if words else Status.PASS)
    assert words in finding.summary


def test_a_bucket_elsewhere_is_remedied_in_octo_yaml_first():
    finding = judged("cur_s3.bucket", Observed(bucket=Bucket(BUCKET, "eu-west-1")))
    first = "Set cur_s3_bucket_region: eu-west-1 in octo.yaml, then"
    assert finding.hint == f"{first} run octo-tf apply."
    assert for_stacks(finding.remedy, RESTORING) == f"{first} {RESTORING}."


def test_a_remedy_says_how_by_the_way_in_which_the_account_is_registered():
    remedy = judged("api_access.role", Observed(roles={ROLE: None})).remedy
    assert for_stacks(remedy, RESTORING) == "Delete the stack Mine: it creates the role."
    access = judged("stackset.trusted_access", Observed(trusted_access="DISABLED"))
    assert access.hint == "Run octo-tf apply --enable-trusted-access."
    assert "octo-tf apply" not in for_stacks(access.remedy, RESTORING)


def coverage_of(*accounts: str) -> Finding:
    members = [Member(a, a.title(), "ACTIVE", ROOT) for a in (ID, LINKED, "777788889999")]
    observed = Observed(
        organization=Organization(ROOT, {ROOT: None}, tuple(members), ID),
        stack_set=StackSet(NAME, instances=current(*accounts)),
    )
    return judged("stackset.coverage", observed)


def test_the_coverage_is_typed_evidence():
    assert coverage_of(LINKED, "777788889999").status is Status.PASS
    finding = coverage_of(LINKED)
    assert finding.status is Status.FAIL
    assert [s.account_id for s in finding.coverage.of(State.MISSING)] == ["777788889999"]
    assert "octo-tf stackset retry" in for_stacks(finding.remedy, RESTORING)


def existing(**changes: Any) -> Outputs:
    """An account whose bucket is its owner's."""
    return outputs(
        ID,
        "payer",
        s3_bucket_option="USE_EXISTING",
        bucket_policy_management="owner",
        **changes,
    )


@pytest.mark.parametrize(
    ("wanted", "encryption", "key", "status", "words"),
    [
        (expected(), "AES256", None, Status.PASS, "S3's own keys"),
        (expected(), "aws:kms", None, Status.FAIL, "not with S3's own keys"),
        (existing(), "aws:kms", Key("arn:k", True, "Enabled"), Status.FAIL, "key of AWS"),
        (existing(), "aws:kms", Key("alias/aws/s3", False, "denied"), Status.FAIL, "key of AWS"),
        (existing(), "aws:kms", Key("alias/aws/s3", False, "missing"), Status.FAIL, "key of AWS"),
        (existing(), "aws:kms", Key("mine", False, "missing"), Status.FAIL, "does not exist"),
        (existing(), "aws:kms", Key("mine", False, "denied"), Status.WARN, "may not be read"),
        (existing(), "aws:kms:dsse", Key("arn:k", False, "Disabled"), Status.FAIL, "is Disabled"),
        (
            existing(),
            "aws:kms",
            Key(f"arn:aws:kms:us-east-1:{ID}:key/k", False, "Enabled", '{"Statement": []}'),
            Status.FAIL,
            "cannot encrypt with it",
        ),
    ],
)
def test_the_encryption_is_judged(wanted, encryption, key, status, words):
    bucket = Bucket(BUCKET, encryption=Encryption(encryption), key=key)
    finding = judged("cur_s3.encryption", Observed(bucket=bucket), wanted)
    assert finding.status is status
    assert words in finding.summary


MANIFEST = "pre/curreport/20261101-20261201/curreport-Manifest.json"
WRITTEN = datetime(2026, 11, 27, 9, tzinfo=timezone.utc)


def delivered(hours: float, lacking: tuple[str, ...] = (), **status: str) -> Observed:
    return Observed(
        at=WRITTEN.timestamp() + hours * 3600,
        report=report(ReportStatus=status),
        delivery=Delivery({MANIFEST: WRITTEN}, lacking=lacking),
    )


def waiting(*, tested: bool, policy: dict[str, Any] | None = None) -> Observed:
    bucket = Bucket(BUCKET, policy=policy)
    return Observed(report=report(), delivery=Delivery({}, is_tested=tested), bucket=bucket)


@pytest.mark.parametrize(
    ("observed", "status", "arrival"),
    [
        (Observed(report=None), Status.FAIL, "missing"),
        (Observed(report=report(ReportStatus={"lastStatus": "ERROR"})), Status.FAIL, "error"),
        (delivered(2), Status.PASS, "current"),
        (delivered(37), Status.FAIL, "stale"),
        (delivered(37, lastDelivery="20261128T090000Z"), Status.PASS, "current"),
        (delivered(2, lacking=("a.zip",)), Status.FAIL, "error"),
        (waiting(tested=True), Status.PENDING, "first_object"),
        (waiting(tested=False, policy={"Statement": []}), Status.PENDING, "policy_ok"),
        (waiting(tested=False), Status.PENDING, "configured"),
    ],
)
def test_the_delivery_is_judged(observed, status, arrival):
    finding = judged("cur_s3.delivery", observed)
    assert (finding.status, finding.evidence["arrival"]) == (status, arrival)


@pytest.mark.parametrize(
    ("probes", "status", "words"),
    [
        (None, Status.SKIPPED, "Not tried"),
        (Probes(RoleAccess(True, False, False)), Status.PASS, "accepts the external id"),
        (Probes(RoleAccess(True, True, False)), Status.FAIL, "without an external id"),
        (Probes(RoleAccess(True, False, True)), Status.FAIL, "with a wrong external id"),
        (Probes(RoleAccess(False, False, False)), Status.FAIL, "cannot assume"),
    ],
)
def test_what_was_probed_is_judged_apart(probes, status, words):
    finding = judged("api_access.assume", Observed(probes=probes))
    assert finding.status is status
    assert words in finding.summary


@pytest.mark.parametrize(
    ("denials", "status", "words"),
    [
        ({}, Status.PASS, "organizations:List* by AWS's list"),
        ({"ce:GetCostAndUsage": "explicitly denied"}, Status.FAIL, "(explicitly denied)"),
        (None, Status.FAIL, "does not exist"),
    ],
)
def test_the_simulation_is_judged(denials, status, words):
    finding = judged("api_access.permissions", Observed(denials={ROLE: denials}))
    assert finding.status is status
    assert words in finding.summary


def stack_set(**changes: Any) -> StackSet:
    return replace(Desired(expected(), EXTERNAL_ID).stack_set, **changes)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (stack_set(), ""),
        (None, "does not exist"),
        (stack_set(service_managed=False), "not service-managed"),
        (stack_set(capabilities=()), "CAPABILITY_NAMED_IAM"),
        (stack_set(template=" { } "), ""),
        (stack_set(template="Resources:"), "its template was changed"),
        (
            stack_set(parameters={"Principal": PRINCIPAL}),
            "do not accept exactly the expected external id",
        ),
        (stack_set(parameters={"ExternalId": EXTERNAL_ID}), "trusts nobody"),
        (stack_set(managed_execution=False), "managed execution is off"),
    ],
)
def test_the_stackset_is_judged(found, words):
    finding = judged("stackset.set", Observed(stack_set=found))
    assert finding.status is (Status.FAIL if words else Status.PASS)
    assert words in finding.summary
    assert EXTERNAL_ID not in repr(finding)


@pytest.mark.parametrize("check", find(), ids=lambda check: check.id)
def test_no_check_judges_what_it_has_not_read(check):
    """A part that was forgotten is an error, never a finding about the account."""
    wanted = outputs(ID, "payer", tuple(table().features))
    wanted = wanted.model_copy(update={"stackset": expected().stackset})
    desired = Desired(wanted, EXTERNAL_ID, ROTATION)
    try:
        finding = check.judge(desired, Observed())
    except LookupError as error:
        assert "that was not read" in str(error)
    else:
        assert finding.summary.startswith("Not tried: only Octo's own account")
