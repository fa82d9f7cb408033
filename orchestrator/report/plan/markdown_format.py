"""A comment for a pull request: changes, the guard's verdict, and how to apply this plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from orchestrator.app.review import Review
from orchestrator.model.words import counted
from orchestrator.report.markdown import code, heading, plain, table
from orchestrator.report.meaning import made_from, sections
from orchestrator.report.plan.text_format import sentences, summary

# GitHub takes 65,536 characters in a comment: what may be long gets a share each.
_MEANING, _RESOURCES, _ATTRIBUTES, _REASONS, _HINT = 26_000, 10_000, 10_000, 5_000, 5_000
_MORE = "and {} more: see the JSON of `octo-tf plan --summary FILE`"
_T = TypeVar("_T", str, tuple[str, ...])


def render(review: Review, *, color: bool = False) -> str:
    """Render a plan as GitHub-flavoured Markdown."""
    del color
    plan, verdict = review.plan, review.verdict
    parts = heading("plan", review.account_id, review.account_name, review.account_type)
    if not review.has_changes:
        parts.append("**No changes.** AWS has what octo.yaml asks for.")
    else:
        parts.append(f"**{summary(plan)}**")
    before = [f"- {action.summary}" for action in review.outside if not action.after_apply]
    after = [f"- {action.summary}" for action in review.outside if action.after_apply]
    if before:
        parts.append("\n".join(before))
    meaning: list[str] = []
    for section in sections(review):
        said = [f"- {plain(sentence)}" for sentence in section.sentences]
        meaning += [f"#### {plain(section.title)}\n", *said, ""]
    if meaning:
        kept, left = _fitting(meaning, _MEANING)
        parts.append("\n".join([*kept, *([f"- {_MORE.format(left)}."] if left else [])]).rstrip())
    if plan.changes:
        count = counted(len(plan.changes), "resource")
        rows = [
            (
                f"import, {c.action}" if c.imported and c.action != "import" else c.action,
                code(c.address),
                c.reason.replace("_", " "),
            )
            for c in plan.changes
        ]
        parts.append(f"<details{' open' if len(rows) <= 20 else ''}><summary>{count}</summary>")
        kept_rows, left = _fitting(rows, _RESOURCES)
        parts.append(table(("action", "resource", "because"), kept_rows))
        parts += [_MORE.format(left)] if left else []
        attributes = [
            (
                code(address),
                code(change.name),
                *(code(text) if text else "" for text in (change.before, change.after)),
            )
            for address, changes in review.effects.attributes.items()
            for change in changes
        ]
        if attributes:
            kept_rows, left = _fitting(attributes, _ATTRIBUTES)
            parts.append(table(("resource", "attribute", "before", "after"), kept_rows))
            parts += [_MORE.format(left)] if left else []
        parts.append("</details>")
    if review.linked:
        parts.append("\n".join(f"- Linked accounts: {s}" for s in sentences(review.linked)))
    if after:
        parts.append("\n".join(["Afterwards:", "", *after]))
    if verdict.allowed:
        parts.append("**Guard:** allowed. Nothing that Octo depends on is destroyed or replaced.")
    else:
        parts.append("**Guard:** refused (exit code 5). The plan was not kept.")
        why = [(code(address), why) for address, why in verdict.reasons.items()]
        kept_rows, left = _fitting(why, _REASONS)
        parts.append(table(("resource", "why"), kept_rows))
        parts += [_MORE.format(left)] if left else []
        kept, left = _fitting(verdict.hint.split("\n"), _HINT)
        hint = "\n".join([*kept, *([_MORE.format(left)] if left else [])])
        parts.append(f"```text\n{hint}\n```")
    if origin := made_from(review.effects):
        lines = "\n".join(f"- {plain(sentence)}" for sentence in origin)
        parts.append(f"<details><summary>Made from</summary>\n\n{lines}\n\n</details>")
    if review.replay and verdict.allowed:
        parts.append(f"Apply exactly this plan:\n\n```shell\n{review.replay}\n```")
    return "\n\n".join(parts)


def _fitting(rows: Iterable[_T], budget: int) -> tuple[list[_T], int]:
    """Return the first of rows that fit in so many characters, and how many are left out."""
    kept: list[_T] = []
    left = 0
    for row in rows:
        budget -= sum(len(cell) + 3 for cell in row) if isinstance(row, tuple) else len(row) + 1
        if budget < 0:
            left += bool(row)
        else:
            kept.append(row)
    return kept, left
