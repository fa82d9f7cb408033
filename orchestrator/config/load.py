"""octo.yaml and flags → Registration, with every error at its ``file:line:column`` or flag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from ruamel.yaml.comments import CommentedMap

from orchestrator.config.document import ANOTHER
from orchestrator.config.sources import Sources, sentence
from orchestrator.errors import ConfigError
from orchestrator.files import read_bounded
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, Access, Registration
from orchestrator.redaction import keep_out

_MAX_EXTERNAL_ID_BYTES = 10_000
_MAX_VALUES = 10_000  # aliases of aliases grow without end

# What is quoted in errors: anything else may be the external id itself, typed in the wrong place.
_FILE = re.compile(r"[/~.][\w /.~-]*|[\w /.-]+\.[a-z]{1,8}(-id)?")


def load(
    path: Path,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    octo_has_external_id: bool = False,
    reads_external_id: bool = True,
) -> Registration:
    """Read ``path``, let ``flags`` override it, and validate the result.

    Args:
        path: octo.yaml; may be absent when the flags alone are enough.
        flags: option values by field name, dotted for nested ones (``credentials.profile``);
            ``None`` means not given.
        octo_has_external_id: whether the external id may be absent, because Octo can be asked.
        reads_external_id: whether the external id is read from where octo.yaml says it is; if not,
            it may be absent.

    Raises:
        ConfigError: with every mistake found, each at its place.
    """
    sources = Sources.read(path, flags)
    if _is_larger(sources.document, _MAX_VALUES):
        raise ConfigError(
            f"holds more than {_MAX_VALUES} values, its aliases expanded",
            where=str(path),
            hint=ANOTHER,
        )
    merged = sources.merged()
    try:
        merged["external_id"] = (
            _external_id(merged, base=path.parent, environ=environ) if reads_external_id else None
        )
        merged |= _rotation(merged, base=path.parent, environ=environ)
    except _AtField as error:
        where = sources.place(tuple(error.field.split(".")))[1]
        raise ConfigError(error.message, where=where, hint=error.hint) from None
    if merged["external_id"] is not None:
        keep_out(merged["external_id"].get_secret_value())
    elif reads_external_id and not octo_has_external_id:
        del merged["external_id"]
    for source in EXTERNAL_ID_SOURCES[1:]:
        merged.pop(source, None)
    try:
        return Registration.model_validate(merged)
    except ValidationError as error:
        raise sources.explain(error) from None


def place_of(path: Path, flags: Mapping[str, Any], name: str) -> str:
    """Return where a setting was set: its flag, or ``file:line:column``.

    For ``external_id``, any of the settings that give it counts (``external_id_env``, ...).

    Raises:
        ConfigError: the file cannot be read.
    """
    sources = Sources.read(path, flags)
    names = EXTERNAL_ID_SOURCES if name == "external_id" else (name,)
    found = next((one for one in names if one in sources.flags or one in sources.document), name)
    return sources.place((found,))[1]


def read_external_id(name: str, value: str, environ: Mapping[str, str]) -> str:
    """Read an external id from the variable or file that an option names.

    Args:
        name: the option's, with underscores; it ends in ``_env`` or ``_file``.
        value: the name of the variable or file; not quoted where it may be the id itself.

    Raises:
        ConfigError: it cannot be read.
    """
    hint = "Name a file that holds the external id alone."
    try:
        return _secret(name, value, base=Path(), environ=environ, hint=hint)
    except _AtField as error:
        where = f"--{name.replace('_', '-')}"
        text = error.message.removeprefix(f"{name}: ")
        raise ConfigError(text, where=where, hint=error.hint) from None


def mistake(settings: Mapping[str, Any], name: str) -> str:
    """Say what is wrong with one of these settings; empty if nothing is.

    Args:
        settings: by field name, dotted for nested ones; they need not be complete.
        name: the one that is asked about.
    """
    needed = {"account_id": "000000000000", "external_id": "not-known-yet"}
    merged = Sources(Path(), CommentedMap(), {**needed, **settings}).merged()
    for source in EXTERNAL_ID_SOURCES[1:]:
        merged.pop(source, None)
    try:
        Registration.model_validate(merged)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            if detail["loc"][: name.count(".") + 1] == tuple(name.split(".")):
                return sentence(detail, name)
    return ""


def access(path: Path, flags: Mapping[str, Any]) -> Access:
    """How the account is reached, as octo.yaml and flags say, whatever else is not said yet.

    Raises:
        ConfigError: with every mistake found, each at its place.
    """
    sources = Sources.read(path, flags)
    merged = sources.merged()
    try:
        return Access.model_validate({n: merged[n] for n in Access.model_fields if n in merged})
    except ValidationError as error:
        raise sources.explain(error) from None


def _is_larger(document: Any, limit: int) -> bool:
    """Whether a document has more values than ``limit``; it stops counting there."""
    waiting, count = [document], 0
    while waiting and count <= limit:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting += [*value.values()]
        elif isinstance(value, list):
            waiting += value
    return count > limit


class _AtField(Exception):
    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.field, self.message, self.hint = field, message, hint


def _external_id(
    merged: Mapping[str, Any], *, base: Path, environ: Mapping[str, str]
) -> SecretStr | None:
    named = [source for source in EXTERNAL_ID_SOURCES if merged.get(source) is not None]
    if len(named) > 1:
        raise _AtField(named[1], f"{' and '.join(named)} are both set: keep one")
    if not named:
        return None
    field, value = named[0], merged[named[0]]
    if not isinstance(value, str):
        raise _AtField(field, f"{field}: must be text, in quotes")
    if field == "external_id":
        return SecretStr(value)
    hint = "Name a file that holds the external id alone."
    return SecretStr(_secret(field, value, base=base, environ=environ, hint=hint))


def _rotation(
    merged: Mapping[str, Any], *, base: Path, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Resolve the ids of a rotation, from where octo.yaml says that they are."""
    section = merged.get("external_id_rotation")
    if not isinstance(section, dict):
        return {}
    named = [n for n in ("ids", "ids_env", "ids_file") if section.get(n) is not None]
    field = f"external_id_rotation.{named[-1] if named else 'ids_file'}"
    if len(named) != 1:
        raise _AtField(field, "external_id_rotation must have one of ids, ids_env and ids_file")
    value = section[named[0]]
    if named[0] == "ids":
        if not isinstance(value, list) or not all(isinstance(found, str) for found in value):
            raise _AtField(field, f"{field}: must be a list of texts, in quotes")
        found = value
    elif not isinstance(value, str):
        raise _AtField(field, f"{field}: must be text, in quotes")
    else:
        hint = "Name a file that holds the two external ids, one a line."
        found = _secret(field, value, base=base, environ=environ, hint=hint).split()
    for secret in found:
        keep_out(secret)
    if len(found) != 2:
        raise _AtField(field, f"{field}: must hold two external ids, not {len(found)}")
    return {"external_id_rotation": {**section, "ids": [SecretStr(secret) for secret in found]}}


def _secret(field: str, value: str, *, base: Path, environ: Mapping[str, str], hint: str) -> str:
    """Read what a variable (``..._env``) or a file (``..._file``) holds."""
    if field.endswith("_env"):
        if not environ.get(value):
            named_as = f"{value} " if value in environ else "that it names "  # else maybe the id
            raise _AtField(field, f"{field}: the environment variable {named_as}is not set")
        return environ[value]
    file = base / Path(value).expanduser()
    try:
        # A pipe will do: `--external-id-file <(pass show octo)`.
        return read_bounded(file, limit=_MAX_EXTERNAL_ID_BYTES).decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        named_as = f"{file} " if _FILE.fullmatch(value) else "that it names "
        raise _AtField(
            field,
            f"{field}: the file {named_as}cannot be read: {reason}",
            hint,
        ) from None
