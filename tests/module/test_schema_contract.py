"""Every block, argument and attribute that the module uses is one of both provider majors.

Version 5.100.0 is asked for its own schema. Version 6 cannot be run where only package registries
are reached; ``schemas/aws-*.json`` was extracted from a package that is generated from it (see
``schemas/extract.py``; ``make provider-schema`` makes it again).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hcl2
import pytest

from orchestrator import assets
from orchestrator.config.load import load
from orchestrator.terraform import render
from tests.module.conftest import TerraformCli
from tests.module.schemas import extract

NEWEST = Path(extract.__file__).with_name("aws-6.69.1.json")
META = {"count", "for_each", "provider", "depends_on", "lifecycle", "alias"}
ANYWHERE = re.compile(r"\b(data\.)?(aws_\w+)\.\w+(?:\[[^\]]*\])?\.([a-z_]\w*)")
SELF = re.compile(r"\bself\.([a-z_]\w*)")
# What the root can be rendered with: each adds a block or an argument of the provider's.
ROOTS = {
    "linked": {},
    "another region": {"cur_s3_bucket_region": "eu-central-1"},
    "profile": {"credentials.profile": "some"},
    "role": {
        "credentials.assume_role.role_arn": "arn:aws:iam::111122223333:role/Deploy",
        "credentials.assume_role.external_id": "some-id",
    },
}

Schema = dict[str, dict[str, dict[str, Any]]]


@dataclass
class Usage:
    """What HCL uses of a provider, compared with a schema of it."""

    schema: Schema
    blocks: int = 0
    arguments: int = 0
    references: int = 0
    wrong: list[str] = field(default_factory=list)

    def check(self, text: str) -> None:
        """Check every block of the provider's in a file, and every reference to one."""
        parsed = hcl2.loads(text)
        for kind in ("resource", "data", "provider"):
            for where, type_name, body in _labelled(kind, parsed.get(kind, [])):
                known = self.schema[kind].get(type_name)
                if known is None:
                    self.wrong.append(f"{where}: no such {kind}")
                    continue
                self._block(where, body, known)
                for name in SELF.findall(json.dumps(body)):
                    self._reference(f"{where}: self.{name}", known, name)
        code = re.sub(r"#.*", "", text)
        for data, type_name, name in ANYWHERE.findall(code):
            kind = "data" if data else "resource"
            known = self.schema[kind].get(type_name, {})
            self._reference(f"{data}{type_name}...{name}", known, name)

    def _block(self, where: str, body: dict[str, Any], known: dict[str, Any]) -> None:
        self.blocks += 1
        given = {name for name in body if not name.startswith("__")} - META
        for name in sorted(given):
            self.arguments += 1
            if known.get(name, "computed") == "computed":
                self.wrong.append(f"{where}: no argument {name}")
            elif isinstance(known[name], dict):
                for nested in _nested(body[name]):
                    self._block(f"{where}.{name}", nested, known[name])
        required = {n for n, how in known.items() if n and _how(how) == "required"}
        self.wrong += [f"{where}: {name} is missing" for name in sorted(required - given)]

    def _reference(self, where: str, known: dict[str, Any], name: str) -> None:
        self.references += 1
        if name not in known:
            self.wrong.append(f"{where}: no such attribute")


def _labelled(kind: str, blocks: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for block in blocks:
        for label, body in block.items():
            type_name = label.strip('"')
            if kind == "provider":
                yield f"provider {type_name}", type_name, body
                continue
            for name, inner in body.items():
                if not name.startswith("__"):
                    yield f"{type_name}.{name.strip(chr(34))}", type_name, inner


def _nested(value: Any) -> list[dict[str, Any]]:
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict)]


def _how(how: Any) -> str:
    return how[""] if isinstance(how, dict) else how


@pytest.fixture(scope="module")
def oldest(terraform: TerraformCli) -> Schema:
    """The schema of the provider that all other tests run, by what it says itself."""
    answer = terraform("providers", "schema", "-json")
    assert answer.returncode == 0, answer.stderr
    (provider,) = json.loads(answer.stdout)["provider_schemas"].values()
    return {
        "provider": {"aws": _of_block(provider["provider"]["block"])},
        "resource": {n: _of_block(s["block"]) for n, s in provider["resource_schemas"].items()},
        "data": {n: _of_block(s["block"]) for n, s in provider["data_source_schemas"].items()},
    }


def _of_block(block: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, attribute in block.get("attributes", {}).items():
        hows = [how for how in ("required", "optional") if attribute.get(how)]
        known[name] = hows[0] if hows else "computed"
    for name, nested in block.get("block_types", {}).items():
        how = "required" if nested.get("min_items") else "optional"
        known[name] = {"": how, **_of_block(nested["block"])}
    return known


@pytest.fixture(scope="module", params=["5.100.0", "6.69.1"])
def schema(request, oldest: Schema) -> tuple[str, Schema]:
    return request.param, oldest if request.param == "5.100.0" else json.loads(NEWEST.read_text())


def files() -> dict[str, str]:
    """The module's files, and each root that may be rendered around it, by name."""
    found = {str(path): path.read_text() for path in assets.MODULE.rglob("*.tf")}
    for name, flags in ROOTS.items():
        settings = {"account_id": "111122223333", "external_id": "some-id", **flags}
        registration = load(Path("absent.yaml"), settings, {})
        root = render.render(registration, "linked" if name == "linked" else "payer")
        found |= {
            f"{file} ({name})": content.decode()
            for file, content in root.files.items()
            if file.endswith(".tf") and "/" not in file
        }
    return found


def test_the_provider_has_all_that_the_module_and_the_root_use(schema, record_property):
    version, known = schema
    usage = Usage(known)
    for text in files().values():
        usage.check(text)
    assert usage.wrong == []
    assert usage.blocks > 40
    record_property(
        "counted",
        f"schema contract, hashicorp/aws {version}: {usage.blocks} blocks,"
        f" {usage.arguments} arguments, {usage.references} references",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('resource "aws_iam_role" "r" {\n  nam = "x"\n}\n', "no argument nam"),
        ('resource "aws_iam_role" "r" {\n  name = "x"\n}\n', "assume_role_policy is missing"),
        ('data "aws_s3_bucket" "b" {\n  bucket = "b"\n  arn = "x"\n}\n', "no argument arn"),
        ('resource "aws_iam_rule" "r" {\n}\n', "no such resource"),
        ("locals {\n  a = aws_iam_role.r[0].nam\n}\n", "aws_iam_role...nam: no such attribute"),
        (
            'resource "aws_s3_bucket_versioning" "v" {\n  bucket = "b"\n'
            "  versioning_configuration {\n    state = 1\n  }\n}\n",
            "versioning_configuration: no argument state",
        ),
    ],
)
def test_what_a_provider_lacks_is_found(schema, text: str, said: str):
    usage = Usage(schema[1])
    usage.check(text)
    assert any(said in wrong for wrong in usage.wrong), usage.wrong


def test_the_extracted_schema_covers_the_module():
    known = json.loads(NEWEST.read_text())
    for kind, types in extract.used().items():
        assert set(types) == set(known[kind]), "run make provider-schema"
