"""Each promise, broken one at a time: exactly its checks fail, each with a hint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime

import pytest

from orchestrator.errors import ExitCode
from orchestrator.report import render_verification
from orchestrator.sandbox import control
from orchestrator.verify.cur import last_delivery
from orchestrator.verify.model import Area, Report, Status
from tests.registered import (
    CUR_ROLE,
    EXTERNAL_ID,
    ROLE,
    Registered,
    delivery_statements,
    outputs,
    tls_only,
    trust,
)

ANYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)

TWO_STATEMENTS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            json.loads(trust(own))["Statement"][0] for own in (EXTERNAL_ID, "another-id")
        ],
    }
)


def failing(report: Report) -> set[str]:
    return {r.id for r in report.results if r.finding.status is Status.FAIL}


def finding(report: Report, check_id: str):
    return next(r.finding for r in report.results if r.id == check_id)


def trusting(role: str, document: str) -> Callable[[Registered], None]:
    return lambda account: account.client("iam").update_assume_role_policy(
        RoleName=role, PolicyDocument=document
    )


def without_report(account: Registered) -> None:
    account.client("cur").delete_report_definition(ReportName="curreport")


def modified(**changes) -> Callable[[Registered], None]:
    return lambda account: account.client("cur").modify_report_definition(
        ReportName="curreport", ReportDefinition=account.report(**changes)
    )


def bucket_policy(make: Callable[[str], list[dict]]) -> Callable[[Registered], None]:
    return lambda account: account.put_bucket_policy(*make(account.bucket))


def statements(bucket: str) -> list[dict]:
    return [*delivery_statements(bucket, "222222222222"), tls_only(bucket)]


def changed(bucket: str, number: int, **changes) -> list[dict]:
    all_of_them = statements(bucket)
    all_of_them[number] = {**all_of_them[number], **changes}
    return all_of_them


def attach_managed(account: Registered) -> None:
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName="by-hand", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)


def put_policy(role: str, name: str) -> Callable[[Registered], None]:
    return lambda account: account.client("iam").put_role_policy(
        RoleName=role, PolicyName=name, PolicyDocument=ANYTHING
    )


def remove_role(name: str) -> Callable[[Registered], None]:
    def run(account: Registered) -> None:
        iam = account.client("iam")
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)

    return run


def remove_policy(account: Registered) -> None:
    account.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="octo-cost")


def lose_a_file(account: Registered) -> None:
    s3 = account.client("s3")
    (key,) = (
        entry["Key"]
        for entry in s3.list_objects_v2(Bucket=account.bucket)["Contents"]
        if entry["Key"].endswith(".zip")
    )
    s3.delete_object(Bucket=account.bucket, Key=key)


BROKEN = {
    "trust of another id": (
        trusting(ROLE, trust("another-id")),
        {"api_access.trust", "api_access.assume"},
    ),
    "trust without an id": (
        trusting(ROLE, trust(None)),
        {"api_access.trust", "api_access.assume"},
    ),
    "trust by StringLike": (
        trusting(ROLE, trust(Condition={"StringLike": {"sts:ExternalId": EXTERNAL_ID}})),
        {"api_access.trust"},
    ),
    "trust if an id exists": (
        trusting(ROLE, trust(Condition={"StringEqualsIfExists": {"sts:ExternalId": EXTERNAL_ID}})),
        {"api_access.trust", "api_access.assume"},
    ),
    "trust of one of two ids": (
        trusting(ROLE, trust(Condition={"StringEquals": {"sts:ExternalId": [EXTERNAL_ID, "b2"]}})),
        {"api_access.trust"},
    ),
    "trust of everybody": (trusting(ROLE, trust(Principal={"AWS": "*"})), {"api_access.trust"}),
    "trust of a second account": (
        trusting(ROLE, trust(Principal={"AWS": ["131920598436", "111111111111"]})),
        {"api_access.trust"},
    ),
    "trust of a service too": (
        trusting(
            ROLE,
            trust(Principal={"AWS": "131920598436", "Service": "ec2.amazonaws.com"}),
        ),
        {"api_access.trust"},
    ),
    "trust that also tags": (
        trusting(ROLE, trust(Action=["sts:AssumeRole", "sts:TagSession"])),
        {"api_access.trust"},
    ),
    "trust by a second statement": (trusting(ROLE, TWO_STATEMENTS), {"api_access.trust"}),
    "an extra inline policy": (put_policy(ROLE, "by-hand"), {"api_access.policies"}),
    "an extra managed policy": (attach_managed, {"api_access.policies"}),
    "a changed inline policy": (put_policy(ROLE, "octo-cost"), {"api_access.policies"}),
    "a missing inline policy": (remove_policy, {"api_access.policies", "api_access.permissions"}),
    "no role": (
        remove_role(ROLE),
        {
            "api_access.role",
            "api_access.trust",
            "api_access.policies",
            "api_access.permissions",
            "api_access.assume",
        },
    ),
    "no report": (without_report, {"cur_s3.report", "cur_s3.delivery"}),
    "another prefix": (modified(S3Prefix="other"), {"cur_s3.report"}),
    "another compression": (modified(Compression="GZIP"), {"cur_s3.report"}),
    "no bucket policy": (
        lambda account: account.client("s3").delete_bucket_policy(Bucket=account.bucket),
        {"cur_s3.bucket_policy"},
    ),
    "no statement to look": (
        bucket_policy(lambda bucket: statements(bucket)[1:]),
        {"cur_s3.bucket_policy"},
    ),
    "no statement to write": (
        bucket_policy(lambda bucket: [statements(bucket)[0], statements(bucket)[2]]),
        {"cur_s3.bucket_policy"},
    ),
    "no statement for TLS": (
        bucket_policy(lambda bucket: statements(bucket)[:2]),
        {"cur_s3.bucket_policy"},
    ),
    "writing to the prefix only": (
        bucket_policy(lambda b: changed(b, 1, Resource=f"arn:aws:s3:::{b}/pre/*")),
        {"cur_s3.bucket_policy"},
    ),
    "writing for another account": (
        bucket_policy(
            lambda b: changed(b, 1, Condition={"StringEquals": {"aws:SourceAccount": "1" * 12}})
        ),
        {"cur_s3.bucket_policy"},
    ),
    "writing for any account": (
        bucket_policy(lambda b: changed(b, 1, Condition={})),
        {"cur_s3.bucket_policy"},
    ),
    "a source ARN of the wrong region": (
        bucket_policy(
            lambda b: changed(
                b,
                0,
                Condition={"ArnLike": {"aws:SourceArn": "arn:aws:cur:eu-west-1:222222222222:*"}},
            )
        ),
        {"cur_s3.bucket_policy"},
    ),
    "a deny of every write": (
        bucket_policy(
            lambda b: [
                *statements(b),
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:Put*",
                    "Resource": f"arn:aws:s3:::{b}/*",
                },
            ]
        ),
        {"cur_s3.bucket_policy"},
    ),
    "public access not blocked": (
        lambda account: account.client("s3").delete_public_access_block(Bucket=account.bucket),
        {"cur_s3.public_access"},
    ),
    "the CUR role without an id": (
        trusting(CUR_ROLE, trust(None)),
        {"cur_s3.role", "cur_s3.read"},
    ),
    "the CUR role may do anything": (put_policy(CUR_ROLE, "octo-cur-read"), {"cur_s3.role"}),
    "the CUR role may also do something else": (put_policy(CUR_ROLE, "more"), {"cur_s3.role"}),
    "no CUR role": (remove_role(CUR_ROLE), {"cur_s3.role", "cur_s3.read"}),
    "a file of the report is lost": (lose_a_file, {"cur_s3.delivery"}),
}


def test_a_right_account_passes_every_check(registered, look):
    report = look(registered)
    assert failing(report) == set()
    assert report.areas == {
        Area.API_ACCESS: Status.PASS,
        Area.CUR_S3: Status.PASS,
        Area.STACKSET: Status.SKIPPED,
    }
    assert report.exit_code is ExitCode.DONE
    assert report.can_finish


@pytest.mark.parametrize("name", BROKEN)
def test_exactly_the_broken_promise_fails_with_a_hint(registered, look, name):
    break_it, expected = BROKEN[name]
    break_it(registered)
    report = look(registered)
    assert failing(report) == expected
    for check_id in expected:
        assert finding(report, check_id).hint
    assert report.exit_code is ExitCode.VERIFICATION_FAILED
    assert report.can_finish == all(check.startswith("cur_s3") for check in expected)
    assert EXTERNAL_ID not in render_verification(report, "json") + render_verification(
        report, "table"
    )


def test_a_linked_account_is_checked_for_access_only(sandbox, aws, look):
    account = Registered(aws("linked-1"), outputs(sandbox.accounts["linked-1"], "linked"))
    account.make()
    report = look(account)
    account.unmake()
    assert failing(report) == set()
    assert {r.area for r in report.results} == {Area.API_ACCESS}
    assert report.areas[Area.CUR_S3] is Status.SKIPPED
    assert report.exit_code is ExitCode.DONE


def test_without_octos_credentials_access_is_not_tried_and_not_passed(registered, look):
    report = look(registered, principal=False)
    for check_id in ("api_access.assume", "cur_s3.read"):
        assert finding(report, check_id).status is Status.SKIPPED
        assert "Octo" in finding(report, check_id).hint
    assert report.areas[Area.API_ACCESS] is Status.PASS


def test_the_weaker_trust_passes_where_it_was_asked_for_and_is_marked(registered, look):
    trusting(CUR_ROLE, trust(None))(registered)
    registered.expected = outputs("222222222222", "standalone", role_trust="principal_only")
    report = look(registered)
    assert failing(report) == set()
    assert "WEAKER" in finding(report, "cur_s3.role").summary
    assert finding(report, "cur_s3.role").evidence["weaker"] is True


def test_an_owners_bucket_gets_the_statements_in_its_hint(registered, look):
    registered.expected = outputs(
        "222222222222",
        "standalone",
        s3_bucket_option="USE_EXISTING",
        bucket_policy_management="owner",
    )
    registered.client("s3").delete_bucket_policy(Bucket=registered.bucket)
    hint = finding(look(registered), "cur_s3.bucket_policy").hint
    assert "cur_s3_bucket_merge_policy: true" in hint
    assert json.loads(hint[hint.index("[") :]) == delivery_statements(
        registered.bucket, "222222222222"
    )


def test_a_bucket_in_another_region_is_named(registered, look):
    registered.expected = outputs("222222222222", "standalone", s3_bucket_region="eu-west-1")
    found = finding(look(registered), "cur_s3.bucket")
    assert found.status is Status.FAIL
    assert "cur_s3_bucket_region: us-east-1" in found.hint


def test_a_bucket_that_is_not_there_is_named(registered, look):
    registered.expected = outputs("222222222222", "standalone", s3_bucket_name="nobodys-bucket")
    found = finding(look(registered), "cur_s3.bucket")
    assert (found.status, found.evidence["bucket"]) == (Status.FAIL, "nobodys-bucket")


def test_somebody_elses_bucket_is_not_taken_for_ours(registered, look, session):
    s3 = session("payer").client("s3")
    s3.create_bucket(Bucket="somebody-elses")
    registered.expected = outputs("222222222222", "standalone", s3_bucket_name="somebody-elses")
    found = finding(look(registered), "cur_s3.bucket")
    s3.delete_bucket(Bucket="somebody-elses")
    assert found.status is Status.FAIL
    assert "s3:GetBucketLocation" in found.summary


# Arrival


def arrival(report: Report) -> tuple[Status, object]:
    found = finding(report, "cur_s3.delivery")
    return found.status, found.evidence["arrival"]


@pytest.fixture
def undelivered(sandbox, aws):
    account = Registered(aws("standalone"), outputs("222222222222", "standalone"))
    account.unmake()
    account.make()
    yield account
    account.unmake()


def test_before_anything_arrives_the_report_is_pending(undelivered, look):
    report = look(undelivered)
    assert arrival(report) == (Status.PENDING, "policy_ok")
    assert report.exit_code is ExitCode.VERIFICATION_PENDING
    assert "24 hours" in finding(report, "cur_s3.delivery").hint


def test_without_a_policy_it_is_only_configured(undelivered, look):
    undelivered.client("s3").delete_bucket_policy(Bucket=undelivered.bucket)
    assert arrival(look(undelivered)) == (Status.PENDING, "configured")


def test_the_test_object_alone_is_a_state_of_its_own(undelivered, look):
    key = "aws-programmatic-access-test-object"
    undelivered.client("s3").put_object(Bucket=undelivered.bucket, Key=key, Body=b"")
    assert arrival(look(undelivered)) == (Status.PENDING, "first_object")


def test_a_delivery_error_is_reported(sandbox, undelivered, look):
    undelivered.client("s3").delete_bucket_policy(Bucket=undelivered.bucket)
    control.deliver(sandbox.endpoint_url)
    report = look(undelivered)
    assert arrival(report) == (Status.FAIL, "error")
    assert "ERROR_PERMISSIONS" in finding(report, "cur_s3.delivery").summary


def test_a_delivered_report_is_current_and_later_stale(registered, look):
    assert arrival(look(registered)) == (Status.PASS, "current")
    in_two_days = time.time() + 48 * 3600
    assert arrival(look(registered, now=lambda: in_two_days)) == (Status.FAIL, "stale")


def test_the_time_of_the_last_delivery_is_in_the_report(registered, look):
    delivered_at = last_delivery(look(registered))
    assert delivered_at is not None
    assert delivered_at.endswith("+00:00")
    age = time.time() - datetime.fromisoformat(delivered_at).timestamp()
    assert -2 < age < 3600  # seconds; the sandbox delivered when the report was made


def test_before_the_first_delivery_there_is_no_time(undelivered, look):
    assert last_delivery(look(undelivered)) is None


def test_waiting_goes_on_until_nothing_is_pending(sandbox, undelivered, look):
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        control.deliver(sandbox.endpoint_url)

    report = look(undelivered, wait_seconds=60, sleep=nap)
    assert arrival(report) == (Status.PASS, "current")
    assert len(naps) == 1


def test_settling_looks_again_at_what_failed(registered, look):
    trusting(ROLE, trust("not-yet"))(registered)
    repair = trusting(ROLE, trust())
    report = look(registered, settle_seconds=60, sleep=lambda _seconds: repair(registered))
    assert failing(report) == set()


# What may not be looked at


def test_a_check_that_may_not_look_fails_and_names_the_permission(registered, look, aws):
    iam = registered.client("iam")
    iam.create_user(UserName="narrow")
    allowed = {"Effect": "Allow", "Action": ["s3:*", "cur:*"], "Resource": "*"}
    iam.put_user_policy(
        UserName="narrow",
        PolicyName="narrow",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    key = iam.create_access_key(UserName="narrow")["AccessKey"]
    import boto3

    from orchestrator.aws.session import Aws

    narrow = Aws(boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1"))
    report = look(Registered(narrow, registered.expected))
    iam.delete_access_key(UserName="narrow", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="narrow", PolicyName="narrow")
    iam.delete_user(UserName="narrow")
    for check_id in ("api_access.role", "api_access.trust", "api_access.policies", "cur_s3.role"):
        found = finding(report, check_id)
        assert found.status is Status.FAIL
        assert "iam:GetRole is denied" in found.summary
    simulated = finding(report, "api_access.permissions")
    assert simulated.status is Status.SKIPPED
    assert "iam:SimulatePrincipalPolicy" in simulated.hint
    assert not report.can_finish
