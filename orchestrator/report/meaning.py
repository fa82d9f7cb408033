"""Put what a plan means into words, in one place for every format: sections of sentences."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.app.review import Review
from orchestrator.model.effects import Delivery, Effects, Repair, RoleChange
from orchestrator.model.policy.abilities import Ability, Comparison
from orchestrator.model.policy.classification import Access, access, expand
from orchestrator.model.policy.terms import Condition, Terms, is_external_id
from orchestrator.model.policy.trust import Admission
from orchestrator.model.words import counted

_NAMES = 6  # actions, accounts, services that a sentence names
_SERVICES = 12  # of which every action is meant: more are one sentence
_WIDEST = 80  # characters of conditions
_LOUD = {level for level in Access if level.changes} | {Access.DATA}


@dataclass(frozen=True)
class Section:
    """Sentences with a title."""

    title: str
    sentences: tuple[str, ...]


def sections(review: Review) -> list[Section]:
    """Say what a plan means; a section without a sentence is left out."""
    effects = review.effects
    found = [
        Section("Changed outside Terraform", tuple(map(_repair, effects.repairs))),
        *of_roles(effects.roles),
        *(
            Section(f"Bucket {bucket}", tuple(_changes(_name(who), change)))
            for bucket, who, change in effects.buckets
        ),
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
        yield f"{_who(admission)} may {_assume(admission, name)}{_if(admission.terms)}."
    if role.fate != "deleted":
        for admission in trust.lost:
            yield f"{_who(admission)} may no longer {_assume(admission, name)}."
    for before, after in trust.changed:
        was = _if(before.terms) or " always"
        yield f"{_who(after)} may {_assume(after, name)}{_if(after.terms)}; before:{was}."
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
    yield from _abilities(f"{who} gains", change.gained, names=_loud)
    yield from _abilities(f"{who} loses", change.lost)
    freed = f"{who} keeps, under fewer or other conditions,"
    yield from _abilities(freed, change.freed, names=_loud)
    yield from _abilities(f"{who} keeps, under more conditions,", change.limited)
    yield from _abilities("The boundary denies", change.bounded)


def _loud(patterns: Iterable[str]) -> list[str]:
    """Return the actions that change something or read data, which a reviewer must see."""
    levels = {p: [access(action) for action in expand(p) or [p]] for p in patterns}
    return [p for p, found in levels.items() if any(one in _LOUD for one in found)]


def _quiet(_patterns: Iterable[str]) -> list[str]:
    return []


def _abilities(
    verb: str, abilities: Sequence[Ability], *, names: Callable[[Iterable[str]], list[str]] = _quiet
) -> Iterator[str]:
    """Name what changes something or reads data; count the rest unless there are few.

    Args:
        verb: how a sentence begins.
        names: chooses the actions that are named however many there are.
    """
    quiet: Counter[str] = Counter()
    few: list[str] = []
    whole: dict[str, list[str]] = defaultdict(list)
    for ability in abilities:
        if ability.patterns == (f"{ability.service}:*",):
            whole[_where(ability)].append(ability.service)
    whole = {where: services for where, services in whole.items() if len(services) > _SERVICES}
    for where, services in whole.items():
        yield f"{verb} every action of {len(services)} services {where}: {_listed(services)}."
    for ability in abilities:
        where = _where(ability)
        if ability.service in whole.get(where, ()) and len(ability.patterns) == 1:
            continue
        if _LOUD & ability.by_access.keys():
            patterns = _listed(ability.patterns, first=names(ability.patterns))
            yield f"{verb} {patterns} {where} ({_kinds(ability)})."
        else:
            quiet[ability.service] += len(ability.actions)
            few += ability.patterns
    if quiet and len(few) <= _NAMES:
        yield f"{verb} {_listed(sorted(few))} (lists or reads)."
    elif quiet:
        services = [f"{service} {n}" for service, n in sorted(quiet.items())]
        yield f"{verb} {sum(quiet.values())} actions that list or read: {_listed(services)}."


def _where(ability: Ability) -> str:
    excepts = f" but {_listed(ability.excepts)}" if ability.excepts else ""
    return f"on {ability.resource}{excepts}{_if(ability.terms)}"


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
            verb = one if len(accounts) == 1 else many
            yield f"{counted(len(accounts), 'linked account')} {verb}: {_listed(accounts)}."


def _who(admission: Admission) -> str:
    return _name(admission.who)


def _assume(admission: Admission, name: str) -> str:
    return f"use {admission.action} with {name}" if admission.action else f"assume {name}"


def _name(who: str) -> str:
    if who == "*":
        return "Everybody"
    is_account = re.fullmatch(r"\d{12}|ACCOUNT", who)
    return f"Account {who}" if is_account else who


def _if(terms: Terms) -> str:
    """Word conditions; of long ones, their keys only."""
    allows = [" and ".join(_line("if ", line) for line in way) for way in terms.any_of if way]
    denies = [
        _line("unless ", way[0])
        if len(way) == 1
        else f"unless ({' and '.join(_line('', line) for line in way)})"
        for way in terms.unless
    ]
    text = " and ".join([*([", or ".join(allows)] if allows else []), *denies])
    keys = [line.key for line in terms.lines if not _is_the_external_id(line)]
    if keys and len(text) >= _WIDEST:
        return f" under conditions on {', '.join(dict.fromkeys(keys))}"
    return f" {text}" if text else ""


def _line(word: str, line: Condition) -> str:
    if _is_the_external_id(line._replace(operator=word + line.operator)):
        return "with the external id"
    return f"{word}{line.key} {line.operator} {' or '.join(line.values) or '(not shown)'}"


def _is_the_external_id(line: Condition) -> bool:
    exact = ("stringequals", "if stringequals", "unless stringnotequals")
    return is_external_id(line.key) and line.operator.lower() in exact


def _listed(names: Sequence[str], *, first: Sequence[str] = ()) -> str:
    """Name some of many, those of ``first`` in any case, and count the rest."""
    shown = [name for n, name in enumerate(names) if name in first or n < _NAMES - len(first)]
    rest = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + rest
