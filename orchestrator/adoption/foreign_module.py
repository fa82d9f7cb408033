"""Find the published module in a Terraform folder, at any depth, and read its inputs.

Nothing is evaluated: an input is known if it is a literal, or refers to one by locals, variables
and the arguments of wrapper modules, alone or within a text. Any other input is named with its
file and line.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from orchestrator.adoption.expressions import Input, Named, Scope
from orchestrator.adoption.terraform_files import Block, files, read_blocks, read_values, text_of
from orchestrator.errors import ConfigError

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
_META = {"source", "version", "providers", "count", "for_each", "depends_on"}
# What the text of a wrapper module holds: other modules need not be parsed, which takes long.
_CALLS = re.compile(rf"\bmodule\b[\s\"]|{_ROOT[1]}")
_WORKSPACE = "terraform.workspace"
_INSTANCE = re.compile(r'module\.([\w-]+)(?:\[("(?:[^"\\]|\\.)*"|\d+)\])?\.?')
SECRET_KEYS = ("access_key", "secret_key")


@dataclass(frozen=True)
class ForeignModule:
    """The published module in a Terraform folder of the user's.

    Attributes:
        address: like ``module.finops.module.octo``, without instance keys; empty if the folder is
            the module itself, used as a root.
        where: ``file:line`` of the module's block, or of the first of its resources; empty if the
            files do not use the module any more.
        inputs: the module's inputs, by name; the external id is among them.
        resources: the resources of a root, as its files declare them.
        is_repeated: whether its block, or one that leads to it, has for_each or count.
    """

    folder: Path
    address: str
    where: str
    inputs: Mapping[str, Input] = field(repr=False)
    resources: tuple[str, ...] = ()
    is_repeated: bool = False


class NoModule(ConfigError):
    """The files of the folder do not use the published module, or not any more."""


def read_module(
    folder: Path,
    environ: Mapping[str, str],
    *,
    name: str | None = None,
    var_files: list[Path],
    tofu: bool = False,
    instance: str = "",
) -> ForeignModule:
    """Find the published module in a folder and resolve its inputs.

    Args:
        folder: holds the configuration of a root.
        environ: for ``TF_VAR_<name>``, ``TF_WORKSPACE`` and ``TF_DATA_DIR``.
        name: the block to read, by its label or address; None if there is only one.
        var_files: as for ``terraform -var-file``: a later file overrides an earlier one.
        tofu: whether OpenTofu is used there, which reads ``.tofu`` files too.
        instance: the address of the instance to read, with its keys, if the block has for_each.

    Raises:
        NoModule: the files do not use the module.
        ConfigError: they use it more than once, or a file cannot be read.
    """
    unparsed: list[ConfigError] = []
    blocks = read_blocks(folder, tofu=tofu, unparsed=unparsed)
    if not blocks and not unparsed:
        raise ConfigError(
            "holds no Terraform files",
            where=str(folder),
            hint="Name the folder with the .tf files that use the published module.",
        )
    values = _values(folder, _declared(blocks), environ, var_files)
    values[_WORKSPACE] = Input(workspace(folder, environ), "the selected workspace")
    scope = _scope(blocks, values)
    search = _Search(folder, environ, tofu, _INSTANCE.findall(instance), unparsed)
    calls = [*search.calls((folder.resolve(),), blocks, scope)]
    if name is not None:
        calls = [c for c in calls if name == c.address or name in c.address.split(".")[1::2]]
    if len(calls) > 1:
        raise ConfigError(
            "holds the published module more than once: "
            + ", ".join(f"{call.address} ({call.where})" for call in calls),
            where=str(folder),
            hint="Name one with --module; each account has an octo.yaml of its own.",
        )
    if calls:
        return calls[0]
    own = next((b for b in blocks if b.kind == "resource" and b.labels == _ROOT), None)
    if own is not None and name is None:
        inputs = {n: scope.variable(n) for n in _declared(blocks)}
        resources = tuple(".".join(b.labels) for b in blocks if b.kind == "resource")
        return ForeignModule(folder, "", own.where, inputs, resources)
    if search.failures:
        raise search.failures[0]
    raise NoModule(
        f"holds no module {name}" if name else "does not use the published module",
        where=str(folder),
        hint='Name the folder whose .tf files have source = "alphauslabs/octo/aws", or omit'
        " the path to adopt what the account has.",
    )


def workspace(folder: Path, environ: Mapping[str, str]) -> str:
    """Return the workspace that Terraform uses in a folder."""
    if named := environ.get("TF_WORKSPACE"):
        return named
    selected = _data_folder(folder, environ) / "environment"
    return text_of(selected).strip() if selected.is_file() else "default"


def _data_folder(folder: Path, environ: Mapping[str, str]) -> Path:
    return folder / (environ.get("TF_DATA_DIR") or ".terraform")


@dataclass
class _Search:
    """The search for calls of the published module below a root.

    Attributes:
        environ: for ``TF_DATA_DIR``.
        instance: each level's label and key of the instance to read; a key as Terraform writes
            it, or empty.
        failures: the errors of files that could not be read, and that need not hold the module.
        read: the blocks of the folders that were read.
    """

    root: Path
    environ: Mapping[str, str]
    tofu: bool
    instance: list[tuple[str, str]]
    failures: list[ConfigError] = field(default_factory=list)
    read: dict[Path, list[Block]] = field(default_factory=dict)

    def calls(
        self,
        folders: tuple[Path, ...],
        blocks: list[Block],
        scope: Scope,
        path: tuple[str, ...] = (),
    ) -> Iterator[ForeignModule]:
        """Yield the calls of a module's blocks, and those of the modules that they call.

        Args:
            folders: of the module, preceded by those that lead to it.
            blocks: the module's.
            scope: what its expressions can refer to.
            path: the labels of the calls that lead to it.
        """
        for block in blocks:
            if block.kind != "module" or not block.labels:
                continue
            labels = (*path, block.labels[0])
            repeated = bool(block.attributes.keys() & {"for_each", "count"})
            here = self._of_instance(block, scope, labels)
            inputs = {
                name: here.resolve(value, block.places[name])
                for name, value in block.attributes.items()
                if name not in _META
            }
            source = str(block.attributes.get("source", "")).strip('"')
            is_octo = bool(_SOURCE.search(source))
            if not is_octo:
                place = self._folder_of(folders[-1], source, labels)
                # Terraform refuses modules that call each other.
                inner = [] if place in folders else self._blocks_of(place)
                values = {_WORKSPACE: scope.names[_WORKSPACE]}
                values |= {f"var.{name}": given for name, given in inputs.items()}
                found = [*self.calls((*folders, place), inner, _scope(inner, values), labels)]
                yield from (replace(one, is_repeated=True) if repeated else one for one in found)
                is_copy = any(b.kind == "resource" and b.labels == _ROOT for b in inner)
                is_octo = is_copy or (not found and _has_octos_inputs(block))
            if is_octo:
                address = ".".join(f"module.{label}" for label in labels)
                yield ForeignModule(self.root, address, block.where, inputs, is_repeated=repeated)

    def _folder_of(self, folder: Path, source: str, labels: tuple[str, ...]) -> Path:
        """Return where a module's files are: a local source, or where ``init`` installed it."""
        try:
            if source.startswith(("./", "../")):
                return (folder / source).resolve()
            manifest = _data_folder(self.root, self.environ) / "modules/modules.json"
            installed = json.loads(text_of(manifest))["Modules"]
            key = ".".join(labels)
            return (self.root / str(next(m["Dir"] for m in installed if m["Key"] == key))).resolve()
        except (ConfigError, OSError, ValueError, KeyError, TypeError, StopIteration):
            return folder / "not installed"

    def _blocks_of(self, folder: Path) -> list[Block]:
        """Read a module's blocks; none if it is not there, or cannot call the published module."""
        if folder not in self.read:
            self.read[folder] = []
            try:
                texts = [text_of(path) for path in files(folder, tofu=self.tofu)]
                if any(_CALLS.search(text) for text in texts):
                    self.read[folder] = read_blocks(folder, tofu=self.tofu, unparsed=self.failures)
            except ConfigError as error:
                self.failures.append(error)
        return self.read[folder]

    def _of_instance(self, block: Block, scope: Scope, labels: tuple[str, ...]) -> Scope:
        """Add what ``each`` and ``count`` mean in the instance to read."""
        level = self.instance[: len(labels)]
        key = level[-1][1] if tuple(label for label, _ in level) == labels else ""
        if not key:
            return scope
        value = json.loads(key)
        if isinstance(value, int):
            return replace(scope, names={**scope.names, "count.index": Input(value, block.where)})
        each = block.attributes.get("for_each")
        named: dict[str, Named | None] = {"each.key": Input(value, block.where)}
        if isinstance(each, str) and "toset(" in each:
            named["each.value"] = named["each.key"]
        else:
            where = block.places.get("for_each", block.where)
            named["each.value"] = scope.member((each, where), value)
        known = {name: found for name, found in named.items() if found is not None}
        return replace(scope, names={**scope.names, **known})


