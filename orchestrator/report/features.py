"""The features of Octo: for a terminal, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.model.module_contract.feature_permissions import in_words, permissions
from orchestrator.model.module_contract.features import ExecutionAction, Feature, table

_WIDTH = 100
_LABEL = 10  # characters of a label with its gap
NOT_SEEN = "Read in public pages and files; nobody has tried it against the live service."


def render_text() -> str:
    """Render every feature, then what execution may do."""
    parts = [
        _block(title(name), _lines(name, feature)) for name, feature in table().features.items()
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


def title(name: str) -> str:
    """Return a feature's name, marked if every account has it."""
    return f"{name} (always)" if name == "cost" else name


def _lines(name: str, feature: Feature) -> Iterator[tuple[str, str]]:
    yield "Shows", feature.shows
    yield "Without", feature.lost
    for role, policies in feature.roles.items():
        yield "Role", f"{role}: {', '.join(policies)}"
    yield "Grants", in_words(name)
    for need in needs(feature):
        yield "Needs", need
    if not feature.seen_live:
        yield "Evidence", NOT_SEEN


def needs(feature: Feature) -> Iterator[str]:
    """Yield what a feature needs besides its roles, in sentences."""
    yield from (f"{element} in the report." for element in feature.report)
    yield from (f"{one.what}. Done by {one.by}." for one in feature.enrolment)
    yield from feature.needs
    yield from feature.notices


def _action_lines(action: ExecutionAction) -> Iterator[tuple[str, str]]:
    yield "For", action.recommendation
    yield "Changes", ", ".join(changes(action))
    if action.deletes:
        yield "Deletes", "Needs execution_may_delete as well."
    if action.note:
        yield "Know", action.note


def changes(action: ExecutionAction) -> list[str]:
    """List the AWS actions by which an execution action changes something."""
    return sorted({one for change in action.changes for one in change.actions})


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
