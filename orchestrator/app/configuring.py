"""octo.yaml as a line of the plan: what is written to it, after consent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.config import edit
from orchestrator.config.document import read_document
from orchestrator.config.write import SECRET_FILE, write_config, write_external_id
from orchestrator.errors import ConfigError, writing
from orchestrator.model.outside_action import CONFIGURE, OutsideAction
from orchestrator.model.registration import EXTERNAL_ID_SOURCES


def announce(path: Path, settings: Mapping[str, Any]) -> tuple[OutsideAction, ...]:
    """Return the line of the plan that says what ``write`` would do; none if nothing is to change.

    Args:
        path: octo.yaml; it may be absent.
        settings: by field name, dotted for nested ones.

    Raises:
        ConfigError: octo.yaml is for another account than the settings.
    """
    if not path.exists():
        secret = " and the file of the external id" if "external_id" in settings else ""
        return (OutsideAction(CONFIGURE, str(path), f"Write {path}{secret}."),)
    known = read_document(path).get("account_id")
    if "account_id" in settings and known not in (None, settings["account_id"]):
        raise ConfigError(
            f"{path} is for account {known}",
            where="--account-id",
            hint="Name another octo.yaml for this account with --config.",
        )
    changed = edit.changes(path, _edits(settings))
    names = [name for name, value in changed.items() if value is not None]
    if "external_id" in settings and not names:
        names = ["the external id"]
    if not names:
        return ()
    return (OutsideAction(CONFIGURE, str(path), f"Set {', '.join(names)} in {path}."),)


def write(path: Path, settings: Mapping[str, Any]) -> None:
    """Write what ``announce`` announced; comments of an existing octo.yaml stay.

    Raises:
        ConfigError: octo.yaml is written in a way that cannot be edited safely.
        OctoTfError: it cannot be written.
    """
    with writing(path):
        if not path.exists():
            write_config(path, settings)
            return
        edit.set_values(path, _edits(settings))
        if "external_id" in settings:
            write_external_id(path, settings["external_id"])


def _edits(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an existing octo.yaml is to say: what to register, not how to reach AWS.

    An external id goes into a file of its own, which replaces any other source.
    """
    given = {n: v for n, v in settings.items() if not n.startswith("credentials.")}
    source = next((source for source in EXTERNAL_ID_SOURCES if source in given), None)
    if source is None:
        return given
    value = given.pop(source)
    if source == "external_id":
        source, value = "external_id_file", SECRET_FILE
    return {**given, **dict.fromkeys(EXTERNAL_ID_SOURCES), source: value}
