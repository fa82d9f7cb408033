"""Read the blocks of a Terraform folder: which files count, and how they override each other.

Sources: Terraform language, "Files and directories", "Override files", "JSON configuration syntax";
OpenTofu language, "Files and directories": ``x.tofu`` replaces ``x.tf``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.adoption.expressions import Input
from orchestrator.errors import ConfigError
from orchestrator.files import read_regular

_MAX_BYTES = 1_000_000
# How many labels the blocks have that are read from JSON, whose nesting alone does not tell.
_LABELS = {"module": 1, "variable": 1, "locals": 0, "resource": 2}
_LOOKED_FOR = re.compile(
    r"(?:^|\*/)\s*(module|variable|locals)\b(?!\.)|\balphaus_acct_access_role\b", re.MULTILINE
)
_REFERENCE = re.compile(r"\$\{[^{}]*\}")
_OVERRIDING = re.compile(r"(^|_)override\.(tf|tofu)(\.json)?$")


@dataclass(frozen=True)
class Block:
    """A block with its labels, its attributes as python-hcl2 gives them, and their places."""

    kind: str
    labels: tuple[str, ...]
    where: str
    attributes: Mapping[str, Any]
    places: Mapping[str, str]


def read_blocks(
    folder: Path, *, tofu: bool, unparsed: list[ConfigError] | None = None
) -> list[Block]:
    """Read the blocks of a folder, with override files merged into what they override.

    Args:
        folder: the folder; one that does not exist has no blocks.
        tofu: whether OpenTofu is used there, which reads ``.tofu`` files too.
        unparsed: receives the errors of files that cannot be parsed, and hold no block that is
            needed: Terraform has syntax that python-hcl2 does not know, such as ``${~ x ~}``. None
            raises these errors, too.

    Raises:
        ConfigError: a file cannot be read.
    """
    blocks: list[Block] = []
    overriding: list[Block] = []
    for path in files(folder, tofu=tofu):
        text, is_override = text_of(path), _OVERRIDING.search(path.name)
        try:
            found = [*(_of_json(path) if path.name.endswith(".json") else _parsed(text, path))]
        except ConfigError as error:
            if unparsed is None or _LOOKED_FOR.search(text):
                raise
            unparsed.append(error)
            continue
        (overriding if is_override else blocks).extend(block for block in found if block.kind)
    for one in overriding:
        same = [i for i, b in enumerate(blocks) if (b.kind, b.labels) == (one.kind, one.labels)]
        if same and one.kind != "locals":  # the last definition of a local is the one that counts
            base = blocks[same[0]]
            blocks[same[0]] = replace(
                base,
                attributes={**base.attributes, **one.attributes},
                places={**base.places, **one.places},
            )
        else:
            blocks.append(one)
    return blocks


def files(folder: Path, *, tofu: bool) -> list[Path]:
    """List the configuration files of a folder in the order in which they are read."""
    found = {}
    for suffix in (".tf", ".tofu") if tofu else (".tf",):
        for ending in ("", ".json"):
            for path in folder.glob(f"*{suffix}{ending}"):
                if not path.name.startswith((".", "#")) and not path.is_dir():
                    found[path.name.removesuffix(ending).removesuffix(suffix), ending] = path
    return sorted(found.values())


def read_values(path: Path) -> Iterator[tuple[str, Any, str]]:
    """Yield the name, value and place of each variable that a ``.tfvars`` file sets."""
    if path.name.endswith(".json"):
        for name, value in _json_object(path).items():
            yield name, Input(value, str(path)), str(path)
        return
    for block in _parsed(text_of(path), path, _OTHER_VALUES):
        if block.kind == "":
            for name, value in block.attributes.items():
                yield name, value, block.places[name]


def _of_json(path: Path) -> Iterator[Block]:
    document = _json_object(path)
    for kind, count in _LABELS.items():
        for labels, body in _bodies(document.get(kind), count):
            attributes = {name: _as_hcl(value) for name, value in body.items()}
            yield Block(kind, labels, str(path), attributes, dict.fromkeys(body, str(path)))


def _bodies(
    value: Any, count: int, labels: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(value, list):
        for one in value:
            yield from _bodies(one, count, labels)
    elif isinstance(value, dict) and count:
        for label, inner in value.items():
            yield from _bodies(inner, count - 1, (*labels, label))
    elif isinstance(value, dict):
        yield labels, value


def _as_hcl(value: Any) -> Any:
    """Return a value of JSON syntax as python-hcl2 would return it from HCL."""
    if isinstance(value, str) and not _REFERENCE.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return [_as_hcl(one) for one in value]
    if isinstance(value, dict):
        return {name: _as_hcl(one) for name, one in value.items()}
    return value


def _json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text_of(path))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ConfigError("is not a JSON object", where=str(path))
    return document


def text_of(path: Path) -> str:
    """Read a file as text.

    Raises:
        ConfigError: it cannot be read, or is no text.
    """
    try:
        return read_regular(path, limit=_MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", where=f"{path}: byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None


_OTHER_SYNTAX = (
    "If terraform validate accepts the file, it has syntax that octo-tf does not know: rewrite the"
    " expression, or move its block to a file without module, variable and locals blocks."
)
_OTHER_VALUES = (
    "If Terraform accepts the file, it has syntax that octo-tf does not know: give the same values"
    " as JSON, in a .tfvars.json file."
)


def _parsed(text: str, path: Path, hint: str = _OTHER_SYNTAX) -> Iterator[Block]:
    """Yield the blocks of a file, then its own attributes as a block without a kind.

    Lines come from python-hcl2's syntax tree, since its dictionaries have none; both are in the
    order of the file.
    """
    import hcl2
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        options = hcl2.SerializationOptions(with_comments=False, preserve_heredocs=False)
        document = hcl2.loads(text, serialization_options=options)
        tree = hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        # Its own text quotes the line, which may hold the external id.
        place = f"{path}:{error.line}:{error.column}"
        raise ConfigError("cannot be parsed as HCL", where=place, hint=hint) from None
    except (LarkError, ValueError, RecursionError) as error:
        what = f"cannot be parsed as HCL ({type(error).__name__})"
        raise ConfigError(what, where=str(path), hint=hint) from None
    body = tree.children[0]
    seen: dict[str, int] = {}
    for node in _nodes(body, "block"):
        kind, *labels = (_label(child) for child in node.children if _names(child))
        position = seen.get(kind, 0)
        seen[kind] = position + 1
        attributes: Any = document[kind][position]
        for label in labels:
            attributes = attributes.get(label, attributes.get(f'"{label}"'))
        inner = next(c for c in node.children if getattr(c, "data", "") == "body")
        places = {n: f"{path}:{line}" for n, line in _attributes(inner)}
        yield Block(
            kind,
            tuple(labels),
            f"{path}:{node.meta.line}",
            {n: v for n, v in attributes.items() if n in places},
            places,
        )
    own = {n: f"{path}:{line}" for n, line in _attributes(body)}
    yield Block("", (), str(path), {n: document[n] for n in own}, own)


def _nodes(body: Any, kind: str) -> Iterator[Any]:
    return (child for child in body.children if getattr(child, "data", "") == kind)


def _attributes(body: Any) -> Iterator[tuple[str, int]]:
    for node in _nodes(body, "attribute"):
        yield _label(node.children[0]), node.meta.line


def _names(node: Any) -> bool:
    return getattr(node, "data", "") in ("identifier", "string")


def _label(node: Any) -> str:
    return "".join(str(token) for token in node.scan_values(lambda _: True)).strip('"')
