"""The order of a route's steps, and what a failure of each does; without AWS and Terraform."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.app.apply import apply
from orchestrator.app.cloud import Cloud
from orchestrator.app.events import LinkedAccountsProgress, PlanMade, ReportMade, StepEnded, Warned
from orchestrator.app.plan import plan
from orchestrator.app.verify import verify
from orchestrator.errors import (
    AwsError,
    ConfigError,
    EngineError,
    ExitCode,
    OctoRefused,
    OctoTfError,
    PlanRefused,
    Refused,
    WrongAccount,
)
from orchestrator.model.billing_transfer import BillingTransfers
from orchestrator.model.coverage import Coverage, LinkedAccount, State
from orchestrator.model.octo_records import AccountRecord, Confirmation, OctoAnswer
from orchestrator.model.outside_action import OF_THE_STATE, REGISTER, TRUSTED_ACCESS, UNTAINT
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from orchestrator.terraform import journal, plan_file
from orchestrator.terraform.client import Terraform
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.failures import AlreadyExists
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import StateEdit, StateResource
from orchestrator.verify.model import Area, Report, Status
from tests.unit.app import fakes
from tests.unit.app.fakes import ACCOUNT, CHANGES, OUTPUTS, Scene, scene

ROUTE = [
    "cloud.identify",
    "terraform.check_lock",
    "api.status",
    "octo.check_new",
    "terraform.init",
    "terraform.plan",
    "cloud.find_existing",
    "terraform.show",  # what the plan means
    "consent",
    "octo.register",
    "terraform.apply_plan",
    "octo.note_applied",
    "cloud.verify",
    "octo.confirm",
]


@pytest.fixture
def route(tmp_path: Path) -> Scene:
    return scene(tmp_path)


@pytest.fixture
def payer(tmp_path: Path) -> Scene:
    return scene(tmp_path, use_stackset=True)


def test_an_apply_goes_the_route_in_its_order(route):
    applied = apply(route.context, consent=route.agree)
    assert route.calls == ROUTE
    assert applied.report.can_finish


@pytest.mark.parametrize("step", ROUTE)
def test_a_step_that_fails_ends_the_route_there(route, step):
    route.recording.failures[step] = OctoTfError("failed")
    with pytest.raises(OctoTfError, match="failed"):
        apply(route.context, consent=route.agree)
    assert route.calls == ROUTE[: ROUTE.index(step) + 1]


@pytest.mark.parametrize("step", ROUTE[: ROUTE.index("consent") + 1])
def test_nothing_is_changed_before_consent(route, step):
    route.recording.failures[step] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        apply(route.context, consent=route.agree)
    assert route.recording.writes == []


def test_the_credentials_of_another_account_do_not_even_make_the_folder(route):
    route.recording.failures["cloud.identify"] = WrongAccount("another account's")
    with pytest.raises(WrongAccount):
        apply(route.context, consent=route.agree)
    assert not route.context.folder.exists()


def test_what_octo_has_already_is_said_before_the_plan(tmp_path):
    route = scene(tmp_path, account_name="Ours")
    route.octo.api.registered, route.octo.api.name = True, "Theirs"
    route.recording.failures["terraform.plan"] = EngineError("failed")
    with pytest.raises(EngineError):
        apply(route.context, consent=route.agree)
    (said,) = [e.text for e in route.recording.events if isinstance(e, Warned)]
    assert "has account 111122223333 already as Theirs" in said
    assert "it keeps that name, not Ours" in said


def test_a_payer_that_is_not_known_here_is_recommended_before_its_linked_account(route):
    linked = replace(ACCOUNT, account_type="linked", management_account_id="999988887777")
    route.octo.api, route.context.cloud._account = None, linked
    apply(route.context, consent=route.agree)
    said = [e.text for e in route.recording.events if isinstance(e, Warned)]
    assert any("payer 999988887777 is registered with Octo is not known here" in s for s in said)


def test_names_that_octo_may_overwrite_are_said_before(payer, tmp_path):
    new = LinkedAccount("222222222222", "one", State.MISSING)
    there = LinkedAccount("333333333333", "two", State.CURRENT)
    payer.cloud.linked = replace(payer.cloud.linked, coverage=Coverage((new, there)))
    payer.octo.linked.names = dict.fromkeys(("222222222222", "333333333333"), "Acme")
    plan(payer.context, tmp_path / "plan")
    said = [e.text for e in payer.recording.events if isinstance(e, Warned)]
    assert [s for s in said if "overwrite" in s] == [
        "Octo has linked account 222222222222 as Acme, the organization as one: Octo may overwrite"
        " its name."
    ]


def test_an_outdated_access_is_said_by_the_plan(route, tmp_path):
    route.octo.api.registered, route.octo.api.access = True, "outdated"
    plan(route.context, tmp_path / "plan")
    said = [e.text for e in route.recording.events if isinstance(e, Warned)]
    assert any("outdated because Octo's template" in s and "octo-tf status" in s for s in said)


def test_a_plan_that_the_guard_refuses_is_not_put_to_the_user(route):
    gone = PlannedChange(
        "module.octo.module.cur_export[0].aws_s3_bucket.cur[0]", "aws_s3_bucket", "delete"
    )
    route.terraform.changes = [(gone,)]
    with pytest.raises(PlanRefused):
        apply(route.context, consent=route.agree)
    assert "consent" not in route.calls
    assert route.recording.writes == []


REPORT = "aws_cur_report_definition"


@pytest.mark.parametrize("action", ["create", "replace"])
def test_a_report_is_not_created_where_the_billing_is_transferred(route, action):
    transferred = BillingTransfers(paid_by="333333333333")
    route.context.cloud._account = replace(ACCOUNT, billing=transferred)
    change = PlannedChange(f"module.octo.{REPORT}.cur[0]", REPORT, action)
    route.terraform.changes = [(change,)]
    with pytest.raises(Refused, match="transferred to account 333333333333") as caught:
        apply(route.context, consent=route.agree)
    assert "333333333333" in caught.value.hint
    assert "consent" not in route.calls
    assert route.recording.writes == []
    assert not route.context.plan_file.exists()


def test_a_registration_whose_billing_was_transferred_later_goes_on_with_a_warning(route):
    transferred = BillingTransfers(paid_by="333333333333")
    route.context.cloud._account = replace(ACCOUNT, billing=transferred)
    apply(route.context, consent=route.agree)
    warned = [e.text for e in route.recording.events if isinstance(e, Warned)]
    assert any("delivers no Cost and Usage Report" in text for text in warned)


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("execution", "closed to new customers"),
        ("container_cost", "up to 24 hours"),
        ("recommendations", "Cost Optimization Hub"),
    ],
)
def test_what_a_feature_depends_on_is_said_before_consent(tmp_path, feature, said):
    chosen = {"features": ["cost", feature]}
    if feature == "execution":
        chosen["execution_actions"] = ["stop_ec2"]
    route = scene(tmp_path, **chosen)
    said_before: list[str] = []

    def consent(*_: object) -> None:
        said_before.extend(e.text for e in route.recording.events if isinstance(e, Warned))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(route.context, consent=consent)
    assert any(text.startswith(f"{feature}: ") and said in text for text in said_before)


@pytest.mark.parametrize(
    ("trust", "access", "said"),
    [
        (None, "confirmed", True),
        ("external_id", "confirmed", True),
        ("principal_only", "confirmed", False),
        (None, "refused", False),
    ],
)
def test_a_report_that_octo_refuses_alone_may_need_the_weaker_trust(tmp_path, trust, access, said):
    route = scene(tmp_path, **({"cur_role_trust": trust} if trust else {}))
    known = route.context.octo.confirm

    def refuses(*given: Any, **settings: Any) -> Confirmation:
        answers = {
            "api_access": OctoAnswer(state=access, at="now"),
            "cur_s3": OctoAnswer(state="refused", at="now", reason="no.", hint="Check it."),
        }
        return replace(known(*given, **settings), answers=answers)

    verified = route.context.cloud.verify

    def passes(*given: Any, **settings: Any) -> Report:
        found = verified(*given, **settings)
        return replace(found, areas={**found.areas, Area.CUR_S3: Status.PASS})

    route.context.cloud.verify = passes
    route.context.octo.confirm = refuses
    report = apply(route.context, consent=route.agree).report
    hint = report.octo[Area.CUR_S3].hint
    assert hint.startswith("Check it.")
    assert ("add cur_role_trust: principal_only" in hint) is said
    assert report.exit_code is ExitCode.VERIFICATION_FAILED


def test_an_account_that_octo_refuses_changes_nothing_in_aws(route):
    route.recording.failures["octo.register"] = OctoRefused("another organization's")
    with pytest.raises(OctoRefused):
        apply(route.context, consent=route.agree)
    assert route.recording.writes == ["octo.register"]


def test_what_another_run_created_meanwhile_is_noted_as_contested(route):
    error = AlreadyExists(EngineError("it exists"), [CHANGES[0].address])
    route.recording.failures["terraform.apply_plan"] = error
    with pytest.raises(AlreadyExists):
        apply(route.context, consent=route.agree)
    assert journal.contested(route.context.folder) == {CHANGES[0].address}


@pytest.mark.parametrize("noted", [True, False])
def test_an_import_that_no_earlier_run_explains_is_said(route, noted):
    """Another working folder's state may have it; a run that was killed here explains it."""
    if noted:
        route.context.folder.mkdir(parents=True)
        journal.begin(route.context.folder, Plan(Path("p"), CHANGES, True))
    route.cloud.existing = {CHANGES[0].address: "AlphausAcctAccessRole"}
    plan(route.context)
    warnings = [e.text for e in route.recording.events if isinstance(e, Warned)]
    assert any("two states must not own" in text for text in warnings) is not noted


