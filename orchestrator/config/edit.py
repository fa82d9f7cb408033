"""Set or remove settings of an octo.yaml in place: every other byte, comments included, stays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from orchestrator.config.document import MAX_CONFIG_BYTES, parse, plain, read_document
from orchestrator.errors import ConfigError
from orchestrator.files import read_regular, write_atomically

Keys = tuple[str, ...]  # the keys that lead to a setting


def changes(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the file does not have yet, or has with another value.

    Args:
        path: octo.yaml.
        settings: by field name, dotted for nested ones; None stands for a setting that is absent.

    Raises:
        ConfigError: the file is no octo.yaml.
    """
    document = plain(read_document(path))
    return {n: value for n, value in settings.items() if _get(document, n) != value}


def set_values(path: Path, settings: Mapping[str, Any]) -> None:
    """Write settings into an octo.yaml; through a symbolic link, into the file that it names.

    Args:
        path: octo.yaml.
        settings: as for ``changes``; None removes a setting.

    Raises:
        ConfigError: the file is no octo.yaml, or is written in a way that cannot be edited safely.
    """
    wanted = changes(path, settings)
    if not wanted:
        return
    expected = plain(read_document(path))
    target = path.resolve()
    text = read_regular(target, limit=MAX_CONFIG_BYTES).decode()
    try:
        for name, value in wanted.items():
            _put(expected, name.split("."), value)
            text = _edited(text, tuple(name.split(".")), value)
        is_right = plain(parse(text, path)) == expected
    except (ConfigError, _NotEditableError):
        is_right = False
    if not is_right:
        lines = "; ".join(f"{n}: {_yaml(v)}" for n, v in wanted.items() if v is not None)
        removed = "; ".join(f"no {n}" for n, value in wanted.items() if value is None)
        raise ConfigError(
            f"{', '.join(wanted)} cannot be set here without touching the rest",
            where=str(path),
            hint=f"Set by hand: {'; '.join(filter(None, (lines, removed)))}. Then run the same"
            " command again.",
        )
    write_atomically(target, text.encode(), mode=target.stat().st_mode & 0o777)


class _NotEditableError(Exception):
    """The text is written in a way that these edits do not know."""


def _get(document: Mapping[str, Any], name: str) -> Any:
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _put(document: dict[str, Any], parts: list[str], value: Any) -> None:
    first, *rest = parts
    if rest:
        inner = document.get(first)
        document[first] = inner if isinstance(inner, dict) else {}
        _put(document[first], rest, value)
    elif value is None:
        document.pop(first, None)
    else:
        document[first] = value


def _edited(text: str, keys: Keys, value: Any) -> str:
    """Set one setting in the text; its value is None where it is to be removed."""
    newline = "\r\n" if "\r\n" in text else "\n"
    parent: MappingNode | None = YAML(typ="rt").compose(text)
    for depth, key in enumerate(keys):
        entry = next(((k, v) for k, v in parent.value if k.value == key), None) if parent else None
        if entry is None:
            if value is None:
                return text
            for outer in reversed(keys[depth + 1 :]):
                value = {outer: value}
            return _added(text, parent, f"{key}: {_yaml(value)}", newline)
        if depth == len(keys) - 1:
            return _replaced(text, *entry, value, newline)
        parent = entry[1]
        if not isinstance(parent, MappingNode):
            raise _NotEditableError
    return text


def _replaced(text: str, key: ScalarNode, node: Node, value: Any, newline: str) -> str:
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        raise _NotEditableError
    start, end = node.start_mark.index, _end(node)
    if value is None:
        return _without_lines(text, key.start_mark.index, end)
    if isinstance(node, SequenceNode) and _is_block(node) and isinstance(value, list) and value:
        return _with_items(text, node, value, newline)
    if _is_block(node) or start == end:  # a block, or nothing, follows the colon of its key
        colon = text.index(":", key.end_mark.index) + 1
        return f"{text[:colon]} {_yaml(value)}{text[colon if start == end else end :]}"
    return f"{text[:start]}{_yaml(value)}{text[end:]}"


def _added(text: str, parent: MappingNode | None, entry: str, newline: str) -> str:
    """Add an entry at the end of the mapping; None stands for an empty file."""
    if parent is not None and not _is_block(parent):
        raise _NotEditableError
    if parent is None or parent.start_mark.column == 0:
        gap = "" if not text or text.endswith("\n") else newline
        return f"{text}{gap}{entry}{newline}"
    at = _line_end(text, _end(parent))
    gap = "" if text[:at].endswith("\n") else newline
    return f"{text[:at]}{gap}{' ' * parent.start_mark.column}{entry}{newline}{text[at:]}"


def _with_items(text: str, node: SequenceNode, values: list[Any], newline: str) -> str:
    """Keep the lines of the items that stay, with their comments; drop and add the others."""
    missing = list(values)
    dropped: list[Node] = []
    for item in node.value:
        known = plain(parse(f"x: {text[item.start_mark.index : _end(item)]}", Path()))["x"]
        if known in missing:
            missing.remove(known)
        else:
            dropped.append(item)
    indent = " " * node.start_mark.column
    at = _line_end(text, _end(node))
    gap = "" if text[:at].endswith("\n") else newline
    added = "".join(f"{indent}- {_yaml(value)}{newline}" for value in missing)
    text = text[:at] + (gap + added if added else "") + text[at:]
    for item in reversed(dropped):
        text = _without_lines(text, item.start_mark.index, _end(item))
    return text


def _without_lines(text: str, start: int, end: int) -> str:
    return text[: text.rfind("\n", 0, start) + 1] + text[_line_end(text, end) :]


def _line_end(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _is_block(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and not node.flow_style


def _end(node: Node) -> int:
    """Return where the node's text ends; the mark of a block is behind what follows it."""
    if not _is_block(node):
        return int(node.end_mark.index)
    return max(_end(inner) for inner in _children(node))


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, SequenceNode):
        yield from node.value
    elif isinstance(node, MappingNode):
        for pair in node.value:
            yield from pair


def _yaml(value: Any) -> str:
    """Write a value in one line: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)
