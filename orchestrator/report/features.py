"""The features of Octo: for a terminal, and as tables of the documentation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestrator.model.module_contract.feature_permissions import in_words, permissions
from orchestrator.model.module_contract.features import ExecutionAction, Feature, table

_WIDTH = 100
_LABEL = 10  # characters of a label with its gap
_NOT_SEEN = "Read in public pages and files; nobody has tried it against the live service."


def render_text() -> str:
    """Render every feature, then what execution may do."""
    parts = [
        _block(_title(name), _lines(name, feature)) for name, feature in table().features.items()
    ]
    parts += [
        _block(f"execution_actions: {name}", _action_lines(action))
        for name, action in table().execution_actions.items()
    ]
    parts.append(_block("Not offered", (("", what) for what in table().not_offered)))
    return "\n\n".join(parts)


def render_json() -> dict[str, Any]:
    """Render the whole table, as ``docs/schemas/features-v1.json`` describes it."""
    whole = table().model_dump(mode="json")
    for name, feature in whole["features"].items():
        feature["sources"] = [whole["sources"][key] for key in feature["sources"]]
        feature["permissions"] = {
            role: {"reads": one.reads, "changes": list(one.changes)}
            for role, one in permissions(name).items()
        }
    parts = ("features", "roles", "execution_actions", "not_offered")
    return {"schema": "octo-tf/features/v1", **{part: whole[part] for part in parts}}


def markdown_features() -> str:
    """Render the features as a table."""
    rows = ["| feature | in Octo | policies | permissions | what else it needs | without it |"]
    rows.append("|---|---|---|---|---|---|")
    for name, feature in table().features.items():
        roles = "; ".join(f"`{role}`: {_files(named)}" for role, named in feature.roles.items())
        needs = "<br>".join(_needs(feature))
        costs = in_words(name).replace("; ", "<br>")
        cells = (f"`{_title(name)}`", feature.shows, roles or "none", costs, needs, feature.lost)
        rows.append(f"| {' | '.join(cells)} |")
    if not any(feature.seen_live for feature in table().features.values()):
        rows += ["", _NOT_SEEN]
    return "\n".join(rows)


def markdown_summary() -> str:
    """Render what each feature shows, and what is missing without it, as a table."""
    rows = ["| feature | in Octo | without it |", "|---|---|---|"]
    rows += [
        f"| `{_title(name)}` | {feature.shows} | {feature.lost} |"
        for name, feature in table().features.items()
    ]
    return "\n".join(rows)


def markdown_enrolment() -> str:
    """Render who switches on what in AWS, as a table; features that need nothing share a row."""
    rows = ["| feature | octo-tf enrols, after consent | you switch on in AWS |", "|---|---|---|"]
    without = []
    for name, feature in table().features.items():
        ours = "<br>".join(f"{one.what}." for one in feature.enrolment if one.service)
        yours = "<br>".join(f"{one.what}: <{one.page}>" for one in feature.enrolment if one.page)
        if feature.enrolment:
            rows.append(f"| `{name}` | {ours or 'nothing'} | {yours or 'nothing'} |")
        else:
            without.append(f"`{name}`")
    return "\n".join([*rows, f"| {', '.join(without)} | nothing | nothing |"])


def markdown_actions() -> str:
    """Render what execution may do as a table."""
    rows = ["| action | recommendation | changes | deletes | to know |", "|---|---|---|---|---|"]
    for name, action in table().execution_actions.items():
        changes = ", ".join(f"`{one}`" for one in _changes(action))
        deletes = "yes" if action.deletes else "no"
        rows.append(
            f"| `{name}` | {action.recommendation} | {changes} | {deletes} | {action.note} |"
        )
    rows += ["", f"Not offered, since their API calls are not public: {_not_offered()}."]
    return "\n".join(rows)


def markdown_sources() -> str:
    """Render where each feature's statements come from."""
    return "\n".join(
        f"- `{name}`: {'; '.join(table().sources[key] for key in feature.sources)}"
        for name, feature in table().features.items()
    )


def _title(name: str) -> str:
    return f"{name} (always)" if name == "cost" else name


def _files(named: Mapping[str, str]) -> str:
    return ", ".join(f"[{file.split('.')[0]}](policies/{file})" for file in named.values())


def _lines(name: str, feature: Feature) -> Iterator[tuple[str, str]]:
    yield "Shows", feature.shows
    yield "Without", feature.lost
    for role, policies in feature.roles.items():
        yield "Role", f"{role}: {', '.join(policies)}"
    yield "Grants", in_words(name)
    for need in _needs(feature):
        yield "Needs", need
    if not feature.seen_live:
        yield "Evidence", _NOT_SEEN


def _needs(feature: Feature) -> Iterator[str]:
    yield from (f"{element} in the report." for element in feature.report)
    yield from (f"{one.what}. Done by {one.by}." for one in feature.enrolment)
    yield from feature.needs
    yield from feature.notices


def _action_lines(action: ExecutionAction) -> Iterator[tuple[str, str]]:
    yield "For", action.recommendation
    yield "Changes", ", ".join(_changes(action))
    if action.deletes:
        yield "Deletes", "Needs execution_may_delete as well."
    if action.note:
        yield "Know", action.note


def _changes(action: ExecutionAction) -> list[str]:
    return sorted({one for change in action.changes for one in change.actions})


def _not_offered() -> str:
    return "; ".join(table().not_offered)


def _block(title: str, lines: Iterable[tuple[str, str]]) -> str:
    rendered = [
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f"  {label:<{_LABEL}}" if label else "  ",
            subsequent_indent=" " * (_LABEL + 2 if label else 2),
            break_on_hyphens=False,
        )
        for label, text in lines
    ]
    return "\n".join([title, *rendered])