def test_a_killed_apply_leaves_its_journal_and_no_plan(route):
    route.recording.failures["terraform.apply_plan"] = EngineError("killed")
    with pytest.raises(EngineError):
        apply(route.context, consent=route.agree)
    assert journal.addresses(route.context.folder) == {CHANGES[0].address}
    assert not route.context.plan_file.exists()
    del route.recording.failures["terraform.apply_plan"]
    apply(route.context, consent=route.agree)
    assert journal.addresses(route.context.folder) == frozenset()


def test_without_changes_nobody_is_asked_and_nothing_is_applied(route):
    route.terraform.changes, route.octo.api.registered = [()], True
    route.terraform.known = OUTPUTS
    apply(route.context, consent=route.agree)
    assert "consent" not in route.calls
    assert "terraform.apply_plan" not in route.calls
    assert route.calls.count("cloud.verify") == 1  # beside the plan


def test_an_account_that_octo_does_not_know_is_a_change_by_itself(route):
    route.terraform.changes = [()]
    applied = apply(route.context, consent=route.agree)
    assert [action.code for action in applied.review.outside] == [REGISTER]
    assert route.calls.index("consent") < route.calls.index("octo.register")


def test_without_credentials_the_plan_says_what_would_be_registered(route):
    route.octo.api = None
    review = plan(route.context)
    assert [(a.code, a.conditional) for a in review.outside] == [(REGISTER, True)]
    route.terraform.changes = [()]
    assert not plan(route.context).has_changes


