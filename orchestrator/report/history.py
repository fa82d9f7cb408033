"""The history of a registration, for a person and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.octo_records import LABELS, AccountRecord, AreaName, RotationRecord
from orchestrator.model.outdated_access import OutdatedAccess, Remedy
from orchestrator.model.words import counted
from orchestrator.octo.history import History

SCHEMA = "octo-tf/status/v1"
_NONE = "no record here"
_REMEDIES: dict[Remedy, str] = {
    "apply": "octo.yaml grants it: octo-tf apply",
    "feature": "granted by the feature {0.feature}, which octo.yaml does not choose",
    "additional_actions": "additional_actions can grant it",
    "upgrade": "a role that this octo-tf does not know",
    "not_granted": "octo-tf does not grant it: it changes something, reads data or reaches further",
}


def render_json(history: History) -> str:
    """Render the history for programs (docs/schemas/status-v1.json)."""
    record = history.record.model_dump(mode="json")
    answers = record.pop("answers")
    document = {
        "schema": SCHEMA,
        **record,
        "octo": answers,
        "linked_accounts": {
            "registered": history.linked_registered,
            "waiting": history.linked_waiting,
            "left": history.linked_left,
        },
        "outdated": asdict(history.outdated) if history.outdated else None,
        "remaining": list(history.remaining),
    }
    return json.dumps(document, indent=2)


def render_text(history: History) -> str:
    """Render the history for a person: what happened, then what is still to be done."""
    record = history.record
    kind = f" ({record.account_type})" if record.account_type else ""
    lines = [_line("Account", f"{record.account_id} {record.account_name}".rstrip() + kind)]
    if record.method == "console":
        lines.append(_line("Resources", "made by CloudFormation stacks (octo-tf console)"))
    else:
        lines += [_line("Planned", record.planned_at), _line("Applied", record.applied_at)]
    lines += [
        _line("Verified", record.verified_at),
        *(_verified(record, area) for area in LABELS if area in record.statuses),
        _line("Registered", _registered(record)),
        *(_confirmed(record, area) for area in LABELS if area in record.answers),
        _line("Finished", record.finished_at),
    ]
    if record.rotation:
        lines.append(_line("External id", _rotation(record.rotation)))
    if record.destroying_at:
        lines.append(_line("Destroying", f"since {record.destroying_at}, not ended"))
    if record.destroyed_at:
        lines.append(_line("Destroyed", record.destroyed_at))
    if record.kept_roles:
        accounts = counted(len(record.kept_roles), "linked account")
        kept = ", ".join(record.kept_roles)
        lines.append(_line("Kept", f"{API_ROLE} in {accounts}: {kept}"))
    if record.left_at:
        lines.append(_line("Left", record.left_at))
    if linked := _linked(history):
        lines.append(_line("Linked", linked))
    if history.outdated:
        lines += outdated_lines(history.outdated)
    for number, step in enumerate(history.remaining):
        lines.append(_line("" if number else "To do", step))
    return "\n".join(lines)


def outdated_lines(outdated: OutdatedAccess) -> Iterator[str]:
    """Show what the template asks for: what is new in full, the rest as counts."""
    known = f"; the account was registered with {v}" if (v := outdated.known_version) else ""
    yield _line("Outdated", f"Octo's template is {outdated.template_version or 'newer'}{known}")
    for one in outdated.missing or ():
        count = counted(len(one.actions), "action")
        what = f"new: {one.role} lacks {one.in_words}" if one.is_new else f"{one.role}: {count}"
        yield f"  {what} ({_REMEDIES[one.remedy].format(one)})"
    if outdated.missing == ():
        yield "  The account's roles grant everything that it asks for."
    if outdated.unread:
        what = "What is missing" if outdated.missing is None else "Which of these are new"
        yield f"  {what} is not known: {outdated.unread}"


def _line(name: str, text: str | None) -> str:
    return f"{name:11} {text or _NONE}"


def _verified(record: AccountRecord, area: AreaName) -> str:
    since = record.passing_since.get(area)
    return f"  {LABELS[area]:11} {record.statuses[area]}" + (f" since {since}" if since else "")


def _registered(record: AccountRecord) -> str | None:
    if record.registered_at:
        return f"with Octo since {record.registered_at}"
    unknown = [a.at for a in record.answers.values() if a.state == "not_registered"]
    return f"no, Octo did not know the account on {max(unknown)}" if unknown else None


def _rotation(rotation: RotationRecord) -> str:
    if rotation.phase == "done":
        return f"changed on {rotation.at}"
    phase = rotation.phase.replace("_", " ")
    began = f" since {rotation.since}" if rotation.since else ""
    return f"two are accepted{began}; {phase}" + (f" since {rotation.at}" if rotation.at else "")


def _confirmed(record: AccountRecord, area: AreaName) -> str:
    answer, since = record.answers[area], record.confirmed_at.get(area)
    parts = [f"confirmed by Octo since {since}"] if since else []
    if answer.state != "confirmed":
        words = answer.state.replace("_", " ")
        parts.append(f"{words} on {answer.at}" + (f": {answer.reason}" if answer.reason else ""))
    return f"  {LABELS[area]:11} {'; '.join(parts)}"


def _linked(history: History) -> str:
    counts = {
        "registered with Octo": history.linked_registered,
        "waiting to be registered": history.linked_waiting,
        "left Octo": history.linked_left,
    }
    return ", ".join(f"{count} {words}" for words, count in counts.items() if count)
