"""Changes one setting of an octo.yaml in place: every other byte, comments included, stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from orchestrator.config.load import parse, read_document
from orchestrator.errors import ConfigError
from orchestrator.files import write_atomically


def would_switch(path: Path, name: str, value: bool) -> bool:
    """Tell whether ``switch`` would change the file.

    Raises:
        ConfigError: the file is no octo.yaml.
    """
    return read_document(path).get(name) is not value


def switch(path: Path, name: str, value: bool) -> None:
    """Sets a top-level switch to ``value``.

    Raises:
        ConfigError: the file is no octo.yaml, or is written in a way that cannot be edited safely.
        OSError: it cannot be written.
    """
    document = read_document(path)
    if document.get(name) is value:
        return
    text, word = path.read_bytes().decode(), "true" if value else "false"
    edited = text
    if name in document:
        line, column = document.lc.value(name)
        lines = text.splitlines(keepends=True)
        old = re.compile(r"true|false", re.IGNORECASE).match(lines[line], column)
        if old is not None:
            lines[line] = lines[line][:column] + word + lines[line][old.end() :]
            edited = "".join(lines)
    else:
        end = "" if not text or text.endswith("\n") else "\n"
        edited = f"{text}{end}{name}: {word}\n"
    if not _is(edited, path, {**document, name: value}):
        raise ConfigError(
            f"{name} cannot be set here without touching the rest",
            where=str(path),
            hint=f"Set {name}: {word} by hand, then run octo-tf apply.",
        )
    write_atomically(path, edited.encode(), mode=path.stat().st_mode & 0o777)


def add(path: Path, settings: Mapping[str, str]) -> None:
    """Adds top-level settings at the end of the file; those that it has already must agree.

    Raises:
        ConfigError: one is there with another value.
        OSError: the file cannot be written.
    """
    document = read_document(path)
    for name, value in settings.items():
        if name in document and document[name] != value:
            raise ConfigError(
                f"is {document[name]} already, not {value}",
                where=f"{path}: {name}",
                hint=f"Set {name}: {value} by hand, then run the same command again.",
            )
    text = path.read_bytes().decode()
    new = [f"{n}: {json.dumps(v)}\n" for n, v in settings.items() if n not in document]
    end = "" if not text or text.endswith("\n") else "\n"
    if new:
        content = f"{text}{end}{''.join(new)}"
        write_atomically(path, content.encode(), mode=path.stat().st_mode & 0o777)


def _is(text: str, path: Path, meant: dict[str, object]) -> bool:
    """Whether an edited text says what was meant, and nothing else."""
    try:
        return dict(parse(text, path)) == meant
    except ConfigError:
        return False