def test_the_plan_says_that_an_account_left_and_which_linked_accounts_come_back(payer):
    payer.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", left_at="2026-11-25T08:00:00+00:00"
    )
    payer.octo.linked.left = ["222222222222"]
    (registering,) = plan(payer.context).outside
    assert registering.summary == (
        "Register account 111122223333 with Octo (it left on 2026-11-25), and 1 linked account"
        " that left with it."
    )
    payer.octo.api.registered = True  # its departure was interrupted before its own turn
    (registering,) = plan(payer.context).outside
    assert registering.summary.startswith("Register 1 linked account with Octo again")


def test_an_account_that_is_registered_is_not_registered_by_the_confirmation(route):
    route.octo.api.registered = True
    apply(route.context, consent=route.agree)
    assert "octo.register" not in route.calls
    assert route.calls[-1] == "octo.confirm_known"


def test_a_plan_changes_nothing(payer):
    payer.cloud.lacks_access, payer.terraform.tainted = True, True
    review = plan(payer.context)
    assert payer.recording.writes == []
    assert [a.code for a in review.outside] == [REGISTER, TRUSTED_ACCESS, UNTAINT]


def test_a_verification_registers_nothing(route):
    route.terraform.known = OUTPUTS
    verify(route.context)
    assert route.calls[-2:] == ["cloud.verify", "octo.confirm_known"]
    assert route.recording.writes == []


