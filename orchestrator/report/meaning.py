"""Put what a plan means into words, in one place for every format: sections of sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.app.review import Review
from orchestrator.model.effects import Delivery, Effects, Repair, RoleChange
from orchestrator.model.policy.abilities import Ability, Comparison, Condition, is_external_id
from orchestrator.model.policy.classification import Access
from orchestrator.model.policy.trust import Admission

_NAMES = 6  # actions, accounts, services that a sentence names
_WIDEST = 80  # characters of conditions
_EXACT = ("StringEquals", "unless StringNotEquals")


@dataclass(frozen=True)
class Section:
    """Sentences with a title."""

    title: str
    sentences: tuple[str, ...]


def sections(review: Review) -> list[Section]:
    """Say what a plan means; a section without a sentence is left out."""
    effects = review.effects
    found = [
        *of_roles(effects.roles),
        *(
            Section(f"Bucket {bucket}", tuple(_changes(_name(who), change)))
            for bucket, who, change in effects.buckets
        ),
        Section("Changed outside Terraform", tuple(map(_repair, effects.repairs))),
        Section("Accepted in octo.yaml", tuple(f"{line}." for line in effects.accepted)),
        Section("Deliveries", tuple(_deliveries(effects))),
        Section("Linked accounts", tuple(_linked(effects))),
    ]
    return [section for section in found if section.sentences]


def of_roles(roles: Iterable[RoleChange]) -> list[Section]:
    """Say how roles change, a section for each."""
    return [Section(_title(role), tuple(_role(role))) for role in roles]


def made_from(effects: Effects) -> list[str]:
    """Say what a plan was made from; empty if that is not known."""
    origin = effects.origin
    if not origin.digest:
        return []
    bucket = f", bucket {origin.bucket} in {origin.bucket_region}" if origin.bucket else ""
    versions = ", ".join(f"{name} {version}" for name, version in origin.versions.items())
    commit = origin.commit.removesuffix("+")[:12]
    differs = ", with changes that are not committed" if origin.commit.endswith("+") else ""
    sentences = [
        f"Octo's account {origin.principal}, region {origin.region}{bucket}.",
        f"Versions: {versions}.",
        f"Commit {commit}{differs}." if commit else "",
        f"Inputs: sha256 {origin.digest[:16]}.",
        f"Access levels of actions: {origin.access_levels}.",
    ]
    return [sentence for sentence in sentences if sentence]


def _title(role: RoleChange) -> str:
    where = " in linked accounts" if role.in_linked else ""
    fate = "" if role.fate == "changed" else f" ({role.fate})"
    return f"{role.name}{where}{fate}"


def _role(role: RoleChange) -> Iterator[str]:
    name, trust, abilities = role.name, role.trust, role.abilities
    for admission in trust.gained:
        yield f"{_who(admission)} may assume {name}{_if(admission.conditions)}."
    if role.fate != "deleted":
        for admission in trust.lost:
            yield f"{_who(admission)} may no longer assume {name}."
    for before, after in trust.changed:
        was = _if(before.conditions) or " always"
        yield f"{_who(after)} may assume {name}{_if(after.conditions)}; before:{was}."
    if trust.another_external_id:
        yield f"{name} accepts other external ids than before."
    if role.fate == "deleted":
        yield f"{name} and everything that it allowed are gone."
    else:
        yield from _changes("It", abilities)
    if role.fate == "changed" and role.boundary[0] != role.boundary[1]:
        yield f"Its permissions boundary is {role.boundary[1] or 'removed'}" + (
            f", not {role.boundary[0]}." if role.boundary[0] else "."
        )
    elif role.boundary[1]:
        yield "Its permissions boundary is taken into account."
    for unread in role.unread:
        yield f"{unread} could not be read: what it allows or limits is not in these sentences."


def _changes(who: str, change: Comparison) -> Iterator[str]:
    """Say what somebody may do, and may no longer do."""
    yield from _abilities(f"{who} gains", change.gained)
    yield from _abilities(f"{who} loses", change.lost)
    yield from _abilities(f"{who} has under fewer or other conditions", change.freed)
    yield from _abilities(f"{who} has under more conditions", change.limited)
    yield from _abilities("The boundary denies", change.bounded)


def _abilities(verb: str, abilities: Sequence[Ability]) -> Iterator[str]:
    """Name what changes something or reads data; count the rest unless there are few."""
    quiet: Counter[str] = Counter()
    names: list[str] = []
    for ability in abilities:
        if any(level.changes or level is Access.DATA for level in ability.by_access):
            where = f"on {ability.resource}{_if(ability.conditions)}"
            yield f"{verb} {_listed(ability.patterns)} {where} ({_kinds(ability)})."
        else:
            quiet[ability.service] += len(ability.actions)
            names += ability.patterns
    if quiet and len(names) <= _NAMES:
        yield f"{verb} {_listed(sorted(names))} (lists or reads)."
    elif quiet:
        services = _listed([f"{service} {n}" for service, n in sorted(quiet.items())])
        yield f"{verb} {sum(quiet.values())} actions that list or read: {services}."


def _kinds(ability: Ability) -> str:
    """Say what actions do: ``write``, or ``1 data read: s3:GetObject, 3 list`` of several."""
    levels = ability.by_access
    if len(ability.actions) == 1:
        return next(iter(levels)).value
    return ", ".join(
        f"{len(actions)} {level.value}" + (f": {actions[0]}" if len(actions) == 1 else "")
        for level, actions in levels.items()
    )


def _repair(repair: Repair) -> str:
    allowed = _listed([f"{_listed(a.patterns)} on {a.resource}" for a in repair.allowed])
    what = f"{repair.sentence}; it allowed {allowed}" if allowed else repair.sentence
    return f"{repair.role or repair.address}: {what}."


def _deliveries(effects: Effects) -> Iterator[str]:
    before, after = effects.deliveries
    if after is not None and after != before:
        was = f", not to {_place(before)}" if before is not None else ""
        yield (
            f"AWS delivers the report {after.report} ({after.time_unit.lower()}) to"
            f" {_place(after)}{was}."
        )
    elif after is None and before is not None:
        yield f"AWS no longer delivers the report {before.report}."


def _place(delivery: Delivery) -> str:
    return f"s3://{delivery.bucket}/{delivery.prefix} in {delivery.region}"


def _linked(effects: Effects) -> Iterator[str]:
    kinds = (
        ("get Octo's roles", "gets Octo's roles", effects.linked.get),
        ("lose Octo's roles, or keep them unmanaged", "loses Octo's roles", effects.linked.lose),
        ("get changed roles", "gets changed roles", effects.linked.change),
    )
    for many, one, accounts in kinds:
        if accounts:
            noun = "linked account" if len(accounts) == 1 else "linked accounts"
            verb = one if len(accounts) == 1 else many
            yield f"{len(accounts)} {noun} {verb}: {_listed(accounts)}."


def _who(admission: Admission) -> str:
    return _name(admission.who)


def _name(who: str) -> str:
    if who == "*":
        return "Everybody"
    is_account = re.fullmatch(r"\d{12}|ACCOUNT", who)
    return f"Account {who}" if is_account else who


def _if(conditions: Iterable[Condition]) -> str:
    """Word conditions; of long ones, their keys only."""
    texts, keys = [], []
    for operator, key, values in conditions:
        if is_external_id(key) and operator in _EXACT:
            texts.append("with the external id")
            continue
        keys.append(key)
        word = operator.removeprefix("unless ")
        verb = "if" if word == operator else "unless"
        texts.append(f"{verb} {key} {word} {' or '.join(values) or '(not shown)'}")
    text = f" {' and '.join(texts)}" if texts else ""
    if keys and len(text) > _WIDEST:
        return f" under conditions on {', '.join(dict.fromkeys(keys))}"
    return text


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + rest
