"""octo.yaml and flags → Registration, with every error at its ``file:line:column`` or flag."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from orchestrator.errors import ConfigError
from orchestrator.files import read_bounded, read_regular
from orchestrator.model.registration import (
    EXTERNAL_ID_SOURCES,
    Access,
    LocalBackend,
    Registration,
    flag_of,
    settings,
)
from orchestrator.redaction import keep_out

MAX_CONFIG_BYTES = 1_000_000
_MAX_EXTERNAL_ID_BYTES = 10_000
_ANOTHER = "Name an octo.yaml with --config."
_AS_YAML = "Correct it there: octo.yaml has one `setting: value` on each line."
_MAX_VALUES = 10_000  # aliases of aliases grow without end

# What is quoted in errors: anything else may be the external id itself, typed in the wrong place.
_FILE = re.compile(r"[/~.][\w /.~-]*|[\w /.-]+\.[a-z]{1,8}(-id)?")

Position = tuple[int, int]  # line and column, from 0; flags sort before the file


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
    document = read_document(path)
    if _is_larger(document, _MAX_VALUES):
        raise ConfigError(
            f"holds more than {_MAX_VALUES} values, its aliases expanded",
            where=str(path),
            hint=_ANOTHER,
        )
    given = {name: value for name, value in flags.items() if value is not None}
    merged = _merge(document, given)
    try:
        merged["external_id"] = (
            _external_id(merged, base=path.parent, environ=environ) if reads_external_id else None
        )
        merged |= _rotation(merged, base=path.parent, environ=environ)
    except _AtField as error:
        where = _place(path, document, tuple(error.field.split(".")), given)[1]
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
        raise _explain(error, path, document, given) from None


def place_of(path: Path, flags: Mapping[str, Any], name: str) -> str:
    """Return where a setting was set: its flag, or ``file:line:column``.

    For ``external_id``, any of the settings that give it counts (``external_id_env``, ...).

    Raises:
        ConfigError: the file cannot be read.
    """
    document = read_document(path)
    given = {name: value for name, value in flags.items() if value is not None}
    names = EXTERNAL_ID_SOURCES if name == "external_id" else (name,)
    found = next((one for one in names if one in given or one in document), name)
    return _place(path, document, (found,), given)[1]


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
    merged = _merge(CommentedMap(), {**needed, **settings})
    for source in EXTERNAL_ID_SOURCES[1:]:
        merged.pop(source, None)
    try:
        Registration.model_validate(merged)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            if detail["loc"][: name.count(".") + 1] == tuple(name.split(".")):
                return _sentence(detail, name)
    return ""


def access(path: Path, flags: Mapping[str, Any]) -> Access:
    """How the account is reached, as octo.yaml and flags say, whatever else is not said yet.

    Raises:
        ConfigError: with every mistake found, each at its place.
    """
    document = read_document(path)
    given = {name: value for name, value in flags.items() if value is not None}
    merged = _merge(document, given)
    try:
        return Access.model_validate({n: merged[n] for n in Access.model_fields if n in merged})
    except ValidationError as error:
        raise _explain(error, path, document, given) from None


def read_document(path: Path) -> CommentedMap:
    """The mapping in ``path``, with positions; empty if there is no such file.

    Raises:
        ConfigError: it is no mapping, or too large.
    """
    try:
        text = read_regular(path, limit=MAX_CONFIG_BYTES).decode()
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigError(
                "is a link to a file that does not exist", where=str(path), hint=_ANOTHER
            ) from None
        return CommentedMap()
    except UnicodeDecodeError as error:
        raise ConfigError(
            "is not UTF-8 text", where=f"{path}: byte {error.start}", hint=_ANOTHER
        ) from None
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), hint=_ANOTHER
        ) from None
    return parse(text, path)


def parse(text: str, path: Path) -> CommentedMap:
    """The mapping that ``text`` is, with positions; ``path`` only names it in errors.

    Raises:
        ConfigError: it is no YAML, or no mapping.
    """
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        # The problem alone: ruamel's full text quotes the line, which may hold the external id;
        # and so does its problem with a key that is there twice, from the value on.
        problem = str(error.problem).partition(" with value ")[0]
        raise ConfigError(f"is not valid YAML: {problem}", where=place, hint=_AS_YAML) from None
    except Exception as error:  # noqa: BLE001
        # ruamel's constructors let through whatever they meet: IndexError on "-_", for one.
        raise ConfigError(
            f"is not valid YAML ({type(error).__name__})", where=str(path), hint=_AS_YAML
        ) from None
    if document is None:
        return CommentedMap()
    if not isinstance(document, CommentedMap):
        raise ConfigError(
            "must be a mapping of settings, like account_id: '111122223333'",
            where=f"{path}:1:1",
            hint=_AS_YAML,
        )
    return document


def _merge(document: CommentedMap, flags: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = plain(document)
    if any(source in flags for source in EXTERNAL_ID_SOURCES):
        for source in EXTERNAL_ID_SOURCES:
            merged.pop(source, None)
    for name, value in flags.items():
        section = merged
        *parents, last = name.split(".")
        for parent in parents:
            inner = section.get(parent)
            section[parent] = dict(inner) if isinstance(inner, dict) else {}
            section = section[parent]
        section[last] = value
    return merged


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


def plain(value: Any) -> Any:
    """Turn ruamel's round-trip types into plain ones; keys stay as they are, so bad ones show."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


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


