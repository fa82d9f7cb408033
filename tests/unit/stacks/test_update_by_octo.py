"""What is said of an update that Octo was asked for, by what CloudFormation has made of it."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from orchestrator.app.console import update as updating
from orchestrator.app.console.update import StackUpdate
from orchestrator.aws.cloudformation import StackStatus
from orchestrator.errors import ConfigError, ExitCode, OctoTfError
from orchestrator.model.registration.access import Credentials
from orchestrator.stacks.observed import ObservedStack
from orchestrator.stacks.steps import ExpectedStack

BEFORE = StackStatus("CREATE_COMPLETE", None)
STACK = ObservedStack(
    "complete",
    "Access",
    "CREATE_COMPLETE",
    stack_id="arn:aws:cloudformation:eu-west-1:111122223333:stack/Access/1",
)


def updated(*statuses: str) -> float:
    """Has Octo update a stack that has one status after the other; the seconds that it took."""
    now = datetime(2026, 1, 2, tzinfo=timezone.utc)
    answers = [BEFORE, *(BEFORE if s == BEFORE.status else StackStatus(s, now) for s in statuses)]
    last, slept = answers[-1], []
    cloud = SimpleNamespace(stack_status=lambda *_: answers.pop(0) if answers else last)
    flow = SimpleNamespace(
        context=SimpleNamespace(
            cloud=cloud, octo=SimpleNamespace(api=SimpleNamespace(update=lambda _account: None))
        ),
        account=SimpleNamespace(account_id="111122223333"),
        registration=SimpleNamespace(credentials=Credentials(profile="acme")),
    )
    updating.by_octo(flow, StackUpdate(STACK, (), ()), sleep=slept.append)
    return sum(slept)


def test_an_update_is_refused_where_the_address_of_the_console_is_not_known():
    """The plan of the update refuses it, before Octo is called."""
    flow = SimpleNamespace(
        context=SimpleNamespace(cloud=SimpleNamespace(stack_parameters=lambda *_: {})),
        account=SimpleNamespace(account_id="111122223333"),
        registration=SimpleNamespace(credentials=Credentials()),
        partition="aws-new",
        stacks=lambda _step: (
            ExpectedStack("api-access", "api-access", "Access", "new-a-1", {}, "role"),
        ),
        describe=lambda _stack: STACK,
    )
    with pytest.raises(ConfigError, match="aws-new"):
        updating.plan(flow, template_url="")


def test_an_update_that_ends_is_waited_for():
    assert updated("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE") == 4


@pytest.mark.parametrize(
    ("status", "code", "what", "hint"),
    [
        (
            "UPDATE_IN_PROGRESS",
            ExitCode.VERIFICATION_PENDING,
            "CloudFormation did not finish the update within 15 minutes",
            "Run octo-tf console update once CloudFormation has finished.",
        ),
        (
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            ExitCode.VERIFICATION_PENDING,
            "CloudFormation did not finish the update within 15 minutes",
            "Run octo-tf console update once CloudFormation has finished.",
        ),
        (
            "CREATE_COMPLETE",
            ExitCode.VERIFICATION_PENDING,
            "did not start it within 15 minutes: the stack Access still is CREATE_COMPLETE",
            "Run octo-tf console update later",
        ),
        (
            "UPDATE_ROLLBACK_IN_PROGRESS",
            ExitCode.ERROR,
            "UPDATE_ROLLBACK_IN_PROGRESS: Octo has not updated it",
            "Wait until CloudFormation has finished. Update it with",
        ),
        (
            "UPDATE_ROLLBACK_COMPLETE",
            ExitCode.ERROR,
            "UPDATE_ROLLBACK_COMPLETE: Octo has not updated it",
            "permission. Update it with the account's own credentials",
        ),
        (
            "UPDATE_ROLLBACK_FAILED",
            ExitCode.ERROR,
            "UPDATE_ROLLBACK_FAILED: Octo has not updated it",
            "First run aws cloudformation continue-update-rollback --stack-name Access"
            " --region eu-west-1 --profile acme.",
        ),
        ("", ExitCode.ERROR, "is gone: Octo has not updated it", "Its events"),
    ],
)
def test_what_has_not_ended_in_15_minutes_is_said_as_it_is(status, code, what, hint):
    with pytest.raises(OctoTfError) as found:
        updated(status)
    assert found.value.exit_code == code
    assert what in found.value.what
    assert hint in found.value.hint
    assert found.value.where == "account 111122223333, eu-west-1"
