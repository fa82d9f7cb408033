"""An account leaves in the order of its plan, after consent, and goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.app.destroy import destroy, plan
from orchestrator.app.owned import Request
from orchestrator.app.plan import plan as plan_registration
from orchestrator.app.verify import verify
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
from orchestrator.model.control_policies import ControlPolicy
from orchestrator.model.guardrail import Exempted, Obstacle, Phase
from orchestrator.model.module_contract.octo_names import API_ROLE, CUR_ROLE
from orchestrator.model.observed import OwningStack
from orchestrator.model.octo_records import AccountRecord
from orchestrator.model.organization import Member
from orchestrator.model.outside_action import (
    DELETE_BUCKET,
    KEEP_BUCKET,
    REMOVE_ACCOUNTS,
    UNREGISTER,
)
from orchestrator.model.stackset import StackInstance
from orchestrator.octo.departure import Departure
from orchestrator.stackset.guardrails import Guardrails
from orchestrator.terraform import journal
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import STACKSET, TARGET, StateEdit, StateResource
from tests.unit.app.fakes import ACCOUNT, OUTPUTS, TARGET_ADDRESS, Scene, scene

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
    "cloud.predict_removal",
    "terraform.preview",
    "consent",
    "octo.note_destroying",
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
        held("aws_iam_role", "api_access", f"arn:aws:iam::{ACCOUNT.account_id}:role/{API_ROLE}"),
        held("aws_s3_bucket", "cur[0]", f"arn:aws:s3:::{BUCKET}"),
        held("aws_s3_bucket_versioning", "cur[0]"),
        held(STACKSET, "api_access[0]", f"{ARN}:stackset/alphaus-api-access-stackset:0-1"),
        StateResource(TARGET, TARGET_ADDRESS, "r-1", False, ""),
    ]
    made.terraform.changes = [GONE, GONE]
    deploy(made, {LINKED: "ACTIVE"})
    names = {LINKED: "one", OTHER: "two"}
    made.octo.departure = Departure(ACCOUNT.account_id, is_known=True, linked=names)
    return made


def deploy(route: Scene, states: dict[str, str], *, has_stack: bool = True) -> None:
    """Put linked accounts into the organization and the StackSet, by their state there."""
    instances = {
        account: StackInstance(account, "r-1", "CURRENT", "", "", "", has_stack, "us-east-1")
        for account in states
    }
    linked = route.cloud.linked
    members = tuple(Member(account, "", state, "r-1") for account, state in states.items())
    route.cloud.linked = replace(
        linked,
        organization=replace(linked.organization, members=members),
        deployed=replace(linked.deployed, instances=instances),
    )


def everything_is_gone(route: Scene) -> None:
    """Empty the state, and delete the StackSet."""
    route.terraform.held = []
    route.cloud.linked = replace(route.cloud.linked, deployed=None)


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


def test_an_account_that_left_its_organization_leaves_octo_where_there_are_no_reports(tmp_path):
    route = scene(tmp_path, region="us-gov-west-1")
    arn = f"arn:aws-us-gov:iam::{ACCOUNT.account_id}:role/operator"
    route.cloud._account = replace(ACCOUNT, account_type="standalone", caller_arn=arn)
    route.terraform.held = [held("aws_iam_role", "api_access", f"{arn[:-9]}/{API_ROLE}")]
    route.terraform.changes = [GONE[:1]]
    with pytest.raises(ConfigError, match="aws-us-gov"):
        plan_registration(route.context)
    route.terraform.known = {**OUTPUTS}
    assert verify(route.context).results == ()
    assert leave(route).review.has_changes
    values = json.loads((route.context.folder / "terraform.tfvars.json").read_text())
    assert values["account_type"] == "linked"
    main = (route.context.folder / "main.tf").read_text()
    assert main.count('provider "aws"') == 1  # none for a region of another partition


def test_only_linked_accounts_of_the_stackset_leave_octo(route):
    leaving = leave(route)
    assert leaving.departure.linked == {LINKED: "one"}
    assert any(f"{OTHER} two" in sentence for sentence in leaving.stays)


def test_a_bucket_in_the_plan_is_refused_by_the_guard(route):
    bucket = PlannedChange(
        "module.octo.module.cur_export[0].aws_s3_bucket.cur[0]", "aws_s3_bucket", "delete"
    )
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
    everything_is_gone(route)
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
    assert route.recording.writes == ["octo.note_destroying", "cloud.delete_stacks"]


def test_accounts_that_the_stackset_reached_leave_although_it_is_gone(route):
    """An earlier run ended between the StackSet and Octo: the ledger has them."""
    everything_is_gone(route)
    record = AccountRecord(account_id=LINKED, account_name="one", account_type="linked")
    route.octo.ledger.accounts = lambda: {LINKED: record}  # type: ignore[method-assign]
    leaving = leave(route)
    assert "terraform.apply_plan" not in route.calls
    assert leaving.departure.linked == {LINKED: "one"}
    assert route.recording.writes == [
        "octo.note_destroying",
        "octo.note_destroyed",
        "octo.unregister",
    ]
    assert route.octo.destroyed == {ACCOUNT.account_id, LINKED}


def test_without_anything_left_nobody_is_asked(route):
    everything_is_gone(route)
    route.cloud.bucket_is_there, route.octo.departure = False, Departure(ACCOUNT.account_id)
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
    create = PlannedChange(
        "module.octo.module.cur_export[0].aws_iam_role.cur", "aws_iam_role", "create"
    )
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


def test_what_aws_has_and_the_state_does_not_is_named_before_anything_is_changed(route):
    route.terraform.held = []
    route.cloud.roles, route.cloud.report_names = {API_ROLE, CUR_ROLE}, ("curreport",)
    route.cloud.stacks = {CUR_ROLE: OwningStack("AlphausCurExport", "us-east-1")}
    for act in (leave, lambda route: plan(route.context, Request())):
        with pytest.raises(Refused, match=f"role {API_ROLE}\n") as caught:
            act(route)
        for name in (
            f"role {CUR_ROLE} of stack AlphausCurExport in us-east-1",
            "report curreport",
            f"StackSet {route.cloud.stackset_name}",
            "bucket alphaus-cur-export-111122223333",
        ):
            assert name in caught.value.what
        for command in ("apply", "adopt", "unregister", "console check"):
            assert f"octo-tf {command}" in caught.value.hint
    assert route.recording.writes == []


def test_a_role_that_the_state_lacks_is_named_although_it_has_the_rest(route):
    route.cloud.roles = {API_ROLE, CUR_ROLE}
    route.terraform.held.append(held("aws_cur_report_definition", "cur[0]"))
    with pytest.raises(Refused, match=f"not; nothing was changed:\n  role {CUR_ROLE}$"):
        leave(route)


def test_after_a_destroy_that_is_noted_roles_of_these_names_are_somebody_elses(route):
    everything_is_gone(route)
    route.cloud.roles = {API_ROLE}
    route.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", destroyed_at="2026-11-26T00:00:00+00:00"
    )
    leave(route)
    assert route.calls[-1] == "octo.unregister"


def test_linked_accounts_of_which_nothing_is_known_are_not_said_to_have_been_missed(route):
    everything_is_gone(route)
    (sentence,) = [s for s in leave(route).stays if OTHER in s]
    assert LINKED in sentence
    assert "nothing here says how they got the role" in sentence


def test_a_bucket_that_only_aws_has_stays_and_is_not_deleted(route):
    everything_is_gone(route)
    assert "alphaus-cur-export-111122223333" in leave(route).stays[0]
    with pytest.raises(Refused, match="nothing in Terraform's state or in the ledger"):
        leave(route, DELETE_DATA)


def test_an_adopted_bucket_is_never_deleted(route):
    route.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", adopted_bucket=BUCKET
    )
    with pytest.raises(Refused, match="did not make the bucket"):
        leave(route, DELETE_DATA)
    assert route.recording.writes == []
    assert f"The bucket {BUCKET} with its data." in leave(route).stays


def test_a_bucket_that_is_gone_is_said_to_be_gone(route):
    route.cloud.bucket_is_there = False
    (action,) = [a for a in leave(route).review.outside if a.code == KEEP_BUCKET]
    assert action.summary == (
        f"Remove the bucket {BUCKET} from the state: it is gone (2 resources)."
    )


def test_only_accounts_whose_stack_can_be_deleted_lose_the_role(route):
    closed = {"444444444444": "SUSPENDED", "555555555555": "CLOSED"}
    deploy(route, {LINKED: "ACTIVE", OTHER: "ACTIVE", **closed})
    leaving = leave(route)
    assert leaving.review.linked.remove == (LINKED, OTHER)
    (action,) = [a for a in leaving.review.outside if a.code == REMOVE_ACCOUNTS]
    assert "is deleted in 2; 2 other accounts have no stack, or a stack that" in action.summary
    assert "The stacks in closed or suspended accounts: 444444444444, 555555555555." in (
        leaving.stays
    )
    assert route.octo.destroyed == {ACCOUNT.account_id, LINKED, OTHER}


def test_accounts_that_keep_the_role_are_named_noted_and_known_to_a_later_run(route):
    leaving = leave(route, Request(keep_linked_roles=True))
    sentence = f"The role {API_ROLE} in 1 linked account ({LINKED})."
    assert sentence in leaving.stays
    assert route.octo.kept_roles == (LINKED,)
    assert route.octo.destroyed == {ACCOUNT.account_id}
    assert "cloud.predict_removal" not in route.calls
    everything_is_gone(route)
    route.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", kept_roles=route.octo.kept_roles
    )
    assert sentence in leave(route).stays


def obstacle(action: str) -> Obstacle:
    policy = ControlPolicy("p-1", "KeepRoles", "SERVICE_CONTROL_POLICY", {})
    exempted = Exempted("ArnNotLike", "aws:PrincipalArn", ("arn",))
    return Obstacle(
        *(Phase.CHANGES, True, (policy,), 1, "statement Keep", (action,), ()),
        *((LINKED,), ("r-1",), exempted),
    )


def test_a_policy_that_keeps_the_role_in_linked_accounts_is_met_before_consent(route):
    route.cloud.guardrails = Guardrails((obstacle("iam:DeleteRole"),))
    with pytest.raises(Refused, match=f"in {LINKED} by statement Keep of") as caught:
        leave(route)
    assert "--keep-linked-roles" in caught.value.hint
    assert route.recording.writes == []
    assert leave(route, Request(keep_linked_roles=True)).stays


def test_a_policy_that_denies_only_later_changes_keeps_nobody(route):
    route.cloud.guardrails = Guardrails((obstacle("iam:UpdateAssumeRolePolicy"),))
    leave(route)
    assert route.calls[-1] == "octo.unregister"


def test_policies_that_may_not_be_read_are_warned_of(route):
    route.cloud.guardrails = Guardrails(denied=("organizations:ListPolicies",))
    leave(route)
    warned = [getattr(event, "text", "") for event in route.recording.events]
    assert any("organizations:ListPolicies is not granted" in text for text in warned)
