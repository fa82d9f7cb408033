"""What Python says of the module is what its HCL says: names, addresses, inputs, outputs."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

from orchestrator import assets
from orchestrator.errors import EngineError
from orchestrator.model.module_contract import features
from orchestrator.model.module_contract.addresses import (
    BUCKET,
    MERGED_POLICY,
    MODULE,
    REPORT,
    REPORT_FIELDS,
    ROLES,
    STACKSET,
    block_of,
    in_its_module,
)
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.outputs import (
    ApiAccessOutput,
    CurOutput,
    Outputs,
    RoleOutput,
    StackSetOutput,
    parse_outputs,
)
from orchestrator.terraform.moves import current_address
from tests.registered import outputs

FEATURE = "module.api_access.aws_iam_role.feature"
LAYOUTS = (  # an address in an earlier layout of the module, and today's
    ("aws_iam_role.api_access", "module.api_access.aws_iam_role.api_access"),
    ("aws_iam_role.alphaus_acct_access_role", "module.api_access.aws_iam_role.api_access"),
    ("aws_iam_role.AlphausAcctAccessCurRole[0]", "module.cur_export[0].aws_iam_role.cur"),
    ("aws_s3_bucket.cur[0]", BUCKET),
    ("aws_cur_report_definition.cur_report_def[0]", REPORT),
    ("aws_cloudformation_stack_set.api_access[0]", STACKSET),
    ("aws_iam_role.octo_ssm_updater_role[0]", f'{FEATURE}["OctoSSMUpdaterRole"]'),
    ('aws_iam_role.feature["OctoChangeExecutorRole"]', f'{FEATURE}["OctoChangeExecutorRole"]'),
)
META = {"count", "depends_on", "lifecycle", "tags"}


def plain(value: Any) -> Any:
    """Without the quotes of python-hcl2 and its marks of blocks and comments."""
    if isinstance(value, dict):
        found = {plain(key): plain(inner) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.removeprefix('"').removesuffix('"') if isinstance(value, str) else value


@pytest.fixture(scope="module")
def module() -> dict[str, Any]:
    """The module's blocks by kind and name (locals in a list); a resource's is its address."""
    return blocks_of(assets.MODULE)


@pytest.fixture(scope="module")
def resources(module) -> dict[str, Any]:
    """The resources of the modules that it consists of, by their addresses in it."""
    found: dict[str, Any] = {}
    for name, call in module["module"].items():
        place = f"module.{name}[0]." if "count" in call else f"module.{name}."
        inner = blocks_of(assets.MODULE / call["source"])
        found |= {place + address: body for address, body in inner.get("resource", {}).items()}
    return found


def blocks_of(folder: Path) -> dict[str, Any]:
    blocks: dict[str, Any] = {}
    for path in folder.glob("*.tf"):
        for kind, found in plain(hcl2.loads(path.read_text())).items():
            for block in found:
                if kind == "locals":
                    blocks.setdefault(kind, []).append(block)
                    continue
                if kind in ("resource", "data"):
                    ((type_, named),) = block.items()
                    block = {f"{type_}.{name}": body for name, body in named.items()}
                blocks.setdefault(kind, {}).update(block)
    return blocks


def declared(address: str) -> str:
    """The address of the block: without an instance's key."""
    return re.sub(r"\[[^\]]*\]$", "", address)


def test_the_addresses_are_the_modules_and_each_role_has_its_name(resources):
    for address in (*ROLES, BUCKET, MERGED_POLICY, REPORT, STACKSET):
        resource = resources[declared(address)]
        assert ("count" in resource) == address.endswith("[0]"), address
        assert ("for_each" in resource) == address.endswith('"]'), address
    documents = blocks_of(assets.MODULE / "modules/role-documents")
    named = {name: value for block in documents["locals"] for name, value in block.items()}
    for address, name in ROLES.items():
        given = resources[declared(address)]["name"]
        own = re.fullmatch(r"\$\{module\.documents\.(\w+)\}", given)
        if own:
            assert documents["output"][own[1]]["value"] == f"${{local.{own[1]}}}"
        assert (named[own[1]] if own else given) == ("${each.key}" if '"]' in address else name)