def _has_octos_inputs(block: Block) -> bool:
    return "external_id" in block.attributes and bool(block.attributes.keys() & _OWN_INPUTS)


def _declared(blocks: list[Block]) -> dict[str, Block]:
    return {b.labels[0]: b for b in blocks if b.kind == "variable" and b.labels}


def _scope(blocks: list[Block], values: Mapping[str, Named]) -> Scope:
    """Return what a module's expressions can refer to; ``values`` are its variables', by name."""
    declared = {f"var.{name}": block for name, block in _declared(blocks).items()}
    defaults = {
        name: (block.attributes["default"], block.places["default"])
        for name, block in declared.items()
        if "default" in block.attributes
    }
    own = {
        f"local.{name}": (value, block.places[name])
        for block in blocks
        if block.kind == "locals"
        for name, value in block.attributes.items()
    }
    names = {**own, **defaults, **values}
    return Scope(names, {name: b.where for name, b in declared.items() if name not in names})


def _values(
    folder: Path, declared: Mapping[str, Block], environ: Mapping[str, str], var_files: list[Path]
) -> dict[str, Named]:
    """Return the values of a root's variables, by Terraform's order of precedence.

    Source: Terraform language, "Variable definition precedence".
    """
    found: dict[str, Named] = {
        f"var.{name}": Input(environ[key], key)
        for name in declared
        if (key := f"TF_VAR_{name}") in environ
    }
    given = [folder / "terraform.tfvars", folder / "terraform.tfvars.json"]
    given += sorted([*folder.glob("*.auto.tfvars"), *folder.glob("*.auto.tfvars.json")])
    given = [path for path in given if path.is_file()]
    for one in [*given, *_shell_arguments(environ, folder), *var_files]:
        if isinstance(one, Path):
            found |= {f"var.{name}": (value, where) for name, value, where in read_values(one)}
        else:
            name, _, value = one.partition("=")
            found[f"var.{name}"] = Input(value, "TF_CLI_ARGS")
    return found


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _shell_arguments(environ: Mapping[str, str], folder: Path) -> list[str | Path]:
    """List what the user's shell adds to each plan: ``name=value``, or a file of values, in order.

    Source: Terraform CLI, "Environment variables", TF_CLI_ARGS and TF_CLI_ARGS_name. Terraform puts
    the former after the latter, and what comes later wins.
    """
    parser = _Arguments(add_help=False, allow_abbrev=False)
    for name, read in (("var", str), ("var-file", folder.joinpath)):
        parser.add_argument(f"-{name}", f"--{name}", action="append", dest="given", type=read)
    text = " ".join(environ.get(name, "") for name in ("TF_CLI_ARGS_plan", "TF_CLI_ARGS"))
    try:
        return parser.parse_known_args(shlex.split(text))[0].given or []
    except ValueError:  # Terraform refuses it itself
        return []