def _place(
    path: Path, document: CommentedMap, loc: tuple[str | int, ...], flags: Mapping[str, Any]
) -> tuple[Position, str]:
    """Where ``loc`` was set: its flag, or the deepest part of it that is in the file."""
    for name in flags:
        if tuple(name.split(".")) == loc[: len(name.split("."))]:
            return (-1, 0), flag_of(name)
    line, column, node = 0, 0, document
    for part in loc:
        try:
            position = node.lc.value(part) if isinstance(node, CommentedMap) else node.lc.item(part)
            inner = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            continue  # a union's tag in pydantic's path, or a missing key: stay at the parent
        (line, column), node = position, inner
    return (line, column), f"{path}:{line + 1}:{column + 1}"


def _explain(
    error: ValidationError, path: Path, document: CommentedMap, flags: Mapping[str, Any]
) -> ConfigError:
    mistakes = []
    for detail in error.errors(include_url=False, include_input=False):
        loc = detail["loc"] or _combined(detail, document, flags)
        name = ".".join(str(part) for part in loc if part not in ("local", "s3"))
        if detail["type"] == "missing" and not document:
            position, where = (0, 0), f"{path} or {flag_of(name)}"
        elif detail["type"] == "extra_forbidden":
            position, where = _place_of_key(path, document, loc, flags)
        else:
            within = detail.get("ctx", {}).get("within")  # the key of a mapping
            inner = loc if within is None else (*loc, within)
            position, where = _place(path, document, inner, flags)
        mistakes.append((position, where, _sentence(detail, name)))
    mistakes.sort(key=lambda mistake: mistake[0])
    (_, where, what), *rest = mistakes
    return ConfigError(
        "\n".join([what, *(f"{place}: {sentence}" for _, place, sentence in rest)]),
        where=where,
        hint="" if document else "Write octo.yaml with `octo-tf init`, or name it with --config.",
    )


def _combined(
    detail: ErrorDetails, document: CommentedMap, flags: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the first setting of a combination that is set, by a flag or in the file."""
    names: tuple[str, ...] = detail.get("ctx", {}).get("settings", ())
    return next(
        ((name,) for given in (flags, document) for name in names if name in given), names[:1]
    )


def _place_of_key(
    path: Path, document: CommentedMap, loc: tuple[str | int, ...], flags: Mapping[str, Any]
) -> tuple[Position, str]:
    node: Any = document
    for part in loc[:-1]:
        node = node[part] if isinstance(node, CommentedMap) and part in node else node
    try:
        line, column = node.lc.key(loc[-1])
    except (AttributeError, KeyError, TypeError):
        return _place(path, document, loc, flags)
    return (line, column), f"{path}:{line + 1}:{column + 1}"


def _sentence(detail: ErrorDetails, name: str) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"{name} is missing"
    if kind == "extra_forbidden":
        return f"unknown key {name!r}{_nearest(detail['loc'])}"
    if kind == "literal_error":
        return f"{name} must be one of {context['expected']}"
    if kind in ("string_type", "bool_type", "list_type", "dict_type", "model_type"):
        wanted = {
            "string_type": "text (in quotes)",
            "bool_type": "true or false",
            "list_type": "a list",
            "dict_type": "a mapping of text to text",
            "model_type": "a mapping",
        }[kind]
        return f"{name} must be {wanted}"
    if kind == "combination":
        return str(context["valid"])
    if kind == "string_pattern_mismatch":
        return f"{name} has a form that AWS does not accept (valid: {context['pattern']})"
    return f"{name + ': ' if name else ''}{detail['msg']}"


def _nearest(loc: tuple[str | int, ...]) -> str:
    section = ".".join(str(part) for part in loc[:-1] if part not in ("local", "s3"))
    known = [
        name
        for parent, _, name in (setting.rpartition(".") for setting in settings())
        if parent == section
    ]
    if "local" in loc:
        known = [*LocalBackend.model_fields]
    close = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known keys: {', '.join(sorted(known))}"
