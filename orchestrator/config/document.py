"""octo.yaml as a document: YAML with the position of each setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from orchestrator.errors import ConfigError
from orchestrator.files import read_regular

MAX_CONFIG_BYTES = 1_000_000
ANOTHER = "Name an octo.yaml with --config."
_AS_YAML = "Correct it there: octo.yaml has one `setting: value` on each line."


def read_document(path: Path) -> CommentedMap:
    """Read the mapping in ``path``, with positions; empty if there is no such file.

    Raises:
        ConfigError: the file cannot be read, is too large, or holds no mapping.
    """
    try:
        text = read_regular(path, limit=MAX_CONFIG_BYTES).decode()
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigError(
                "is a link to a file that does not exist", where=str(path), hint=ANOTHER
            ) from None
        return CommentedMap()
    except UnicodeDecodeError as error:
        raise ConfigError(
            "is not UTF-8 text", where=f"{path}: byte {error.start}", hint=ANOTHER
        ) from None
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), hint=ANOTHER
        ) from None
    return parse(text, path)


def parse(text: str, path: Path) -> CommentedMap:
    """Parse ``text`` as a mapping with positions; ``path`` only names it in errors.

    Raises:
        ConfigError: it is not valid YAML, or no mapping.
    """
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        # The problem alone: ruamel's full text quotes the line, which may hold the external id;
        # its problem with a duplicate key quotes the value, too.
        problem = str(error.problem).partition(" with value ")[0]
        raise ConfigError(f"is not valid YAML: {problem}", where=place, hint=_AS_YAML) from None
    except Exception as error:  # noqa: BLE001
        # ruamel's constructors raise other exceptions, too: IndexError on "-_", for one.
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