def test_what_is_outside_terraform_is_done_after_consent_in_the_order_of_the_plan(payer):
    payer.cloud.lacks_access, payer.terraform.tainted = True, True
    payer.terraform.changes = [CHANGES, CHANGES]
    apply(payer.context, consent=payer.agree)
    after = payer.calls[payer.calls.index("consent") + 1 :]
    assert after[:6] == [
        "octo.register",
        "cloud.switch_on_trusted_access",
        "cloud.wait_for_deployments",
        "terraform.untaint",
        "terraform.plan",
        "cloud.find_existing",
    ]
    assert after[6] == "terraform.apply_plan"


@pytest.mark.parametrize(
    "resource", ["api_access.aws_iam_role.api_access", "cur_export.aws_s3_bucket.cur[0]"]
)
def test_a_protected_resource_whose_creation_was_interrupted_is_kept(route, resource):
    address, kind = f"module.octo.module.{resource}", resource.split(".")[1]
    route.terraform.held = [StateResource(kind, address, "", True, "")]
    route.terraform.changes = [CHANGES, CHANGES]
    route.octo.api.registered = True
    (keeping,) = plan(route.context).outside
    assert (keeping.code, keeping.subject) == (UNTAINT, address)
    route.configure(allow_destroy=frozenset({address}))
    assert plan(route.context).outside == ()


def test_a_second_plan_that_shows_something_else_is_not_applied(payer):
    payer.terraform.tainted = True
    payer.terraform.changes = [CHANGES, ()]
    with pytest.raises(PlanRefused, match="something else"):
        apply(payer.context, consent=payer.agree)
    assert "terraform.apply_plan" not in payer.calls


def test_an_unreadable_state_is_moved_aside_after_consent_and_planned_again(route):
    route.terraform.damage = (StateEdit("set_aside", "terraform.tfstate"),)
    route.terraform.changes = [CHANGES, CHANGES]
    apply(route.context, consent=route.agree)
    after = route.calls[route.calls.index("consent") + 1 :]
    assert after[1:5] == [
        "terraform.set_aside",
        "terraform.init",
        "terraform.plan",
        "cloud.find_existing",
    ]


def test_a_plan_says_what_becomes_of_damaged_state_files_and_leaves_them_alone(route):
    route.terraform.damage = (
        StateEdit("set_aside", "terraform.tfstate"),
        StateEdit("push", "errored.tfstate"),
    )
    review = plan(route.context)
    assert route.recording.writes == []
    assert [a.summary for a in review.outside if a.code in OF_THE_STATE] == [
        "State: terraform.tfstate: it is unreadable: move it aside, and import what exists.",
        "State: errored.tfstate: Terraform could not save it in its backend: save it there.",
    ]


def test_a_saved_plan_carries_what_it_announces(route, tmp_path):
    saved = tmp_path / "plan"
    review = plan(route.context, saved)
    assert plan_file.read(saved).outside == review.outside


def test_linked_accounts_that_are_reached_are_registered_before_octo_confirms(payer):
    member = payer.cloud.linked.organization
    names = {"222222222222": "one", "333333333333": "two"}
    payer.cloud.linked = with_members(payer.cloud.linked, names)
    payer.cloud.operation = ("CREATE", dict.fromkeys(names, ("SUCCEEDED", "")))
    apply(payer.context, consent=payer.agree)
    assert member is not payer.cloud.linked.organization
    assert sorted(payer.octo.linked.current) == sorted(names)
    assert payer.calls.index("linked.register_current") < payer.calls.index("octo.confirm")


def test_accounts_that_were_reached_are_registered_although_the_deployment_fails(payer):
    payer.cloud.linked = with_members(payer.cloud.linked, {"222222222222": "one"})
    payer.cloud.operation = ("CREATE", {"222222222222": ("SUCCEEDED", "")})
    payer.recording.failures["cloud.deploy"] = AwsError("stopped")
    payer.recording.failures["octo.note_applied"] = AwsError("stopped")
    with pytest.raises(AwsError):
        apply(payer.context, consent=payer.agree)
    assert payer.octo.linked.current == ["222222222222"]


