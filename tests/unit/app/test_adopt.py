"""An adoption is one plan with one consent, carried out in the order shown; without AWS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.adoption.candidate import Candidate
from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.adoption.foreign_state import ForeignState
from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.proposal import LeftoverRole, Proposal
from orchestrator.app import adopt as adoption
from orchestrator.app.adopt import Request
from orchestrator.errors import AwsError, ConfigError, EngineError, OctoTfError, Refused
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import OwningStack, Removal, Role
from orchestrator.terraform.events import PlannedChange
from tests.unit.app import fakes
from tests.unit.app.fakes import ACCOUNT, OUTPUTS, Scene, scene

LEFTOVER = "OctoSSMUpdaterRole"
RESOURCE = f"role {API_ROLE}"
OWNER = OwningStack("octo-console", "eu-west-1")
ROUTE = [
    "consent",
    "octo.register",
    "cloud.release_stack",
    "terraform.apply_plan",
    "octo.note_applied",
    "cloud.verify",
    "octo.confirm",
    "cloud.take_snapshot",
    "cloud.delete_role",
    "foreign.forget",
]


def role(name: str) -> Role:
    return Role(name, f"arn:aws:iam::{ACCOUNT.account_id}:role/{name}", f"AROA{name}")


@dataclass
class Adoption:
    """An account whose role a stack owns, with a leftover role and an old Terraform state."""

    scene: Scene
    candidate: Candidate
    request: Request

    def plan(self):
        return adoption.plan(self.scene.context, self.candidate, self.request)

    def adopt(self):
        consent = self.scene.agree
        return adoption.adopt(self.scene.context, self.candidate, self.request, consent=consent)

    @property
    def after_consent(self) -> list[str]:
        calls = self.scene.calls
        return [call for call in calls[calls.index("consent") :] if call in ROUTE]


def candidate(recording: fakes.Recording, folder: Path, **changes) -> Candidate:
    parts = {
        "settings": {"account_id": ACCOUNT.account_id, "external_id": "octo-external-id"},
        "inventory": Inventory(ACCOUNT, {n: role(n) for n in (API_ROLE, LEFTOVER)}, {}, {}, {}),
        "proposal": proposal(),
        "module": ForeignModule(folder, "module.octo", "main.tf:1", {}),
        "state": ForeignState(
            ("module.octo.aws_iam_role.r", "module.octo.aws_x.y"), instance="module.octo"
        ),
        "terraform": fakes.Terraform(recording, folder, "foreign"),
    }
    return Candidate(**{**parts, **changes})


def proposal(**changes) -> Proposal:
    parts = {
        "settings": {},
        "external_id": "octo-external-id",
        "adopted": (RESOURCE,),
        "removals": (),
        "leftovers": (LeftoverRole(LEFTOVER, ()),),
        "warnings": (),
        "owners": {RESOURCE: OWNER},
    }
    return Proposal(**{**parts, **changes})


@pytest.fixture
def case(tmp_path: Path) -> Adoption:
    made = scene(tmp_path / "work")
    made.terraform.known = OUTPUTS
    made.cloud.identities = {RESOURCE: f"AROA{API_ROLE}"}
    found = candidate(made.recording, tmp_path / "old")
    request = Request(
        tmp_path / "octo.yaml", dict(found.settings), (LEFTOVER,), (OWNER.name,), release_state=True
    )
    return Adoption(made, found, request)


def test_every_change_is_a_line_of_the_plan_in_the_order_in_which_it_is_made(case):
    review = case.plan()
    assert [(a.code, a.after_apply) for a in review.outside] == [
        ("config.write", False),
        ("octo.register", False),
        ("stack.release", False),
        ("role.delete", True),
        ("state.release", True),
    ]
    summaries = " ".join(a.summary for a in review.outside)
    assert "stack octo-console (eu-west-1); its resources stay" in summaries
    assert "module.octo (2 addresses)" in summaries


def test_the_plan_names_the_policies_that_a_role_may_lose(case):
    account = ACCOUNT.account_id
    arns = (f"arn:aws:iam::{account}:policy/CloudSaver-1", "arn:aws:iam::aws:policy/ReadOnlyAccess")
    attached = replace(role(LEFTOVER), managed=dict.fromkeys(arns))
    inventory = Inventory(ACCOUNT, {LEFTOVER: attached}, {}, {}, {})
    found = replace(case.candidate, inventory=inventory)
    (line,) = [a for a in adoption.outside_actions(found, case.request) if a.code == "role.delete"]
    assert line.summary.endswith("; CloudSaver-1 only if nothing else uses them.")


def test_planning_changes_nothing_and_keeps_no_plan(case):
    review = case.plan()
    assert case.scene.recording.writes == []
    assert not case.request.config.exists()
    assert not review.plan.file.exists()


def test_an_adoption_asks_once_and_goes_in_the_order_of_its_plan(case):
    adopted = case.adopt()
    assert case.after_consent == ROUTE
    assert case.scene.calls.count("consent") == 1
    assert case.scene.cloud.released == [("octo-console", "eu-west-1")]
    assert case.scene.cloud.deleted == [LEFTOVER]
    assert case.request.config.exists()
    assert adopted.kept == (RESOURCE,)
    assert adopted.copy.stat().st_mode & 0o777 == 0o600


def test_a_bucket_that_is_imported_is_noted_as_none_of_octo_tfs(case):
    role_alone = case.scene.terraform.changes[0]
    case.adopt()
    assert case.scene.octo.adopted_bucket == ""
    bucket = PlannedChange("module.octo.aws_s3_bucket.cur[0]", "aws_s3_bucket", "import", "", True)
    case.scene.terraform.changes = [(*role_alone, bucket)]
    case.scene.recording.failures["terraform.apply_plan"] = EngineError("killed")
    with pytest.raises(EngineError):
        case.adopt()
    assert case.scene.octo.adopted_bucket == f"alphaus-cur-export-{ACCOUNT.account_id}"


def test_without_consent_nothing_is_changed_not_even_octo_yaml(case):
    case.scene.recording.failures["consent"] = OctoTfError("cancelled")
    with pytest.raises(OctoTfError, match="cancelled"):
        case.adopt()
    assert case.scene.recording.writes == []
    assert not case.request.config.exists()
    assert not (case.scene.context.folder / "adoption.json").exists()


@pytest.mark.parametrize("step", ROUTE[1:])
def test_what_fails_ends_it_there_and_the_same_command_completes_it(case, step):
    case.scene.recording.failures[step] = AwsError("failed")
    with pytest.raises(AwsError):
        case.adopt()
    assert case.after_consent == ROUTE[: ROUTE.index(step) + 1]
    case.scene.recording.failures.clear()
    case.scene.calls.clear()
    case.adopt()
    assert not (case.scene.context.folder / "adoption.json").exists()


def test_a_stack_that_is_not_released_is_not_imported_from(case):
    case.scene.recording.failures["cloud.release_stack"] = AwsError("UPDATE_FAILED")
    with pytest.raises(AwsError):
        case.adopt()
    assert "terraform.apply_plan" not in case.scene.calls


def test_what_is_not_the_same_afterwards_keeps_roles_and_the_old_state(case):
    case.scene.cloud.identities = {RESOURCE: "AROAother"}
    with pytest.raises(OctoTfError, match="not everything is as it was"):
        case.adopt()
    assert case.scene.cloud.deleted == []
    assert "foreign.forget" not in case.scene.calls


def test_the_old_state_is_not_released_if_its_copy_cannot_be_written(case, monkeypatch):
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("orchestrator.adoption.foreign_state.write_atomically", full)
    with pytest.raises(EngineError, match="copy of the state"):
        case.adopt()
    assert "foreign.forget" not in case.scene.calls


def test_the_plan_may_import_what_an_announced_stack_owns_and_nothing_else(case):
    settings = adoption.prepare(case.scene.context, case.candidate, case.request).settings
    assert settings.imports.adopting
    assert settings.imports.released_stacks == {"octo-console"}
    assert settings.imports.accepted_removals == frozenset()


def check(case: Adoption, *, purge: bool = False, changed: Proposal | None = None, **request):
    found = candidate(case.scene.recording, Path("old"), proposal=changed or proposal())
    return adoption.check(found, Request(Path("octo.yaml"), {}, **request), purge=purge)


def test_a_role_that_cannot_be_adopted_is_refused_first(case):
    with pytest.raises(Refused, match="its path is /octo/") as caught:
        check(case, changed=proposal(obstacles=(f"{RESOURCE}: its path is /octo/",)))
    assert "Delete the role" in caught.value.hint


def test_a_stack_that_owns_something_is_refused_until_it_is_named(case):
    with pytest.raises(Refused, match="stack octo-console") as caught:
        check(case)
    assert "--release-stack octo-console" in caught.value.hint
    assert check(case, release_stacks=("octo-console",)) == []


def test_a_mistyped_stack_is_refused_with_those_that_own_something(case):
    with pytest.raises(ConfigError, match="another") as caught:
        check(case, release_stacks=("another",))
    assert "octo-console" in caught.value.hint


def test_what_an_interrupted_run_has_done_already_is_a_note(case):
    notes = check(
        case,
        changed=proposal(owners={}, leftovers=()),
        release_stacks=("octo-console",),
        delete_roles=("OctoChangeExecutorRole",),
    )
    assert len(notes) == 2
    assert "OctoChangeExecutorRole" in notes[0]
    assert "octo-console" in notes[1]


def test_a_role_that_is_adopted_is_not_deleted(case):
    with pytest.raises(ConfigError, match=f"{API_ROLE}: adopted, so it is not removed"):
        check(case, release_stacks=("octo-console",), delete_roles=(API_ROLE,))


def test_removals_need_a_consent_of_their_own(case):
    changed = proposal(removals=(Removal(RESOURCE, "inline policy Ops", "Octo loses it"),))
    with pytest.raises(Refused, match="inline policy Ops") as caught:
        check(case, changed=changed, release_stacks=("octo-console",))
    assert "--purge-policies" in caught.value.hint
    assert check(case, changed=changed, release_stacks=("octo-console",), purge=True) == []
