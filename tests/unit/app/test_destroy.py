"""An account leaves in the order of its plan, after consent, and goes on where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.app.destroy import destroy, plan
from orchestrator.app.leaving import Request
from orchestrator.errors import (
    AwsError,
    ConfigError,
    EngineError,
    OctoTfError,
    OctoUnreachable,
    PlanRefused,
    Refused,
    WrongAccount,
)
from orchestrator.model.octo_records import AccountRecord
from orchestrator.model.outside_action import (
    DELETE_BUCKET,
    KEEP_BUCKET,
    REMOVE_ACCOUNTS,
    UNREGISTER,
)
from orchestrator.model.stackset import StackInstance
from orchestrator.octo.departure import Departure
from orchestrator.terraform import journal
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import STACKSET, TARGET, StateEdit, StateResource
from tests.unit.app.fakes import ACCOUNT, TARGET_ADDRESS, Scene, scene

BUCKET, LINKED, OTHER = "alphaus-cur-export", "222222222222", "333333333333"
ARN = f"arn:aws:cloudformation:us-east-1:{ACCOUNT.account_id}"
DELETE_DATA = Request(delete_bucket=True, delete_data=True)
GONE = tuple(
    PlannedChange(f"module.octo.{kind}.{name}", kind, "delete")
    for kind, name in (
        ("aws_iam_role", "api_access"),
        ("aws_cur_report_definition", "cur[0]"),
        (STACKSET, "api_access[0]"),
    )
)
ROUTE = [
    "cloud.identify",
    "octo.describe_departure",
    "terraform.check_lock",
    "terraform.init",
    "cloud.observe_linked_accounts",
    "terraform.preview",
    "consent",
    "cloud.wait_for_deployments",
    "cloud.observe_linked_accounts",
    "cloud.delete_stacks",
    "cloud.observe_linked_accounts",
    "terraform.forget",
    "terraform.plan",
    "terraform.apply_plan",
    "octo.note_destroyed",
    "octo.unregister",
]


def held(kind: str, name: str, arn: str = "") -> StateResource:
    return StateResource(kind, f"module.octo.{kind}.{name}", "", False, arn)


@pytest.fixture
def route(tmp_path: Path) -> Scene:
    """A payer with a bucket of its own and a StackSet in one linked account; Octo has two."""
    made = scene(tmp_path, use_stackset=True)
    made.terraform.held = [
        held("aws_iam_role", "api_access"),
        held("aws_s3_bucket", "cur[0]", f"arn:aws:s3:::{BUCKET}"),
        held("aws_s3_bucket_versioning", "cur[0]"),
        held(STACKSET, "api_access[0]", f"{ARN}:stackset/alphaus-api-access-stackset:0-1"),
        StateResource(TARGET, TARGET_ADDRESS, "r-1", False, ""),
    ]
    made.terraform.changes = [GONE, GONE]
    instance = StackInstance(LINKED, "r-1", "CURRENT", "SUCCEEDED", "", "", True, "us-east-1")
    deployed = replace(made.cloud.linked.deployed, instances={LINKED: instance})
    made.cloud.linked = replace(made.cloud.linked, deployed=deployed)
    names = {LINKED: "one", OTHER: "two"}
    made.octo.departure = Departure(ACCOUNT.account_id, is_known=True, linked=names)
    return made


def leave(route: Scene, request: Request | None = None):
    return destroy(route.context, request or Request(), consent=route.agree)


def test_an_account_leaves_by_the_route_in_its_order(route):
    leaving = leave(route)
    assert route.calls == ROUTE
    codes = [action.code for action in leaving.review.outside]
    assert codes == [REMOVE_ACCOUNTS, KEEP_BUCKET, UNREGISTER]
    assert route.octo.destroyed == {ACCOUNT.account_id, LINKED}


@pytest.mark.parametrize("step", sorted(set(ROUTE), key=ROUTE.index))
def test_a_step_that_fails_ends_the_route_there(route, step):
    route.recording.failures[step] = OctoTfError("failed")
    with pytest.raises(OctoTfError, match="failed"):
        leave(route)
    assert route.calls == ROUTE[: ROUTE.index(step) + 1]
    assert not route.context.plan_file.exists()


@pytest.mark.parametrize("step", sorted({*ROUTE[: ROUTE.index("consent") + 1]}))
def test_nothing_is_changed_before_consent(route, step):
    route.recording.failures[step] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        leave(route)
    assert route.recording.writes == []


def test_a_plan_asks_nobody_and_changes_nothing(route):
    assert plan(route.context, Request()).review.has_changes
    assert "consent" not in route.calls
    assert route.recording.writes == []


def test_the_credentials_of_another_account_do_not_even_make_the_folder(route):
    route.recording.failures["cloud.identify"] = WrongAccount("another account's")
    with pytest.raises(WrongAccount):
        leave(route)
    assert not route.context.folder.exists()


def test_only_linked_accounts_of_the_stackset_leave_octo(route):
    leaving = leave(route)
    assert leaving.departure.linked == {LINKED: "one"}
    assert any(f"{OTHER} two" in sentence for sentence in leaving.stays)


def test_a_bucket_in_the_plan_is_refused_by_the_guard(route):
    bucket = PlannedChange("module.octo.aws_s3_bucket.cur[0]", "aws_s3_bucket", "delete")
    route.terraform.changes = [(*GONE, bucket)]
    with pytest.raises(PlanRefused, match="billing data"):
        leave(route, DELETE_DATA)
    assert route.recording.writes == []


def test_after_the_state_was_edited_another_plan_is_not_applied(route):
    route.terraform.changes = [GONE, GONE[1:]]
    with pytest.raises(PlanRefused, match="something else"):
        leave(route)
    assert "terraform.apply_plan" not in route.calls


def test_a_bucket_with_data_is_not_deleted_by_half_a_wish(route):
    with pytest.raises(Refused, match="not empty"):
        leave(route, Request(delete_bucket=True))
    assert route.recording.writes == []
    leaving = leave(route, DELETE_DATA)
    assert leaving.bucket is not None and leaving.bucket.with_data
    assert route.calls[-2:] == ["cloud.delete_bucket", "octo.unregister"]
    assert DELETE_BUCKET in {action.code for action in leaving.review.outside}


def test_data_is_not_deleted_from_a_bucket_that_was_empty_when_it_was_asked_for(route):
    route.cloud.bucket_data = False
    leaving = leave(route, DELETE_DATA)
    assert leaving.bucket is not None and not leaving.bucket.with_data


def test_a_bucket_whose_deletion_failed_is_deleted_by_the_next_run(route):
    route.recording.failures["cloud.delete_bucket"] = AwsError("denied")
    with pytest.raises(AwsError):
        leave(route, DELETE_DATA)
    del route.recording.failures["cloud.delete_bucket"]
    route.terraform.held = []
    leaving = leave(route, DELETE_DATA)
    assert leaving.bucket is not None and leaving.bucket.name == BUCKET
    assert route.calls[-2:] == ["cloud.delete_bucket", "octo.unregister"]


def test_the_bucket_of_another_owner_is_never_deleted(tmp_path):
    route = scene(tmp_path, cur_s3_bucket_option="USE_EXISTING", cur_s3_bucket_name="theirs")
    with pytest.raises(Refused, match="did not make the bucket"):
        leave(route, Request(delete_bucket=True))


def test_a_linked_account_that_keeps_its_stack_is_named_and_nothing_else_is_destroyed(route):
    route.cloud.stuck = True
    with pytest.raises(AwsError, match=LINKED) as caught:
        leave(route)
    assert "--keep-linked-roles" in caught.value.hint
    assert route.recording.writes == ["cloud.delete_stacks"]


def test_accounts_that_the_stackset_reached_leave_although_it_is_gone(route):
    """An earlier run ended between the StackSet and Octo: the ledger has them."""
    route.terraform.held = []
    record = AccountRecord(account_id=LINKED, account_name="one", account_type="linked")
    route.octo.records = lambda: {LINKED: record}  # type: ignore[method-assign]
    leaving = leave(route)
    assert "terraform.apply_plan" not in route.calls
    assert leaving.departure.linked == {LINKED: "one"}
    assert route.recording.writes == ["octo.note_destroyed", "octo.unregister"]
    assert route.octo.destroyed == {ACCOUNT.account_id, LINKED}


def test_without_anything_left_nobody_is_asked(route):
    route.terraform.held, route.octo.departure = [], Departure(ACCOUNT.account_id)
    assert not leave(route).review.has_changes
    assert "consent" not in route.calls
    assert "terraform.plan" not in route.calls


def test_without_credentials_it_is_said_what_octo_keeps(route):
    route.octo.api, route.octo.departure = None, Departure(ACCOUNT.account_id)
    leaving = leave(route)
    assert "octo.unregister" not in route.calls
    assert "remove it there" in leaving.stays[-1]


def test_an_octo_that_does_not_answer_ends_it_before_anything_is_changed(route):
    route.recording.failures["octo.describe_departure"] = OctoUnreachable("no answer")
    with pytest.raises(OctoUnreachable):
        leave(route)
    assert route.recording.writes == []


def test_an_unreadable_state_is_not_guessed_at(route):
    route.terraform.damage = (StateEdit("set_aside", "terraform.tfstate"),)
    with pytest.raises(Refused, match="does not say what is to be destroyed"):
        leave(route)


def test_what_a_killed_apply_may_have_left_is_warned_of(route):
    route.context.folder.mkdir(parents=True)
    create = PlannedChange("module.octo.aws_iam_role.cur[0]", "aws_iam_role", "create")
    journal.begin(route.context.folder, Plan(route.context.plan_file, (create,), True))
    leave(route)
    assert any("did not end" in getattr(e, "text", "") for e in route.recording.events)


def test_another_stackset_than_the_applied_one_is_refused(route):
    route.cloud.stackset_name = "renamed"
    with pytest.raises(Refused, match="alphaus-api-access-stackset, not renamed"):
        leave(route)


def test_a_failed_terraform_leaves_octo_as_it_is(route):
    route.recording.failures["terraform.apply_plan"] = EngineError("denied")
    with pytest.raises(EngineError):
        leave(route)
    assert "octo.unregister" not in route.calls


def test_options_of_terraform_are_refused_after_the_console_path(route):
    route.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", method="console"
    )
    with pytest.raises(ConfigError, match="deleted there"):
        leave(route, Request(delete_bucket=True))
