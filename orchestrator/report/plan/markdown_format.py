"""A comment for a pull request: changes, the guard's verdict, and how to apply this plan."""

from __future__ import annotations

from orchestrator.app.review import Review
from orchestrator.report.markdown import code, heading, plain, table
from orchestrator.report.meaning import made_from, sections
from orchestrator.report.plan.text_format import sentences, summary


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
    for section in sections(review):
        lines = "\n".join(f"- {plain(sentence)}" for sentence in section.sentences)
        parts.append(f"#### {plain(section.title)}\n\n{lines}")
    if plan.changes:
        count = "1 resource" if len(plan.changes) == 1 else f"{len(plan.changes)} resources"
        rows = [
            (
                f"import, {c.action}" if c.imported and c.action != "import" else c.action,
                code(c.address),
                c.reason.replace("_", " "),
            )
            for c in plan.changes
        ]
        parts.append(f"<details{' open' if len(rows) <= 20 else ''}><summary>{count}</summary>")
        parts.append(table(("action", "resource", "because"), rows))
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
            parts.append(table(("resource", "attribute", "before", "after"), attributes))
        parts.append("</details>")
    if review.linked:
        parts.append("\n".join(f"- Linked accounts: {s}" for s in sentences(review.linked)))
    if after:
        parts.append("\n".join(["Afterwards:", "", *after]))
    if verdict.allowed:
        parts.append("**Guard:** allowed. Nothing that Octo depends on is destroyed or replaced.")
    else:
        parts.append("**Guard:** refused (exit code 5). The plan was not kept.")
        parts.append(
            table(("resource", "why"), [(code(a), why) for a, why in verdict.reasons.items()])
        )
        parts.append(f"```text\n{verdict.hint}\n```")
    if origin := made_from(review.effects):
        lines = "\n".join(f"- {plain(sentence)}" for sentence in origin)
        parts.append(f"<details><summary>Made from</summary>\n\n{lines}\n\n</details>")
    if review.replay and verdict.allowed:
        parts.append(f"Apply exactly this plan:\n\n```shell\n{review.replay}\n```")
    return "\n\n".join(parts)
