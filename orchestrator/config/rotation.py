"""Where a rotation of the external id is kept: octo.yaml, and the files and variables it names.

A rotation that is kept there is kept for everybody who runs octo-tf with that octo.yaml: their
applies accept both ids, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.config import edit
from orchestrator.config.document import plain, read_document
from orchestrator.config.load import place_of
from orchestrator.errors import ConfigError, writing
from orchestrator.files import write_atomically

FILE = "octo.external-id-rotation"


def begin(path: Path, previous: str, new: str, since: str) -> None:
    """Keep two external ids: in octo.yaml if it has the present one in plain text, else in a file.

    Args:
        path: octo.yaml.
        previous: the id that Octo presents.
        new: the id that Octo is to present.
        since: when the rotation began (ISO 8601, UTC).

    Raises:
        ConfigError: octo.yaml is written in a way that cannot be edited safely.
    """
    ids: dict[str, object] = {"ids": [previous, new]}
    with writing(path):
        if read_document(path).get("external_id") is None:
            write_atomically(path.with_name(FILE), f"{previous}\n{new}\n".encode())
            ids = {"ids_file": FILE}
        edit.set_values(path, {"external_id_rotation": {**ids, "since": since}})


def check_end(path: Path, new: str, environ: Mapping[str, str]) -> None:
    """Make sure that ``end`` can leave the new external id as the only one.

    Raises:
        ConfigError: octo.yaml takes the id from where octo-tf cannot write it, and it is another.
    """
    document = read_document(path)
    if (name := document.get("external_id_env")) and environ.get(str(name)) != new:
        raise ConfigError(
            f"the variable {name} still holds another external id than the new one",
            where=place_of(path, {}, "external_id_env"),
            hint=f"Set {name} to the new external id, in the pipeline's secrets too; both are"
            " accepted until this command has ended. Then run it again.",
        )
    file = _file(path, document.get("external_id_file"))
    if file is not None and not file.is_file():
        raise ConfigError(
            "the file of the external id cannot be rewritten",
            where=place_of(path, {}, "external_id_file"),
            hint="Name a regular file, or set external_id_env instead.",
        )


def end(path: Path, new: str) -> None:
    """Leave the new external id as the only one, where octo.yaml had the previous one.

    It may be repeated: the rotation is removed from octo.yaml last but for its own file.

    Raises:
        ConfigError: octo.yaml is written in a way that cannot be edited safely.
    """
    document = plain(read_document(path))
    with writing(path):
        file = _file(path, document.get("external_id_file"))
        if file is not None:
            write_atomically(file, f"{new}\n".encode())
        inline = {"external_id": new} if document.get("external_id") is not None else {}
        edit.set_values(path, {**inline, "external_id_rotation": None})
        path.with_name(FILE).unlink(missing_ok=True)


def _file(path: Path, named: object) -> Path | None:
    return path.parent / Path(str(named)).expanduser() if named else None
