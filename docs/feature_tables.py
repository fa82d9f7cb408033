"""The features of Octo as tables, for ``generate.py``."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.model.module_contract.feature_permissions import in_words
from orchestrator.model.module_contract.features import table
from orchestrator.report.features import NOT_SEEN, changes, needs, title


def features() -> str:
    """Render the features as a table."""
    rows = ["| feature | in Octo | policies | permissions | what else it needs | without it |"]
    rows.append("|---|---|---|---|---|---|")
    for name, feature in table().features.items():
        roles = "; ".join(f"`{role}`: {_files(named)}" for role, named in feature.roles.items())
        wanted = "<br>".join(needs(feature))
        costs = in_words(name).replace("; ", "<br>")
        cells = (f"`{title(name)}`", feature.shows, roles or "none", costs, wanted, feature.lost)
        rows.append(f"| {' | '.join(cells)} |")
    if not any(feature.seen_live for feature in table().features.values()):
        rows += ["", NOT_SEEN]
    return "\n".join(rows)


def summary() -> str:
    """Render what each feature shows, and what is missing without it, as a table."""
    rows = ["| feature | in Octo | without it |", "|---|---|---|"]
    rows += [
        f"| `{title(name)}` | {feature.shows} | {feature.lost} |"
        for name, feature in table().features.items()
    ]
    return "\n".join(rows)


def enrolment() -> str:
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


def execution_actions() -> str:
    """Render what execution may do as a table."""
    rows = ["| action | recommendation | changes | deletes | to know |", "|---|---|---|---|---|"]
    for name, action in table().execution_actions.items():
        changed = ", ".join(f"`{one}`" for one in changes(action))
        deletes = "yes" if action.deletes else "no"
        rows.append(
            f"| `{name}` | {action.recommendation} | {changed} | {deletes} | {action.note} |"
        )
    others = "; ".join(table().not_offered)
    rows += ["", f"Not offered, since their API calls are not public: {others}."]
    return "\n".join(rows)


def sources() -> str:
    """Render where each feature's statements come from."""
    return "\n".join(
        f"- `{name}`: {'; '.join(table().sources[key] for key in feature.sources)}"
        for name, feature in table().features.items()
    )


def _files(named: Mapping[str, str]) -> str:
    return ", ".join(f"[{file.split('.')[0]}](policies/{file})" for file in named.values())
