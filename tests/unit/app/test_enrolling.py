"""The account is enrolled after consent, and exactly what octo-tf enrolled can be ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.app.apply import apply
from orchestrator.app.destroy import destroy
from orchestrator.app.events import Warned
from orchestrator.app.leaving import Request
from orchestrator.app.plan import plan
from orchestrator.errors import AccessDenied, AwsError, ConfigError
from orchestrator.model.enrolment import Enrolment, MadeEnrolment
from orchestrator.model.octo_records import AccountRecord
from orchestrator.model.outside_action import END_ENROLMENT, ENROL, ENROL_MEMBERS
from tests.unit.app.fakes import ACCOUNT, Scene, scene

HUB, OPTIMIZER, ADVISOR = "cost_optimization_hub", "compute_optimizer", "trusted_advisor"
ALL = [HUB, OPTIMIZER, ADVISOR]
CHOSEN = {"features": ["cost", "recommendations"]}
MEMBERS = {**CHOSEN, "enrolment": "organization"}
AT = "2026-11-26T00:00:00+00:00"


def enrolled(made: Scene, **states: Enrolment) -> Scene:
    made.cloud.enrolments.update(states)
    return made


def actions(made: Scene) -> dict[str, str]:
    """The enrolments that a plan announces: their code by service."""
    review = plan(made.context)
    return {a.subject: a.code for a in review.outside if a.code in (ENROL, ENROL_MEMBERS)}


def sentences(made: Scene) -> str:
    return "\n".join(a.summary for a in plan(made.context).outside)


def warnings(made: Scene) -> str:
    return "\n".join(e.text for e in made.recording.events if isinstance(e, Warned))


def noted(made: Scene, **made_ones: MadeEnrolment) -> Scene:
    made.octo.known = AccountRecord(
        account_id=ACCOUNT.account_id, account_name="", enrolments=made_ones
    )
    return made


def ends(made: Scene) -> Any:
    return destroy(made.context, Request(with_enrolments=True), consent=made.agree)


def test_features_that_need_no_enrolment_ask_for_none(tmp_path):
    made = scene(tmp_path, features=["cost", "unit_metrics"])
    assert actions(made) == {}
    assert not any(call.startswith("cloud.enrolment") for call in made.calls)


def test_recommendations_enrol_the_account_alone_unless_the_organization_is_asked_for(tmp_path):
    assert actions(scene(tmp_path, **CHOSEN)) == dict.fromkeys(ALL, ENROL)
    assert "enrolment: organization includes them" in sentences(scene(tmp_path, **CHOSEN))
    made = scene(tmp_path, **MEMBERS)
    assert actions(made) == {HUB: ENROL_MEMBERS, OPTIMIZER: ENROL_MEMBERS, ADVISOR: ENROL}
    assert "trusted access to the organization" in sentences(made)


def test_none_enrols_nobody(tmp_path):
    assert actions(scene(tmp_path, **CHOSEN, enrolment="none")) == {}


def test_only_a_payer_has_members_to_enrol(tmp_path):
    made = scene(tmp_path, **MEMBERS)
    made.cloud._account = replace(ACCOUNT, account_type="linked")
    with pytest.raises(ConfigError, match="no member accounts"):
        plan(made.context)


def test_the_services_are_not_looked_for_in_other_partitions(tmp_path):
    made = scene(tmp_path, **CHOSEN, region="cn-north-1", cur_s3_bucket_region="cn-north-1")
    made.cloud._account = replace(
        ACCOUNT, caller_arn=ACCOUNT.caller_arn.replace("arn:aws:", "arn:aws-cn:")
    )
    assert actions(made) == {}


def test_what_is_enrolled_is_left_as_it_is(tmp_path):
    made = enrolled(scene(tmp_path, **CHOSEN), **dict.fromkeys(ALL, Enrolment(True, True)))
    assert actions(made) == {}
    apply(made.context, consent=made.agree)
    assert made.cloud.enrolled == []


def test_members_are_added_to_a_payer_that_is_enrolled(tmp_path):
    made = enrolled(scene(tmp_path, **MEMBERS), **dict.fromkeys(ALL, Enrolment(True, True)))
    assert actions(made) == {HUB: ENROL_MEMBERS, OPTIMIZER: ENROL_MEMBERS}
    assert "Enrol the member accounts in Cost Optimization Hub" in sentences(made)
    apply(made.context, consent=made.agree)
    assert not made.octo.enrolments[HUB].account
    assert made.octo.enrolments[HUB].members


def test_it_happens_after_consent_and_after_the_roles_exist(tmp_path):
    made = scene(tmp_path, **CHOSEN)
    apply(made.context, consent=made.agree)
    assert made.cloud.enrolled == [(name, False) for name in ALL]
    calls = made.calls
    assert calls.index("consent") < calls.index("terraform.apply_plan") < calls.index("cloud.enrol")
    # It is noted before, so that a run that is killed in between knows whose it is.
    assert calls.index("octo.note_enrolment") < calls.index("cloud.enrol")
    assert calls.index("cloud.enrol") < calls.index("cloud.verify")
    assert {name: (one.account, one.role) for name, one in made.octo.enrolments.items()} == (
        dict.fromkeys(ALL, (True, True))
    )


def test_what_others_enrolled_meanwhile_is_not_noted_as_made(tmp_path):
    made = scene(tmp_path, **CHOSEN)

    def meanwhile(_review: object) -> None:
        enrolled(made, **{HUB: Enrolment(True, True)})

    apply(made.context, consent=meanwhile)
    assert (HUB, False) not in made.cloud.enrolled
    assert HUB not in made.octo.enrolments


def test_a_denied_enrolment_is_named_and_does_not_stop_the_registration(tmp_path):
    made = scene(tmp_path, **CHOSEN)
    made.recording.failures["cloud.enrol"] = AccessDenied(
        "enrolling failed: access denied", hint="Grant x cost-optimization-hub:Update."
    )
    apply(made.context, consent=made.agree)
    assert "Grant x cost-optimization-hub:Update." in warnings(made)
    assert made.octo.enrolments == {}  # nothing that destroy might end
    assert "octo.confirm" in made.calls


def test_an_answer_that_was_lost_leaves_the_note(tmp_path):
    made = scene(tmp_path, **CHOSEN)
    enrol = made.cloud.enrol

    def lost(name: str, *, members: bool) -> None:
        enrol(name, members=members)
        raise AwsError("no answer came")

    made.cloud.enrol = lost
    apply(made.context, consent=made.agree)
    assert set(made.octo.enrolments) == set(ALL)


def test_an_enrolment_that_cannot_be_read_is_not_planned(tmp_path):
    made = scene(tmp_path, **CHOSEN)
    made.recording.failures["cloud.enrolment"] = AccessDenied("reading failed", hint="Grant it.")
    assert actions(made) == {}
    assert "octo-tf skips Cost Optimization Hub. Grant it." in warnings(made)


def test_leaving_says_what_was_enrolled_and_ends_nothing_unasked(tmp_path):
    made = noted(scene(tmp_path, **CHOSEN), **{HUB: MadeEnrolment(at=AT, account=True)})
    enrolled(made, **{HUB: Enrolment(True, True)})
    leaving = destroy(made.context, Request(), consent=made.agree)
    assert made.cloud.ended == []
    assert any("Cost Optimization Hub. --with-enrolments" in text for text in leaving.stays)


def test_leaving_ends_exactly_what_was_made(tmp_path):
    made = noted(
        scene(tmp_path, **CHOSEN),
        **{
            HUB: MadeEnrolment(at=AT, account=True, members=True, role=True),
            OPTIMIZER: MadeEnrolment(at=AT, account=True, members=True),
            ADVISOR: MadeEnrolment(at=AT, account=True, role=True),
        },
    )
    enrolled(made, **dict.fromkeys(ALL, Enrolment(True, True)))
    leaving = ends(made)
    # Compute Optimizer's API ends the payer's own enrolment only.
    assert made.cloud.ended == [(HUB, True), (OPTIMIZER, False)]
    assert made.cloud.roles_deleted == [HUB, ADVISOR]
    assert made.octo.enrolments == {}
    assert any("member accounts' enrolments in Compute Optimizer" in s for s in leaving.stays)
    assert not any("member accounts' enrolments in Cost" in s for s in leaving.stays)


def test_members_that_were_enrolled_before_stay_enrolled(tmp_path):
    one = MadeEnrolment(at=AT, account=True, members=True, members_before=3)
    made = enrolled(noted(scene(tmp_path), **{HUB: one}), **{HUB: Enrolment(True, True)})
    leaving = ends(made)
    assert made.cloud.ended == [(HUB, False)]
    assert any("3 were enrolled before" in sentence for sentence in leaving.stays)


def test_a_payer_that_was_enrolled_before_stays_enrolled(tmp_path):
    one = MadeEnrolment(at=AT, members=True)
    made = enrolled(noted(scene(tmp_path), **{HUB: one}), **{HUB: Enrolment(True, True)})
    leaving = ends(made)
    assert made.cloud.ended == []
    assert any("octo-tf did not make it" in sentence for sentence in leaving.stays)


def test_an_interrupted_end_goes_on_with_the_role(tmp_path):
    made = noted(scene(tmp_path), **{HUB: MadeEnrolment(at=AT, account=True, role=True)})
    enrolled(made, **{HUB: Enrolment(True, True)})
    made.recording.failures["cloud.delete_service_role"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ends(made)
    made.recording.failures.clear()
    leaving = ends(made)
    assert made.cloud.ended == [(HUB, False)]  # once
    assert [a.summary for a in leaving.review.outside if a.code == END_ENROLMENT] == [
        "Delete the service-linked role of Cost Optimization Hub."
    ]
    assert made.octo.enrolments == {}


def test_a_service_that_still_uses_its_role_is_a_warning(tmp_path):
    made = noted(scene(tmp_path), **{HUB: MadeEnrolment(at=AT, account=True, role=True)})
    enrolled(made, **{HUB: Enrolment(True, True)})
    made.recording.failures["cloud.delete_service_role"] = AwsError("role is in use")
    ends(made)
    assert "role is in use" in warnings(made)
    assert made.octo.enrolments[HUB] == MadeEnrolment(at=AT, role=True)  # tried again next time
    assert "octo.unregister" in made.calls


@pytest.mark.parametrize("step", ["cloud.enrolment", "octo.describe_departure", "consent"])
def test_nothing_is_ended_before_consent(tmp_path: Path, step: str):
    made = noted(scene(tmp_path), **{HUB: MadeEnrolment(at=AT, account=True)})
    enrolled(made, **{HUB: Enrolment(True, True)})
    made.recording.failures[step] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ends(made)
    assert made.recording.writes == []
