"""Each feature is proved by itself: what is broken of it fails its checks, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from orchestrator.errors import ExitCode
from orchestrator.sandbox import control
from orchestrator.verify.model import Report, Status
from tests.contract.verify.test_checks import failing, finding, put_policy, trusting
from tests.registered import EXTERNAL_ID, MANY, Registered, outputs, trust

FEATURES = ("cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution")
SEARCHER, EXECUTOR = "OctoRecommendationSearcherRole", "OctoChangeExecutorRole"
API_ROLE = "AlphausAcctAccessRole"


@pytest.fixture
def registered(sandbox, aws, session) -> Iterator[Registered]:
    """A standalone account with every feature, enrolled, whose report has been delivered."""
    expected = outputs("222222222222", "standalone", FEATURES, MANY)
    account = Registered(aws("standalone"), expected)
    account.unmake()
    account.make()
    control.deliver(sandbox.endpoint_url)
    hub = session("standalone").client("cost-optimization-hub")
    hub.update_enrollment_status(status="Active")
    yield account
    hub.update_enrollment_status(status="Inactive")
    account.unmake()


def statuses(report: Report) -> dict[str, str]:
    return {name: status.value for name, status in report.features.items()}


def test_every_feature_is_proved_and_recommendations_take_days(registered, look):
    report = look(registered)
    assert failing(report) == set()
    assert report.areas == {"api_access": "pass", "cur_s3": "pass", "stackset": "skipped"}
    assert statuses(report) == {
        **dict.fromkeys(FEATURES[1:], "pass"),
        "recommendations": "pending",
    }
    assert report.exit_code is ExitCode.VERIFICATION_PENDING
    arrival = finding(report, "recommendations.arrival")
    assert "1 to 3 days" in arrival.hint
    plan = finding(report, "recommendations.trusted_advisor")
    assert (plan.status, "Business Support" in plan.hint) == (Status.WARN, True)
    assert "ec2:DescribeInstances" in finding(report, "recommendations.access").evidence["read"]
    simulated = finding(report, "execution.permissions")
    assert int(str(simulated.evidence["actions"])) > 20


def test_after_three_days_there_may_be_nothing_to_recommend(registered, look):
    import time

    report = look(registered, now=lambda: time.time() + 73 * 3600)
    assert finding(report, "recommendations.arrival").status is Status.PASS


def without(role: str) -> Callable[[Registered], None]:
    def run(account: Registered) -> None:
        iam = account.client("iam")
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=role)

    return run


def without_policy(role: str, name: str) -> Callable[[Registered], None]:
    return lambda account: account.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


def without_element(account: Registered) -> None:
    """The report is another one; a report cannot lose an element."""
    cur = account.client("cur")
    cur.delete_report_definition(ReportName="curreport")
    cur.put_report_definition(
        ReportDefinition=account.report(AdditionalSchemaElements=["RESOURCES"])
    )


def bounded(account: Registered) -> None:
    """The executor's boundary forgets to let it stop instances."""
    iam = account.client("iam")
    arn = f"arn:aws:iam::{account.expected.account_id}:policy/OctoExecutionBoundary"
    held = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    for statement in held["Statement"]:
        if "ec2:StopInstances" in statement["Action"]:
            statement["Action"].remove("ec2:StopInstances")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(held), SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")


ADDITIONAL = "arn:aws:iam::222222222222:policy/OctoAdditional1"


def another_version(account: Registered) -> None:
    """A managed policy of additional actions was widened by hand."""
    wider = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    account.client("iam").create_policy_version(
        PolicyArn=ADDITIONAL,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [wider]}),
        SetAsDefault=True,
    )


def detached(account: Registered) -> None:
    account.client("iam").detach_role_policy(RoleName=API_ROLE, PolicyArn=ADDITIONAL)


BROKEN = {
    "no searcher": (
        without(SEARCHER),
        {"recommendations.roles", "recommendations.permissions", "recommendations.access"},
    ),
    "no reads of recommendations on the API access role": (
        without_policy(API_ROLE, "octo-recommendations"),
        {"recommendations.roles", "recommendations.permissions", "recommendations.access"},
    ),
    "the searcher may do more": (put_policy(SEARCHER, "by-hand"), {"recommendations.roles"}),
    "the searcher is open": (
        trusting(SEARCHER, trust(None)),
        {"recommendations.roles", "recommendations.access"},
    ),
    "no metrics": (
        without_policy(API_ROLE, "octo-unit-metrics"),
        {"unit_metrics.roles"},
    ),
    "no split costs": (without_element, {"container_cost.report", "cur_s3.report"}),
    "Octo itself may execute": (
        trusting(EXECUTOR, trust(EXTERNAL_ID)),
        {"execution.roles", "execution.access"},
    ),
    "a boundary without the action": (bounded, {"execution.permissions"}),
}


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (another_version, {"api_access.policies", "recommendations.roles"}),
        (detached, {"api_access.policies", "api_access.permissions"}),
    ],
)
def test_the_managed_policies_of_additional_actions_are_verified(
    registered, look, break_it, expected
):
    break_it(registered)
    assert failing(look(registered)) == expected


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_of_a_feature_fails_its_checks_alone(registered, look, name):
    break_it, expected = BROKEN[name]
    break_it(registered)
    report = look(registered)
    assert failing(report) == expected
    assert all(finding(report, check).hint for check in expected)
    assert report.exit_code is ExitCode.VERIFICATION_FAILED
    assert report.areas["api_access"] is Status.PASS
    assert report.can_finish, "a feature keeps nobody from Confirm and Finish"


def test_without_octos_credentials_all_is_simulated_and_nothing_tried(registered, look):
    report = look(registered, principal=False)
    assert failing(report) == set()
    assert finding(report, "execution.access").status is Status.SKIPPED
    assert finding(report, "execution.permissions").status is Status.PASS
