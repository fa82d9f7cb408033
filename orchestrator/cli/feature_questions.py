"""Ask which features the account is to have in Octo, and what Octo may carry out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import click

from orchestrator.model.module_contract.feature_permissions import offered
from orchestrator.model.module_contract.features import table

_DELETE = "delete"  # the word that allows actions that delete


def ask_features(given: dict[str, Any]) -> None:
    """Ask for features by Octo's names, each with what it costs in permissions.

    Args:
        given: the answers so far, by setting; features and what goes with them are added.
    """
    if "features" not in given:
        click.echo("What Octo can do besides cost (octo-tf features says more):", err=True)
        names = [name for name in table().features if name != "cost"]
        for line in offered(names):
            click.echo(f"  {line}", err=True)
        chosen = _choose("Features, with commas between (empty: none)", names)
        if not chosen:
            return
        given["features"] = ["cost", *chosen]
    for name in given["features"]:
        for notice in table().features[name].notices:
            click.echo(f"Note on {name}: {notice}", err=True)
    if "execution" in given["features"] and "execution_actions" not in given:
        _ask_actions(given)


def ask_kept(today: Mapping[str, Collection[str]], proposed: Mapping[str, Any]) -> dict[str, Any]:
    """Ask which of the features that Octo has in an account are kept; return the settings.

    Args:
        today: the features, each with its roles.
    """
    settings: dict[str, Any] = {"features": ["cost"]}
    for name, roles in today.items():
        otherwise = " (no: these roles stay as they are, unmanaged)" if name == "execution" else ""
        question = f"Octo has the feature {name} here ({', '.join(roles)}). Keep it?{otherwise}"
        if click.confirm(question, default=True, err=True):
            settings["features"].append(name)
    if "execution" in settings["features"]:
        settings |= {n: v for n, v in proposed.items() if n.startswith("execution_")}
        if "execution_actions" not in settings:
            _ask_actions(settings)
    return settings


def _ask_actions(given: dict[str, Any]) -> None:
    """Ask what Octo may carry out; actions that delete need a second consent."""
    actions = table().execution_actions
    click.echo("What Octo may carry out, once a person has approved it:", err=True)
    for name, action in actions.items():
        deletes = " (deletes)" if action.deletes else ""
        click.echo(f"  {name}{deletes}: {action.recommendation}", err=True)
    while True:
        chosen = _choose("Actions, with commas between (empty: no execution)", actions)
        deleting = [name for name in chosen if actions[name].deletes]
        if not deleting or given.get("execution_may_delete") or _may_delete(deleting):
            break
    if not chosen:
        given["features"] = [name for name in given["features"] if name != "execution"]
        return
    given["execution_actions"] = chosen
    if deleting:
        given["execution_may_delete"] = True


def _may_delete(names: Iterable[str]) -> bool:
    question = f"{', '.join(names)}: type {_DELETE} to allow actions that delete"
    answer = click.prompt(question, err=True, default="", show_default=False)
    return str(answer).strip() == _DELETE


def _choose(question: str, names: Collection[str]) -> list[str]:
    """Ask for some of the names until every one that is given is one of them."""
    while True:
        answer = str(click.prompt(question, err=True, default="", show_default=False))
        chosen = [name.strip() for name in answer.split(",") if name.strip()]
        unknown = [name for name in chosen if name not in names]
        if not unknown:
            return list(dict.fromkeys(chosen))
        click.echo(f"There is no {', '.join(unknown)}; there are: {', '.join(names)}", err=True)
