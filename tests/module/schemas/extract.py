"""Extract what a provider's newest schema says of the module's resources from a CDK package.

``make provider-schema`` runs it: the provider of major 6 cannot be had where only package
registries are reached, and PyPI's ``cdktn-provider-aws`` is generated from its schema. The package
(71 MB) says of every argument whether it is computed, optional or required; it says nothing of
types, defaults and deprecations.

Usage: ``extract.py WHEEL > aws-VERSION.json``
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import hcl2

MODULE = Path(__file__).parents[3] / "terraform/modules/octo"
_CLASS = re.compile(r"^class (\w+) extends cdktn\.Terraform(?:Resource|DataSource|Provider) ", re.M)
_ARGUMENT = re.compile(
    r"^    // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n"
    r"(?:    _\w+ = new (\w+?)(?:List|OutputReference|Map)\()?",
    re.M,
)
_VERSION = re.compile(r"providerVersion: '([\d.]+)'")


def used() -> dict[str, list[str]]:
    """List the types of the module's resources and data sources."""
    found: dict[str, set[str]] = {"data": set(), "resource": set()}
    for file in MODULE.glob("modules/**/*.tf"):
        parsed = hcl2.loads(file.read_text())
        for kind, types in found.items():
            types.update(name.strip('"') for block in parsed.get(kind, []) for name in block)
    return {kind: sorted(types) for kind, types in found.items()}


def main(wheel: str) -> None:
    """Print the schema of everything that the module uses, as JSON."""
    with zipfile.ZipFile(wheel) as archive:
        (inner,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        package = tarfile.open(fileobj=io.BytesIO(archive.read(inner)))  # noqa: SIM115
    wanted = {("provider", "aws"): "provider"}
    for kind, types in used().items():
        prefix = "data-" if kind == "data" else ""
        for name in types:
            bare = name.removeprefix("aws_").replace("_", "-")
            wanted[kind, name] = f"{prefix}aws-{bare}" if prefix else bare
    sources = {}
    for member in package:
        folder = member.name.removeprefix("package/lib/").removesuffix("/index.js")
        if folder in wanted.values() and member.name.endswith("/index.js"):
            file = package.extractfile(member)
            assert file is not None
            sources[folder] = file.read().decode()
    versions = {v for text in sources.values() for v in _VERSION.findall(text)}
    assert len(versions) == 1, versions
    document: dict[str, Any] = {
        "origin": f"PyPI {Path(wheel).name}, generated from hashicorp/aws; see extract.py",
        "version": versions.pop(),
    }
    for (kind, name), folder in wanted.items():
        document.setdefault(kind, {})[name] = _root(sources[folder])
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    print()


def _root(text: str) -> dict[str, Any]:
    match = _CLASS.search(text)
    assert match is not None
    return _arguments(text, match[1])


def _arguments(text: str, class_name: str) -> dict[str, Any]:
    """A class's arguments: ``required``, ``optional`` or ``computed``, or a nested block's."""
    body = re.search(rf"^class {class_name} extends .*?^}}", text, re.M | re.S)
    assert body is not None, class_name
    found: dict[str, Any] = {}
    for name, computed, optional, required, nested in _ARGUMENT.findall(body[0]):
        how = "required" if required == "true" else "optional" if optional == "true" else "computed"
        if nested:
            found[name] = {"": how, **_arguments(text, f"{nested}OutputReference")}
        elif keys := _keys(text, class_name, name):
            found[name] = {"": how, **dict.fromkeys(keys, "optional")}
        else:
            found[name] = how
        assert computed == "true" or how != "computed", name
    return found


def _keys(text: str, class_name: str, block: str) -> list[str]:
    """The names in a block of the provider's own configuration, which has no class."""
    camel = "".join(part.title() for part in block.split("_"))
    function = f"{class_name[0].lower()}{class_name[1:]}{camel}ToTerraform"
    body = re.search(rf"^function {function}\(.*?^}}", text, re.M | re.S)
    return re.findall(r"^        (\w+): ", body[0], re.M) if body else []


if __name__ == "__main__":
    main(sys.argv[1])
