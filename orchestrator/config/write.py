"""Write a new octo.yaml, with a word on each setting for whoever reads it next."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from orchestrator.files import write_atomically
from orchestrator.model.registration import settings as known_settings

SECRET_FILE = "octo.external-id"  # noqa: S105  (a file's name)


def write_config(path: Path, settings: Mapping[str, Any]) -> bool:
    """Write ``settings`` (by field name, dotted for nested ones) to ``path``, 0600.

    An external id that is given as such goes into a file of its own beside it, 0600 too.

    Returns:
        Whether the external id's file was written.
    """
    given = dict(settings)
    secret = given.pop("external_id", None)
    if secret is not None:
        write_external_id(path, secret)
        given["external_id_file"] = SECRET_FILE
    _write(path, {name: given[name] for name in known_settings() if name in given})
    return secret is not None


def write_external_id(path: Path, external_id: str) -> None:
    """Write an external id into its own file beside octo.yaml, 0600."""
    write_atomically(path.with_name(SECRET_FILE), f"{external_id}\n".encode())


def _write(path: Path, settings: Mapping[str, Any]) -> None:
    document, described = CommentedMap(), known_settings()
    for name, value in settings.items():
        section = document
        *parents, last = parts = name.split(".")
        for depth, part in enumerate(parts):
            if part not in section:
                about = described[".".join(parts[: depth + 1])]
                section.yaml_set_comment_before_after_key(part, about.sentence, indent=2 * depth)
            if depth < len(parents):
                section = section.setdefault(part, CommentedMap())
        # Quoted: YAML would read an account id as a number.
        section[last] = (
            SingleQuotedScalarString(value) if isinstance(value, str) and value.isdigit() else value
        )
    document.yaml_set_start_comment(
        "octo-tf: what to register with Octo. Apply with `octo-tf apply`."
    )
    stream = io.StringIO()
    YAML(typ="rt").dump(document, stream)
    write_atomically(path, stream.getvalue().encode())
