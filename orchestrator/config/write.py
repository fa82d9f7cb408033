"""Writes a new octo.yaml, with a word on each setting for whoever reads it next."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from orchestrator.config.load import EXTERNAL_ID_SOURCES
from orchestrator.files import write_atomically

SECRET_FILE = "octo.external-id"  # noqa: S105  (a file's name)
_COMMENTS = {
    "account_id": "The AWS account to register with Octo; octo-tf refuses any other.",
    "account_type": "payer, linked or standalone; left out, octo-tf finds out.",
    "external_id": "The external id that Octo shows for this account.",
    "external_id_env": "The environment variable that holds the external id.",
    "external_id_file": "The external id, in a file that is not committed.",
    "permission_tiers": "read, recommendations, operations.",
    "cur_s3_bucket_option": "CREATE_NEW, or USE_EXISTING with the bucket's name.",
    "cur_role_trust": "external_id, or principal_only (weaker) where Octo sends no id for it.",
    "credentials": "A profile or a role; left out, the ambient AWS credential chain.",
    "backend": "local, or s3 (encrypted, locked) for teams.",
}


def write_config(path: Path, settings: Mapping[str, Any]) -> bool:
    """Writes ``settings`` (by field name, dotted for nested ones) to ``path``, 0600.

    An external id that is given as such goes into a file of its own beside it, 0600 too.

    Returns:
        Whether that file was written.

    Raises:
        OSError: a file cannot be written.
    """
    given = dict(settings)
    secret = given.pop("external_id", None)
    if secret is not None:
        write_atomically(path.with_name(SECRET_FILE), f"{secret}\n".encode())
        given["external_id_file"] = SECRET_FILE
    order = ("account_id", "account_name", "account_type", *EXTERNAL_ID_SOURCES)
    names = [*order, *sorted(given.keys() - {*order})]
    _write(path, {name: given[name] for name in names if name in given})
    return secret is not None


def _write(path: Path, settings: Mapping[str, Any]) -> None:
    document = CommentedMap()
    for name, value in settings.items():
        section = document
        *parents, last = name.split(".")
        for parent in parents:
            section = section.setdefault(parent, CommentedMap())
        # Quoted: YAML would read an account id as a number.
        section[last] = (
            SingleQuotedScalarString(value) if isinstance(value, str) and value.isdigit() else value
        )
    for name, comment in _COMMENTS.items():
        if name in document:
            document.yaml_set_comment_before_after_key(name, before=comment)
    document.yaml_set_start_comment(
        "octo-tf: what to register with Octo. Apply with `octo-tf apply`."
    )
    stream = io.StringIO()
    YAML(typ="rt").dump(document, stream)
    write_atomically(path, stream.getvalue().encode())
