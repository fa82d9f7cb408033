"""The external id changes in phases: each is consented to, and the next run continues after a kill
between any two steps.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from orchestrator.app.apply import apply
from orchestrator.app.rotate import rotate
from orchestrator.app.rotation import Request, Rotated
from orchestrator.config.load import load
from orchestrator.config.rotation import FILE
from orchestrator.errors import ConfigError, EngineError, OctoTfError, Refused, WrongAccount
from orchestrator.model.external_ids import Acceptance
from orchestrator.model.octo_records import AccountRecord, OctoAnswer, RotationRecord
from orchestrator.model.outside_action import CONFIGURE, END_ROTATION
from orchestrator.verify.model import Area, Report, Status
from tests.unit.app.fakes import ACCOUNT, OUTPUTS, Scene, scene

OLD, NEW = "octo-external-id", "the-new-external-id"
CONFIRMED = {"api_access": OctoAnswer(state="confirmed", at="now")}
REFUSED = {"api_access": OctoAnswer(state="refused", at="now", reason="may not assume the role")}
FIRST = [
    "cloud.identify",
    "api.template",
    "cloud.running_operation",
    "terraform.check_lock",
    "api.status",
    "octo.check_new",
    "terraform.init",
    "terraform.plan",
    "cloud.find_existing",
    "terraform.show",
    "consent",
    "cloud.running_operation",
    "octo.note_rotation",
    "octo.register",
    "terraform.apply_plan",
    "octo.note_applied",
    "cloud.verify",
    "octo.confirm",
    "cloud.observe_again",
    "octo.note_rotation",
]


class Stage:
    """A registered account with its octo.yaml; each ``run`` is one run of the command."""

    def __init__(self, folder: Path, *, text: str = "external_id_file: id\n") -> None:
        self.config = folder / "octo.yaml"
        self.config.write_text(f"account_id: '{ACCOUNT.account_id}'\n{text}")
        (folder / "id").write_text(f"{OLD}\n")
        self.environ: dict[str, str] = {}
        self.scene: Scene = scene(folder)
        self.scene.terraform.known = OUTPUTS
        self.scene.terraform.local_outputs = dict  # no verification beside the plan
        self.presented = OLD
        self.asked: list[list[str]] = []

    def run(self, new: str | None = NEW, *, said: bool = False, octo: bool = True) -> Rotated:
        context = self.context(octo=octo)
        request = Request(SecretStr(new) if new else None, said)
        return rotate(context, request, config=self.config, consent=self._agree)

    def context(self, *, octo: bool = True) -> Any:
        """As the command line loads it."""
        registration = load(self.config, {}, self.environ, octo_has_external_id=True)
        if octo:
            self.scene.octo.api.presented = self.presented
        else:
            self.scene.octo.api = None
        settings = replace(self.scene.context.settings, environ=self.environ)
        return replace(self.scene.context, registration=registration, settings=settings)

    def _agree(self, review: Any) -> None:
        self.asked.append([action.code for action in review.outside])
        self.scene.agree(review)

    def secrets(self) -> dict[str, Any]:
        """The external ids of the root as it was rendered last."""
        root = self.scene.context.folder
        found = json.loads((root / "secrets.auto.tfvars.json").read_text())
        return {name: value for name, value in found.items() if "external_id" in name}

    def rotation(self) -> Any:
        return load(self.config, {}, self.environ, octo_has_external_id=True).external_id_rotation


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def report(**areas: Status) -> Report:
    found = {area: areas.get(area.value, Status.SKIPPED) for area in Area}
    return Report(ACCOUNT.account_id, "payer", "", (), found)


def dropping(stage: Stage) -> None:
    record = RotationRecord(phase="dropping", since="now", at="now")
    stage.scene.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", rotation=record
    )


def test_the_first_phase_accepts_both_and_ends(stage):
    rotated = stage.run()
    assert rotated.phase == "waiting"
    assert stage.scene.calls == FIRST
    assert stage.secrets() == {"external_id": OLD, "accepted_external_ids": [OLD, NEW]}
    assert CONFIGURE in stage.asked[0]
    assert END_ROTATION not in stage.asked[0]
    assert [i.get_secret_value() for i in stage.rotation().ids] == [OLD, NEW]
    assert stage.scene.octo.rotation == ["accepting", "waiting"]


@pytest.mark.parametrize("step", FIRST[: FIRST.index("consent") + 1])
def test_nothing_is_changed_before_consent(stage, step):
    before = stage.config.read_bytes()
    stage.scene.recording.failures[step] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    assert stage.scene.recording.writes == []
    assert stage.config.read_bytes() == before
    assert not stage.config.with_name(FILE).exists()


def test_the_wrong_account_is_refused_before_octo_is_asked(stage):
    stage.scene.recording.failures["cloud.identify"] = WrongAccount("another account's")
    with pytest.raises(WrongAccount):
        stage.run()
    assert stage.scene.calls == ["cloud.identify"]


def test_a_run_before_octo_changed_only_looks(stage):
    stage.run()
    stage.scene.terraform.changes = [()]
    stage.scene.octo.api.registered = True
    stage.asked.clear()
    assert stage.run(None).phase == "waiting"
    assert stage.asked == []


def test_once_octo_presents_the_new_id_the_previous_one_is_dropped(stage):
    stage.run()
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    assert stage.run(None).phase == "done"
    assert stage.secrets() == {"external_id": NEW}
    assert stage.scene.cloud.verified[-1] == Acceptance(retired=(OLD,))
    assert stage.rotation() is None
    assert (stage.config.parent / "id").read_text() == f"{NEW}\n"
    assert not stage.config.with_name(FILE).exists()
    assert stage.scene.octo.rotation[-1] == "done"
    assert END_ROTATION in stage.asked[-1]


def test_each_phase_that_writes_is_asked_for(stage):
    stage.run()
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    stage.run(None)
    assert stage.scene.calls.count("consent") == len(stage.asked) == 3


def test_octo_that_is_refused_gets_both_back(stage):
    stage.run()
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, REFUSED]
    assert stage.run(None).phase == "put_back"
    assert stage.secrets() == {"external_id": NEW, "accepted_external_ids": [OLD, NEW]}
    assert stage.rotation() is not None
    assert (stage.config.parent / "id").read_text() == f"{OLD}\n"
    assert stage.scene.octo.rotation[-1] == "put_back"


def test_a_report_that_octo_never_could_read_puts_nothing_back(stage):
    stage.run()
    stage.presented = NEW
    unread = {**CONFIRMED, "cur_s3": OctoAnswer(state="refused", at="now")}
    stage.scene.octo.answers = [CONFIRMED, unread]
    passing = report(api_access=Status.PASS, cur_s3=Status.PASS)
    stage.scene.cloud.verifications = [passing] * 4
    assert stage.run(None).phase == "done"


def test_an_octo_that_does_not_answer_is_not_taken_for_a_confirmation(stage):
    stage.run()
    stage.presented = NEW
    unreachable = {"api_access": OctoAnswer(state="unreachable", at="now")}
    stage.scene.octo.answers = [CONFIRMED, unreachable]
    assert stage.run(None).phase == "dropping"
    assert stage.rotation() is not None


def test_octo_that_is_refused_while_both_are_accepted_drops_nothing(stage):
    stage.run()
    stage.presented = NEW
    stage.scene.octo.answers = [REFUSED]
    assert stage.run(None).phase == "accepting"
    assert stage.secrets()["accepted_external_ids"] == [OLD, NEW]


@pytest.mark.parametrize("area", ["api_access", "stackset"])
@pytest.mark.parametrize("status", [Status.FAIL, Status.PENDING])
def test_a_role_that_does_not_accept_both_ends_the_first_phase(stage, area, status):
    failing = {"api_access": Status.PASS, area: status}
    stage.scene.cloud.verifications = [report(**failing)]
    assert stage.run().phase == "accepting"
    assert stage.scene.octo.rotation == ["accepting"]


def test_without_credentials_the_users_word_counts(stage):
    assert stage.run(octo=False).phase == "waiting"
    assert stage.run(None, octo=False).phase == "waiting"
    assert stage.run(None, octo=False, said=True).phase == "done"
    assert stage.secrets() == {"external_id": NEW}


def test_the_users_word_does_not_count_against_octos(stage):
    stage.run()
    assert stage.run(None, said=True).phase == "waiting"


@pytest.mark.parametrize("word", ["octo", "user"])
def test_an_octo_that_changed_too_early_is_let_in_first(stage, word):
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    assert stage.run(octo=word == "octo", said=True).phase == "done"
    assert len(stage.asked) == 2


@pytest.mark.parametrize("step", FIRST)
def test_a_first_phase_killed_at_any_step_is_completed_by_the_same_command(tmp_path, step):
    stage = Stage(tmp_path)
    stage.scene.recording.failures[step] = OctoTfError("killed")
    with pytest.raises(OctoTfError, match="killed"):
        stage.run()
    stage.scene.recording.failures.clear()
    assert stage.run().phase == "waiting"
    assert stage.secrets()["accepted_external_ids"] == [OLD, NEW]
    assert [i.get_secret_value() for i in stage.rotation().ids] == [OLD, NEW]


SECOND = [
    "terraform.plan",
    "terraform.apply_plan",
    "octo.note_applied",
    "cloud.verify",
    "octo.confirm",
]


@pytest.mark.parametrize("step", SECOND)
def test_a_second_phase_killed_at_any_step_is_completed(tmp_path, step):
    stage = Stage(tmp_path)
    stage.run()
    stage.presented = NEW
    dropping(stage)  # noted before anything is dropped
    stage.scene.recording.failures[step] = OctoTfError("killed")
    with pytest.raises(OctoTfError, match="killed"):
        stage.run(None)
    assert stage.rotation() is not None  # any other apply accepts both
    stage.scene.recording.failures.clear()
    stage.scene.octo.answers = [CONFIRMED]
    assert stage.run(None).phase == "done"
    assert stage.secrets() == {"external_id": NEW}


def test_a_dropping_that_was_interrupted_does_not_accept_both_again(stage):
    stage.run()
    stage.presented = NEW
    dropping(stage)
    stage.scene.octo.answers = [CONFIRMED]
    stage.asked.clear()
    assert stage.run(None).phase == "done"
    assert [END_ROTATION in codes for codes in stage.asked] == [True]


def test_a_kill_after_octo_yaml_was_ended_leaves_nothing_to_do(stage):
    stage.run()
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    stage.run(None)
    dropping(stage)  # which was not noted as done
    stage.scene.octo.api.registered = True
    stage.scene.terraform.changes = [()]
    stage.scene.octo.answers = [CONFIRMED]
    stage.asked.clear()
    assert stage.run(None).phase == "done"
    assert stage.asked == []


def test_the_present_id_cancels_a_rotation(stage):
    stage.run()
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    assert stage.run(OLD).phase == "done"
    assert stage.secrets() == {"external_id": OLD}
    assert stage.scene.cloud.verified[-1].retired == (NEW,)


def test_another_rotation_that_is_under_way_is_named(stage):
    stage.run()
    with pytest.raises(ConfigError, match="to another external id is under way"):
        stage.run("a-third-external-id")


def test_a_third_id_of_octo_stops_everything(stage):
    stage.presented = "a-third-external-id"
    with pytest.raises(ConfigError, match="neither the present nor the new"):
        stage.run()
    assert stage.scene.recording.writes == []


def test_without_a_new_id_nothing_begins(stage):
    with pytest.raises(ConfigError, match="new external id is missing"):
        stage.run(None)


def test_a_running_stackset_operation_is_waited_for_by_nobody(stage):
    stage.scene.cloud.running = "op-1"
    with pytest.raises(Refused, match="op-1 of the StackSet is running"):
        stage.run()
    assert stage.scene.recording.writes == []


def test_an_operation_that_starts_before_consent_is_refused_after_it(stage):
    def starts(review: Any) -> None:
        stage.scene.cloud.running = "op-2"

    with pytest.raises(Refused, match="op-2"):
        rotate(stage.context(), Request(SecretStr(NEW)), config=stage.config, consent=starts)
    assert stage.scene.recording.writes == []


def test_an_account_that_was_never_applied_has_nothing_to_rotate(stage):
    stage.scene.terraform.known = {}
    with pytest.raises(EngineError, match="nothing has been applied"):
        stage.run()
    assert stage.scene.recording.writes == []


# Where octo.yaml takes the id from.


def test_an_id_in_octo_yaml_stays_there(tmp_path):
    stage = Stage(tmp_path, text=f"external_id: {OLD} # as Octo shows it\n")
    stage.run()
    assert not stage.config.with_name(FILE).exists()
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    stage.run(None)
    text = stage.config.read_text()
    assert f'external_id: "{NEW}" # as Octo shows it' in text
    assert OLD not in text


def test_a_variable_must_hold_the_new_id_before_the_previous_one_is_dropped(tmp_path):
    stage = Stage(tmp_path, text="external_id_env: ID\n")
    stage.environ = {"ID": OLD}
    stage.run()
    stage.presented = NEW
    with pytest.raises(ConfigError, match="variable ID still holds"):
        stage.run(None)
    assert stage.secrets()["accepted_external_ids"] == [OLD, NEW]
    stage.environ = {"ID": NEW}
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    assert stage.run(None).phase == "done"


def test_ids_in_a_variable_need_no_file(tmp_path):
    text = "external_id_env: ID\nexternal_id_rotation:\n  ids_env: IDS\nregion: eu-west-1\n"
    stage = Stage(tmp_path, text=text)
    stage.environ = {"ID": OLD, "IDS": f"{OLD} {NEW}"}
    assert stage.run(None).phase == "waiting"
    assert stage.secrets()["accepted_external_ids"] == [OLD, NEW]
    stage.environ["ID"] = NEW
    stage.presented = NEW
    stage.scene.octo.answers = [CONFIRMED, CONFIRMED]
    assert stage.run(None).phase == "done"
    lines = ["external_id_env: ID", "region: eu-west-1"]
    assert stage.config.read_text().splitlines()[1:] == lines


def test_without_an_id_of_its_own_octo_yaml_keeps_both_for_everybody(tmp_path):
    stage = Stage(tmp_path, text="")
    stage.run()
    for presented in (OLD, NEW):  # a plain apply, whichever Octo presents
        stage.presented = presented
        context = stage.context()
        registration = context.registration.model_copy(update={"external_id": SecretStr(presented)})
        apply(replace(context, registration=registration), consent=stage.scene.agree)
        assert stage.secrets()["accepted_external_ids"] == [OLD, NEW]


def test_an_apply_that_knows_nothing_of_the_rotation_is_refused(stage, monkeypatch):
    monkeypatch.setitem(OUTPUTS, "api_access", {**OUTPUTS["api_access"], "external_id_count": 2})
    with pytest.raises(Refused, match="accept two external ids"):
        apply(stage.context(), consent=stage.scene.agree)
    assert stage.scene.recording.writes == []
    assert not stage.scene.context.plan_file.exists()