def test_the_events_tell_the_route(route):
    apply(route.context, consent=route.agree)
    steps = [e.step for e in route.recording.events if isinstance(e, StepEnded)]
    assert steps == ["identify", "init", "plan", "register", "apply", "verify", "confirm"]
    kinds = [type(e) for e in route.recording.events]
    assert kinds.index(PlanMade) < kinds.index(ReportMade)
    assert LinkedAccountsProgress not in kinds


def test_a_failed_step_says_so(route):
    route.recording.failures["terraform.apply_plan"] = EngineError("failed")
    with pytest.raises(EngineError):
        apply(route.context, consent=route.agree)
    failed = [e.step for e in route.recording.events if isinstance(e, StepEnded) and e.failed]
    assert failed == ["apply"]


@pytest.mark.parametrize(
    ("fake", "real"),
    [
        (fakes.Cloud, Cloud),
        (fakes.Terraform, Terraform),
        (fakes.Octo, RegistrationService),
        (fakes.Ledger, Ledger),
    ],
)
def test_the_fakes_take_what_the_ports_take(fake, real):
    for name, method in inspect.getmembers(fake, inspect.isfunction):
        if not name.startswith("_"):
            of_fake = list(inspect.signature(method).parameters)
            assert of_fake == list(inspect.signature(getattr(real, name)).parameters), name


def with_members(linked, names: dict[str, str]):
    from dataclasses import replace

    from orchestrator.model.organization import Member

    members = tuple(Member(a, name, "ACTIVE", "r-1") for a, name in names.items())
    return replace(linked, organization=replace(linked.organization, members=members))


def test_a_verification_names_settings_that_were_not_applied(route):
    apply(route.context, consent=route.agree)
    wanted = {"account_id": "111122223333", "account_type": "payer"}
    route.terraform.known = {**OUTPUTS, "applied_inputs": {**wanted, "tags": {"a": "b"}}}
    assert "tags" in verify(route.context).unapplied
    del route.terraform.known["applied_inputs"]  # an older version applied it
    assert verify(route.context).unapplied == ()


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"region": "cn-north-1"}, "region", "of the partition aws-cn"),
        ({"cur_s3_bucket_region": "us-gov-west-1"}, "cur_s3_bucket_region", "aws-us-gov"),
        (
            {"permissions_boundary": "arn:aws-cn:iam::111122223333:policy/b"},
            "permissions_boundary",
            "is of the partition aws-cn",
        ),
    ],
)
@pytest.mark.parametrize("use_case", [plan, verify, lambda c: apply(c, consent=lambda _: None)])
def test_a_setting_of_another_partition_is_refused_before_anything_is_written(
    tmp_path, fields, place, words, use_case
):
    route = scene(tmp_path, **fields)
    with pytest.raises(ConfigError, match=words) as caught:
        use_case(route.context)
    assert caught.value.where == place
    assert route.calls == ["cloud.identify"]
    assert not (tmp_path / ACCOUNT.account_id).exists()


def test_a_linked_account_s_bucket_region_does_not_matter(tmp_path):
    route = scene(tmp_path, cur_s3_bucket_region="cn-north-1")
    route.cloud._account = replace(ACCOUNT, account_type="linked")
    plan(route.context)


def test_settings_that_an_account_type_does_not_use_get_one_note(tmp_path):
    route = scene(tmp_path, cur_s3_prefix="pre", stackset_targets=["r-abcd"], tags={"a": "b"})
    route.cloud._account = replace(ACCOUNT, account_type="linked")
    plan(route.context)
    warned = [e.text for e in route.recording.events if isinstance(e, Warned)]
    assert warned == ["a linked account does not use cur_s3_prefix, stackset_targets: ignored."]


def test_a_payer_uses_all_settings(tmp_path):
    route = scene(tmp_path, cur_s3_prefix="pre", stackset_targets=["r-abcd"])
    plan(route.context)
    assert not [e for e in route.recording.events if isinstance(e, Warned)]
