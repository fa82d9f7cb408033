"""An account's history from the ledger, and what is still to be done."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.model.octo_records import (
    LABELS,
    AccountRecord,
    Method,
    RotationPhase,
    RotationRecord,
)
from orchestrator.model.outdated_access import MissingActions, OutdatedAccess
from orchestrator.model.registration import ExternalIdRotation
from orchestrator.model.words import counted
from orchestrator.octo.answers import register_hint
from orchestrator.octo.registration import RegistrationService


@dataclass(frozen=True)
class History:
    """What is known here of an account's registration.

    Attributes:
        linked_registered: how many of its linked accounts Octo knows.
        linked_waiting: how many pass and are not registered with Octo yet.
        linked_left: how many octo-tf unregistered.
        remaining: what is still to be done, in order; empty where nothing is.
        outdated: what Octo's new template asks for, if Octo calls the access outdated now.
    """

    record: AccountRecord
    linked_registered: int
    linked_waiting: int
    linked_left: int
    remaining: tuple[str, ...]
    outdated: OutdatedAccess | None = None


def read(
    service: RegistrationService,
    account_id: str,
    rotation: ExternalIdRotation | None = None,
    *,
    outdated: OutdatedAccess | None = None,
) -> History | None:
    """Read an account's history; None if nothing was noted of it.

    Args:
        service: the ledger, and whether there are credentials for Octo.
        rotation: the rotation that octo.yaml has; it may have been begun or ended elsewhere.
        outdated: what was found out now about an outdated access.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    records = service.ledger.accounts()
    record = records.get(account_id)
    if record is None:
        return None
    record = record.model_copy(update={"rotation": _rotation(record.rotation, rotation)})
    waiting = len(service.linked.waiting(account_id))
    linked = [r for r in records.values() if r.account_type == "linked" and r is not record]
    return History(
        record,
        sum(r.is_registered for r in linked),
        waiting,
        len(service.linked.left(account_id)),
        (
            *_remaining(record, waiting, with_credentials=service.api is not None),
            *updating(outdated, record.method),
        ),
        outdated,
    )


def updating(outdated: OutdatedAccess | None, method: Method) -> list[str]:
    """List what brings an outdated access up to date, by how the account's resources are made."""
    if outdated is None:
        return []
    if method == "console":
        return ["Run octo-tf console update: it updates the stack in place; nothing is deleted."]
    if outdated.missing is None:
        return ["Run octo-tf status again once AWS and the template can be read."]
    if not outdated.added:
        return ["Run octo-tf confirm: Octo's new template asks for nothing that is missing."]
    return [
        *granting(outdated),
        "Then run octo-tf apply: it grants what octo.yaml says, and has Octo confirm again.",
    ]


def granting(outdated: OutdatedAccess) -> list[str]:
    """List what octo-tf needs in octo.yaml to grant what the template newly asks for."""
    return [*dict.fromkeys(_granting(one) for one in outdated.added)]


def _granting(missing: MissingActions) -> str:
    role, actions = missing.role, missing.in_words
    return {
        "apply": f"{role} differs from octo.yaml: octo-tf apply restores it.",
        "feature": f"Add {missing.feature} to features in octo.yaml, if Octo is to have it.",
        "additional_actions": f"Add to additional_actions in octo.yaml: {actions}.",
        "upgrade": f"Upgrade octo-tf: this version does not know {role}.",
        "not_granted": f"octo-tf does not grant {actions} to {role}. If Octo still calls the access"
        " outdated without these actions, ask Octo's support.",
    }[missing.remedy]


_ROTATE = "run octo-tf rotate-external-id"
_ROTATING: dict[RotationPhase, str] = {
    "accepting": f"Not every role accepts the new external id yet: {_ROTATE}.",
    "waiting": f"Have the external id changed in Octo, then {_ROTATE}.",
    "dropping": f"The previous external id may still be accepted: {_ROTATE}.",
    "put_back": "Octo was refused with the new external id alone: find out why with Octo's support,"
    f" then {_ROTATE}.",
}


def _rotation(
    noted: RotationRecord | None, kept: ExternalIdRotation | None
) -> RotationRecord | None:
    if kept is None:
        return noted if noted and noted.phase in ("dropping", "done") else None
    if noted is None or noted.phase == "done":
        return RotationRecord(phase="accepting", since=kept.since, at=kept.since)
    return noted


def _remaining(record: AccountRecord, waiting: int, *, with_credentials: bool) -> list[str]:
    """List what is left: for octo-tf with credentials for Octo, for a person in Octo without."""
    if record.left_at is None and record.rotation and record.rotation.phase in _ROTATING:
        rest = _other_steps(record, waiting, with_credentials=with_credentials)
        return [_ROTATING[record.rotation.phase], *rest]
    return _other_steps(record, waiting, with_credentials=with_credentials)


def _other_steps(record: AccountRecord, waiting: int, *, with_credentials: bool) -> list[str]:
    by_console = record.method == "console"
    if record.destroying_at is not None:
        return [
            f"An octo-tf destroy that began on {record.destroying_at} has not finished. Run octo-tf"
            " destroy to continue it, or octo-tf apply to keep the account registered."
        ]
    if record.left_at is not None:
        return []
    if record.destroyed_at is not None:
        if with_credentials:
            return ["Run octo-tf destroy: AWS has no resources, but Octo may have the account."]
        return ["In Octo: remove the account, if it is registered there."]
    if record.verified_at is None and record.applied_at is None:
        return ["Run octo-tf console." if by_console else "Run octo-tf apply."]
    if record.statuses.get("api_access") != "pass":
        verify = "octo-tf console check" if by_console else "octo-tf verify"
        return [f"Run {verify}: API access does not pass, as far as is known here."]
    if not with_credentials:
        return [f"In Octo: {step}." for step in record.steps_by_hand()]
    if not record.is_registered:
        return [register_hint(record.method)]
    open_areas = [LABELS[area] for area in record.unconfirmed]
    if waiting:
        open_areas.append(counted(waiting, "linked account"))
    if open_areas:
        return [f"Run octo-tf confirm: Octo has not confirmed {', '.join(open_areas)}."]
    return []