def test_every_role_of_the_module_is_known(module, resources):
    assert "resource" not in module
    addresses = {a for a in resources if in_its_module(a).startswith("aws_iam_role.")}
    assert addresses == {declared(address) for address in ROLES}
    assert set(features.table().roles) == set(ROLES.values())
    assert {role for f in features.table().features.values() for role in f.roles} == {
        *features.table().roles
    }


@pytest.mark.parametrize("address", [BUCKET, MERGED_POLICY, REPORT, STACKSET, *ROLES])
def test_an_address_tells_where_its_block_is(address):
    block = block_of(MODULE + address)
    assert block is not None
    folder, kind, name = block
    assert f"{kind}.{name}" in blocks_of(assets.MODULE / folder)["resource"]
    assert declared(in_its_module(MODULE + address)) == f"{kind}.{name}"


def test_every_resource_has_come_from_an_earlier_address(module, resources):
    moves = re.findall(r"from = (\S+)\n  to   = (\S+)", (assets.MODULE / "moved.tf").read_text())
    assert {declared(to) for _, to in moves if to.startswith("module.")} == resources.keys()
    for earlier, to in moves:
        assert in_its_module(to).split(".")[0] == earlier.split(".")[0]


def test_the_reports_fields_are_the_resources_arguments(resources):
    arguments = resources[REPORT.removesuffix("[0]")].keys() - META
    assert arguments == {*REPORT_FIELDS.values(), "report_name"}


def test_the_defaults_are_the_modules(module):
    ours = Inputs("111122223333", "bucket")
    for field in dataclasses.fields(Inputs):
        if field.name not in ("account_id", "cur_s3_bucket_name"):
            default, value = module["variable"][field.name]["default"], getattr(ours, field.name)
            is_set = isinstance(value, tuple)
            assert default == (sorted(value) if is_set else value), field.name


@pytest.mark.parametrize(
    ("output", "model"),
    [("api_access", ApiAccessOutput), ("cur", CurOutput), ("stackset", StackSetOutput)],
)
def test_the_outputs_are_the_modules(module, output, model):
    assert module["output"].keys() == Outputs.model_fields.keys()
    source = re.fullmatch(
        r".*module\.(\w+)\b.*\." + output + r"\W*", module["output"][output]["value"]
    )
    assert source
    inner = blocks_of(assets.MODULE / module["module"][source[1]]["source"])
    value = inner["output"][output]["value"]
    keys = set(re.findall(r"(\w+) = ", value)) if isinstance(value, str) else set(value)
    nested = RoleOutput.model_fields.keys() if output == "cur" else set()
    assert keys - nested == model.model_fields.keys()


def values(**changes: Any) -> dict[str, Any]:
    return {**outputs("111122223333", "payer").model_dump(), **changes}


def test_an_output_that_only_a_newer_module_has_is_ignored():
    newer = {**values()["api_access"], "sessions": 3}
    found = parse_outputs(values(api_access=newer, rotation={"days": 90}), "111122223333")
    assert found == outputs("111122223333", "payer")


def test_outputs_of_another_version_that_do_not_fit_name_both_versions():
    with pytest.raises(EngineError, match=r"output api_access") as caught:
        parse_outputs(values(api_access={}, module_version="9.9.9"), "111122223333")
    assert "9.9.9" in str(caught.value.hint)
    assert "octo-tf apply" in str(caught.value.hint)


@pytest.mark.parametrize(("before", "now"), LAYOUTS)
def test_an_address_of_an_earlier_layout_leads_to_the_resource(before, now):
    assert current_address(MODULE + before) == MODULE + now
    assert block_of(MODULE + now)


def test_an_address_that_nothing_was_moved_from_stays():
    for address in (MODULE + BUCKET, "aws_s3_bucket.mine", f"{MODULE}aws_s3_bucket.mine"):
        assert current_address(address) == address
