"""Read the inputs of the published module from the Terraform files that use it.

Nothing is evaluated: an input is known if it is a literal, or refers to one by locals and
variables, alone or within a text. Any other input is named with its file and line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.adoption.expressions import Input, Scope
from orchestrator.errors import ConfigError
from orchestrator.files import read_regular

# Inputs that only this module has: they tell it wherever its source is, a copy, a mirror or git.
_OWN_INPUTS = {
    "use_stackset",
    "stackset_name",
    "cur_s3_bucket_name",
    "cur_report_name",
    "principal",
}
_SOURCE = re.compile(r"(^|/)alphauslabs/(octo/aws|terraform-aws-octo)\b")
_ROOT = ("aws_iam_role", "alphaus_acct_access_role")  # the module applied as a root
_MAX_BYTES = 1_000_000
SECRET_KEYS = ("access_key", "secret_key")


@dataclass(frozen=True)
class ForeignModule:
    """The published module in a Terraform folder of the user's.

    Attributes:
        folder: the folder.
        address: like ``module.octo``; empty if the folder is the module itself, used as a root.
        where: ``file:line`` of the module's block, or of the first of its resources; empty if the
            files do not use the module any more.
        inputs: the module's inputs, by name; the external id is among them.
    """

    folder: Path
    address: str
    where: str
    inputs: Mapping[str, Input] = field(repr=False)


@dataclass(frozen=True)
class _Block:
    """A block with its labels, its attributes as python-hcl2 gives them, and their lines."""

    kind: str
    labels: tuple[str, ...]
    where: str
    attributes: Mapping[str, Any]
    places: Mapping[str, str]


class NoModule(ConfigError):
    """The files of the folder do not use the published module, or not any more."""


def read_module(
    folder: Path, environ: Mapping[str, str], *, name: str | None = None, var_files: list[Path]
) -> ForeignModule:
    """Find the published module in a folder and resolve its inputs.

    Args:
        folder: holds ``.tf`` files.
        environ: for ``TF_VAR_<name>``.
        name: the module block to read; None if there is only one.
        var_files: as for ``terraform -var-file``: a later file overrides an earlier one.

    Raises:
        NoModule: the files do not use the module.
        ConfigError: they use it more than once, or a file cannot be read.
    """
    blocks = [block for path in sorted(folder.glob("*.tf")) for block in _blocks(path)]
    if not blocks:
        raise ConfigError(
            "holds no Terraform files",
            where=str(folder),
            hint="Name the folder with the .tf files that use the published module.",
        )
    scope = Scope(
        {
            n: (v, b.places[n])
            for b in blocks
            if b.kind == "locals"
            for n, v in b.attributes.items()
        },
        _variables(folder, blocks, environ, var_files),
    )
    calls = [b for b in blocks if b.kind == "module" and _is_octo(b)]
    if name is not None:
        calls = [b for b in calls if b.labels == (name,)]
    if len(calls) > 1:
        raise ConfigError(
            "holds the published module more than once: "
            + ", ".join(f"{b.labels[0]} ({b.where})" for b in calls),
            where=str(folder),
            hint="Name one with --module; each account has an octo.yaml of its own.",
        )
    if calls:
        (call,) = calls
        inputs = {
            n: scope.resolve(value, call.places[n])
            for n, value in call.attributes.items()
            if n not in ("source", "version", "providers", "count", "for_each", "depends_on")
        }
        return ForeignModule(folder, f"module.{call.labels[0]}", call.where, inputs)
    own = next((b for b in blocks if b.kind == "resource" and b.labels == _ROOT), None)
    if own is None or name is not None:
        raise NoModule(
            f"holds no module {name}" if name else "does not use the published module",
            where=str(folder),
            hint='Name the folder whose .tf files have source = "alphauslabs/octo/aws", or omit'
            " the path to adopt what the account has.",
        )
    return ForeignModule(folder, "", own.where, {n: scope.variable(n) for n in scope.variables})


def input_of(module: ForeignModule | None, name: str) -> Any:
    """Return the value of an input; None if the module has no such input.

    Raises:
        ConfigError: the input cannot be resolved; a guess could replace existing resources.
    """
    given = module.inputs.get(name) if module else None
    if given is None:
        return None
    if not given.known:
        raise ConfigError(
            f"{name} cannot be read from the files alone",
            where=given.where,
            hint=f"Give it with --{name.replace('_', '-')}"
            + ("-file or --external-id-env." if name == "external_id" else ", or with --var-file."),
        )
    return given.value


def _is_octo(block: _Block) -> bool:
    source = str(block.attributes.get("source", "")).strip('"')
    given = set(block.attributes)
    return bool(_SOURCE.search(source)) or ("external_id" in given and bool(given & _OWN_INPUTS))


def _variables(
    folder: Path, blocks: list[_Block], environ: Mapping[str, str], var_files: list[Path]
) -> dict[str, tuple[Any, str] | str]:
    """Return each variable's value and place, by Terraform's order of precedence.

    Source: Terraform language, "Variable definition precedence".
    """
    found: dict[str, tuple[Any, str] | str] = {}
    for block in blocks:
        if block.kind == "variable" and block.labels:
            default = block.attributes.get("default")
            found[block.labels[0]] = (
                (default, block.places["default"]) if "default" in block.attributes else block.where
            )
    for name in found:
        if (text := environ.get(f"TF_VAR_{name}")) is not None:
            found[name] = (json.dumps(text), f"TF_VAR_{name}")
    given = [folder / "terraform.tfvars", folder / "terraform.tfvars.json"]
    given += sorted([*folder.glob("*.auto.tfvars"), *folder.glob("*.auto.tfvars.json")])
    for path in [*(p for p in given if p.is_file()), *var_files]:
        for name, value, where in _values(path):
            found[name] = (value, where)
    return found


def _values(path: Path) -> Iterator[tuple[str, Any, str]]:
    text = _text_of(path)
    if path.name.endswith(".json"):
        try:
            document = json.loads(text)
            items = document.items()
        except (ValueError, AttributeError):
            raise ConfigError("is no JSON object of values", where=str(path)) from None
        for name, value in items:
            yield name, json.dumps(value) if isinstance(value, str) else value, str(path)
        return
    for block in _parsed(text, path):
        if block.kind == "":
            for name, value in block.attributes.items():
                yield name, value, block.places[name]


def _blocks(path: Path) -> list[_Block]:
    return [block for block in _parsed(_text_of(path), path) if block.kind]


def _text_of(path: Path) -> str:
    try:
        return read_regular(path, limit=_MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", where=f"{path}: byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _parsed(text: str, path: Path) -> Iterator[_Block]:
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
        raise ConfigError("is not valid HCL", where=place) from None
    except (LarkError, ValueError, RecursionError) as error:
        raise ConfigError(f"is not valid HCL ({type(error).__name__})", where=str(path)) from None
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
        yield _Block(
            kind,
            tuple(labels),
            f"{path}:{node.meta.line}",
            {n: v for n, v in attributes.items() if n in places},
            places,
        )
    own = {n: f"{path}:{line}" for n, line in _attributes(body)}
    yield _Block("", (), str(path), {n: document[n] for n in own}, own)


def _nodes(body: Any, kind: str) -> Iterator[Any]:
    return (child for child in body.children if getattr(child, "data", "") == kind)


def _attributes(body: Any) -> Iterator[tuple[str, int]]:
    for node in _nodes(body, "attribute"):
        yield _label(node.children[0]), node.meta.line


def _names(node: Any) -> bool:
    return getattr(node, "data", "") in ("identifier", "string")


def _label(node: Any) -> str:
    return "".join(str(token) for token in node.scan_values(lambda _: True)).strip('"')
