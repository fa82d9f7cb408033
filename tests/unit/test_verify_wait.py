"""Within the wait of ``verify --wait``, a call that fails in passing is made again."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from orchestrator.aws.session import Aws
from orchestrator.model.desired import Desired
from orchestrator.verify import runner
from orchestrator.verify.model import Check, Context, Finding, Status, passed, pending
from tests.registered import outputs

CONTEXT = Context(
    Desired(outputs("111122223333", "linked"), "the-id"),
    Aws(boto3.Session(region_name="us-east-1")),
    None,
    lambda: 0.0,
)


def service_error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetRole")


PASSING = [
    service_error("ThrottlingException", 400),
    service_error("InternalFailure", 500),
    service_error("ExpiredToken", 403),
    EndpointConnectionError(endpoint_url="https://iam.amazonaws.com"),
]


@pytest.fixture
def verify(monkeypatch):
    """Runs one check, whose runs end in the given answers; returns the report and warnings."""

    def run(
        *answers: Finding | Exception,
        wait: float = 60.0,
        sleep=lambda _: None,
        awaited: bool = True,
    ) -> Any:
        left = list(answers)

        def judge(*_: object) -> Finding:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        one = Check("api_access.role", "It holds.", ("iam:GetRole",), judge, awaited=awaited)
        monkeypatch.setattr(runner, "find", lambda: (one,))
        warnings: list[str] = []
        report = runner.verify(CONTEXT, wait_seconds=wait, sleep=sleep, warn=warnings.append)
        return report.results[0].finding, warnings, len(left)

    return run


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__ + str(error)[:40])
def test_a_call_that_fails_in_passing_is_made_again(verify, error):
    finding, warnings, _ = verify(pending("not yet", "wait"), error, error, passed("it is there"))
    assert finding.status is Status.PASS
    (warning,) = warnings  # once, although it failed twice
    assert "tried again until the wait ends" in warning


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__ + str(error)[:40])
def test_without_a_wait_it_fails_at_once(verify, error):
    finding, warnings, _ = verify(error, passed("it is there"), wait=0.0)
    assert (finding.status, warnings) == (Status.FAIL, [])


def test_what_takes_days_is_not_waited_for(verify):
    def sleep(_seconds: float) -> None:
        raise AssertionError("it waits for days")

    finding, _, _ = verify(pending("not yet", "in days"), sleep=sleep, awaited=False)
    assert finding.status is Status.PENDING


def test_a_denied_access_is_not_retried(verify):
    def sleep(_seconds: float) -> None:
        raise AssertionError("it waits for nothing")

    finding, warnings, _ = verify(service_error("AccessDenied", 403), sleep=sleep)
    assert (finding.status, warnings) == (Status.FAIL, [])


def test_the_failure_is_reported_where_the_wait_ends(verify, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(runner.time, "monotonic", lambda: float(next(clock)))
    finding, warnings, _ = verify(service_error("InternalFailure", 500), wait=100.0)
    assert finding.status is Status.FAIL
    assert "GetRole returned InternalFailure" in finding.summary
    assert len(warnings) == 1


def test_an_error_of_our_own_ends_the_run(verify):
    with pytest.raises(ZeroDivisionError):
        verify(ZeroDivisionError())
