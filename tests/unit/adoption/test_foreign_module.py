"""What users wrote is read, never evaluated: literals, and names that lead to literals."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.adoption import foreign_module
from orchestrator.errors import ConfigError

CALL = """
module "octo" {
  source      = "alphauslabs/octo/aws"
  external_id = %s
}
"""


def read(
    folder: Path, environ: dict[str, str] | None = None, **files: str
) -> foreign_module.ForeignModule:
    for name, text in files.items():
        stem, _, ending = name.rpartition("__")
        (folder / f"{stem.replace('__', '.')}.{ending}").write_text(text)
    return foreign_module.read_module(folder, environ or {}, var_files=[])


@pytest.mark.parametrize(
    ("expression", "more", "value"),
    [
        ('"plain"', "", "plain"),
        ("local.id", 'locals { id = "by-local" }', "by-local"),
        ("var.id", 'variable "id" { default = "by-default" }', "by-default"),
        ('"${local.a}-${var.b}"', 'locals { a = "x" }\nvariable "b" { default = "y" }', "x-y"),
        ("local.a", 'locals {\n  a = local.b\n  b = "twice"\n}', "twice"),
        ('"$${not} a \\"name\\""', "", '${not} a "name"'),
        ("<<-EOT\n    lines\n  EOT\n", "", "lines"),
    ],
)
def test_what_leads_to_a_literal_is_known(tmp_path, expression, more, value):
    found = read(tmp_path, main__tf=CALL % expression + more).inputs["external_id"]
    assert found.known, found
    assert found.value.strip() == value


@pytest.mark.parametrize(
    ("expression", "more"),
    [
        ('file("id.txt")', ""),
        ("data.aws_ssm_parameter.id.value", ""),
        ("var.absent", ""),
        ("var.empty", 'variable "empty" {}'),
        ("local.a", "locals {\n  a = local.b\n  b = local.a\n}"),
        ('var.x == "" ? "a" : "b"', 'variable "x" { default = "" }'),
        ('"%{ if true }x%{ endif }"', ""),
        ('"${file("/etc/passwd")}"', ""),
    ],
)
def test_anything_else_is_named_with_its_line(tmp_path, expression, more):
    found = read(tmp_path, main__tf=CALL % expression + more).inputs["external_id"]
    assert not found.known
    assert found.value is None
    assert found.where == f"{tmp_path}/main.tf:4" or "locals" in more


def test_values_win_over_each_other_as_in_terraform(tmp_path):
    """Default, environment, terraform.tfvars, *.auto.tfvars: the last one that says it."""
    main = CALL % "var.id" + 'variable "id" { default = "default" }'

    def value(**files: str) -> str:
        found = read(tmp_path, {"TF_VAR_id": "environment"}, main__tf=main, **files)
        return found.inputs["external_id"].value

    assert value() == "environment"
    assert value(terraform__tfvars='id = "file"') == "file"
    assert value(x__auto__tfvars='id = "auto"') == "auto"


def test_a_file_of_values_that_is_named_wins(tmp_path):
    (tmp_path / "prod.vars").write_text('id = "prod"')
    (tmp_path / "main.tf").write_text(CALL % "var.id" + 'variable "id" {}')
    found = foreign_module.read_module(tmp_path, {}, var_files=[tmp_path / "prod.vars"])
    assert found.inputs["external_id"].value == "prod"
    assert found.inputs["external_id"].where == f"{tmp_path}/prod.vars:1"


@pytest.mark.parametrize(
    "source",
    [
        "alphauslabs/octo/aws",
        "registry.terraform.io/alphauslabs/octo/aws",
        "git::https://github.com/alphauslabs/terraform-aws-octo.git?ref=v1",
    ],
)
def test_the_module_is_known_by_its_source(tmp_path, source):
    text = f'module "billing" {{\n  source = "{source}"\n  external_id = "abc"\n}}'
    found = read(tmp_path, main__tf=text)
    assert (found.address, found.where) == ("module.billing", f"{tmp_path}/main.tf:1")


def test_a_copy_is_known_by_its_inputs(tmp_path):
    text = 'module "m" {\n  source = "./copy"\n  external_id = "abc"\n  use_stackset = false\n}'
    assert read(tmp_path, main__tf=text).address == "module.m"


def test_the_module_as_a_root_is_known_by_its_role(tmp_path):
    text = """
resource "aws_iam_role" "alphaus_acct_access_role" {}
variable "external_id" {}
variable "cur_s3_prefix" { default = "pre" }
"""
    found = read(tmp_path, main__tf=text, terraform__tfvars='external_id = "abc"')
    assert found.address == ""
    assert {n: i.value for n, i in found.inputs.items()} == {
        "external_id": "abc",
        "cur_s3_prefix": "pre",
    }


def test_two_modules_are_distinguished_by_name(tmp_path):
    text = CALL % '"a1"' + (CALL % '"b2"').replace('"octo"', '"other"')
    with pytest.raises(ConfigError, match="more than once") as caught:
        read(tmp_path, main__tf=text)
    assert "--module" in caught.value.hint
    found = foreign_module.read_module(tmp_path, {}, name="other", var_files=[])
    assert found.inputs["external_id"].value == "b2"


@pytest.mark.parametrize(
    "text", ['module "octo" {', 'a = "my-secret-id', "\0", "module octo {{{", "}", "= 1"]
)
def test_broken_files_are_an_error_with_a_place_and_without_their_text(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, main__tf=text)
    assert str(tmp_path / "main.tf") in caught.value.where
    assert "my-secret-id" not in str(caught.value)


@pytest.mark.parametrize("syntax", ['x = "${~ var.y ~}"', "größe = 1", 'x = core::upper("y")'])
def test_an_unparsable_file_is_an_error_only_if_it_may_hold_the_module(tmp_path, syntax):
    other = f'output "o" {{\n  {syntax}\n}}'
    found = read(tmp_path, main__tf=CALL % '"abc"', other__tf=other)
    assert found.inputs["external_id"].value == "abc"
    with pytest.raises(ConfigError, match="cannot be parsed as HCL") as caught:
        read(tmp_path, other__tf=f"locals {{\n  {syntax}\n}}")
    assert "other.tf" in caught.value.where
    assert "terraform validate" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot be parsed as HCL"):
        read(tmp_path, main__tf=CALL % '"a"', other__tf=f'/* ours */ module "b" {{\n  {syntax}\n}}')


def test_a_folder_without_the_module_says_what_to_name(tmp_path):
    with pytest.raises(ConfigError, match="does not use the published module"):
        read(tmp_path, main__tf='resource "null_resource" "x" {}')
    with pytest.raises(ConfigError, match="holds no Terraform files"):
        foreign_module.read_module(tmp_path / "absent", {}, var_files=[])


PIECES = [*'}"[#\n\0é', 'module "octo" {', "${", "%{", "x = ", "<<E\n", "var.x"]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_brings_it_down(tmp_path, pieces):
    (tmp_path / "main.tf").write_text("".join(pieces), encoding="utf-8", errors="replace")
    with contextlib.suppress(ConfigError):
        foreign_module.read_module(tmp_path, {}, var_files=[])


def test_the_external_id_is_in_no_repr(tmp_path):
    found = read(tmp_path, main__tf=CALL % '"the-secret"')
    assert "the-secret" not in repr(found) + repr(found.inputs)


def test_the_example_is_read():
    folder = Path(__file__).parents[3] / "examples/from-published-module/before"
    found = foreign_module.read_module(
        folder, {"TF_VAR_external_id": "by-environment"}, var_files=[]
    )
    assert found.address == "module.octo"
    assert found.inputs["cur_s3_bucket_name"].value == "acme-cur-export"
    assert found.inputs["external_id"].value == "by-environment"
    assert not found.inputs["secret_key"].known


PUBLISHED = 'resource "aws_iam_role" "alphaus_acct_access_role" {}\nvariable "external_id" {}'
WRAPPER = """
variable "external_id" { type = string }
variable "company" { type = string }
module "octo" {
  source             = "./published"
  external_id        = var.external_id
  use_stackset       = false
  cur_s3_bucket_name = "${var.company}-octo-cur"
  access_key         = ""
}
"""
ROOT = """
module "finops" {
  source      = "./modules/finops"
  external_id = var.octo_external_id
  company     = local.company
}
locals {
  company = "example"
}
variable "octo_external_id" { type = string }
"""


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def wrapped(folder: Path, root: str = ROOT, **how) -> foreign_module.ForeignModule:
    write(folder, main__tf=root)
    write(folder / "modules/finops", main__tf=WRAPPER)
    write(folder / "modules/finops/published", main__tf=PUBLISHED)
    environ = {"TF_VAR_octo_external_id": "the-id"}
    return foreign_module.read_module(folder, environ, var_files=[], **how)


def test_the_module_inside_a_wrapper_is_found_with_its_inputs(tmp_path):
    found = wrapped(tmp_path)
    assert found.address == "module.finops.module.octo"
    assert found.where == f"{tmp_path}/modules/finops/main.tf:4"
    assert found.folder == tmp_path
    assert {n: i.value for n, i in found.inputs.items()} == {
        "external_id": "the-id",
        "use_stackset": False,
        "cur_s3_bucket_name": "example-octo-cur",
        "access_key": "",
    }


def test_a_wrapper_with_inputs_of_the_same_names_is_not_taken_for_the_module(tmp_path):
    root = ROOT.replace("company     =", "use_stackset = false\n  company =")
    assert wrapped(tmp_path, root).address == "module.finops.module.octo"


def test_what_a_wrapper_is_given_and_cannot_be_read_is_named(tmp_path):
    found = wrapped(tmp_path, ROOT.replace("local.company", 'file("name")'))
    assert found.inputs["cur_s3_bucket_name"].expression == 'file("name")'


@pytest.mark.parametrize("argument", ["", "for_each = local.x", "count = 2"])
def test_a_wrapper_of_several_instances_has_several_of_the_module(tmp_path, argument):
    found = wrapped(tmp_path, ROOT.replace("company     =", f"{argument}\n  company ="))
    assert found.is_repeated == bool(argument)


def test_two_wrappers_are_distinguished_by_address(tmp_path):
    both = ROOT + ROOT.partition("locals")[0].replace("finops", "other", 1)
    with pytest.raises(ConfigError, match="more than once") as caught:
        wrapped(tmp_path, both)
    assert "module.other.module.octo" in caught.value.what
    assert wrapped(tmp_path, both, name="module.other.module.octo").address.startswith(
        "module.other"
    )


def test_a_wrapper_from_a_registry_is_read_where_init_installed_it(tmp_path):
    wrapped(tmp_path)
    write(tmp_path, main__tf=ROOT.replace("./modules/finops", "example/finops/aws"))
    manifest = {"Modules": [{"Key": "finops", "Source": "x", "Dir": "modules/finops"}]}
    write(tmp_path / "data/modules", modules__json=json.dumps(manifest))
    environ = {"TF_DATA_DIR": "data"}
    found = foreign_module.read_module(tmp_path, environ, var_files=[])
    assert found.address == "module.finops.module.octo"


def test_modules_that_call_each_other_end(tmp_path):
    write(tmp_path, main__tf=f'module "a" {{\n  source = "../{tmp_path.name}"\n}}')
    with pytest.raises(ConfigError, match="does not use the published module"):
        foreign_module.read_module(tmp_path, {}, var_files=[])


@pytest.mark.parametrize("source", ["./\0", "./absent", "/dev/zero", "./main.tf"])
def test_a_source_that_is_no_folder_leads_nowhere(tmp_path, source):
    write(tmp_path, main__tf__json=json.dumps({"module": {"a": {"source": source}}}))
    write(tmp_path, main__tf="")
    with pytest.raises(ConfigError, match="does not use the published module"):
        foreign_module.read_module(tmp_path, {}, var_files=[])


def test_the_workspace_is_known_inside_a_wrapper(tmp_path):
    wrapped(tmp_path)
    inner = WRAPPER.replace("var.company}", "terraform.workspace}")
    write(tmp_path / "modules/finops", main__tf=inner)
    environ = {"TF_WORKSPACE": "prod"}
    found = foreign_module.read_module(tmp_path, environ, var_files=[])
    assert found.inputs["cur_s3_bucket_name"].value == "prod-octo-cur"


def test_a_wrapper_that_cannot_be_read_is_an_error_unless_the_module_is_elsewhere(tmp_path):
    write(tmp_path / "broken", main__tf='module "x" {')
    broken = '\nmodule "b" {\n  source = "./broken"\n}\n'
    write(tmp_path, main__tf=broken)
    with pytest.raises(ConfigError, match="cannot be parsed as HCL"):
        foreign_module.read_module(tmp_path, {}, var_files=[])
    assert wrapped(tmp_path, ROOT + broken).address == "module.finops.module.octo"


EACH = """
locals {
  accounts = {
    one = { id = "id-one", bucket = "bucket-one" }
    two = { id = "id-two", bucket = data.x.y.z }
  }
}
module "octo" {
  for_each           = local.accounts
  source             = "alphauslabs/octo/aws"
  external_id        = each.value.id
  cur_s3_bucket_name = local.accounts[each.key].bucket
  cur_s3_prefix      = each.key
}
"""


def test_the_inputs_of_one_instance_of_for_each_are_known(tmp_path):
    write(tmp_path, main__tf=EACH)
    one = foreign_module.read_module(tmp_path, {}, var_files=[], instance='module.octo["one"]')
    assert one.address == "module.octo"
    assert one.is_repeated
    assert {n: i.value for n, i in one.inputs.items()} == {
        "external_id": "id-one",
        "cur_s3_bucket_name": "bucket-one",
        "cur_s3_prefix": "one",
    }
    two = foreign_module.read_module(tmp_path, {}, var_files=[], instance='module.octo["two"]')
    assert two.inputs["external_id"].value == "id-two"
    assert not two.inputs["cur_s3_bucket_name"].known
    assert not foreign_module.read_module(tmp_path, {}, var_files=[]).inputs["external_id"].known


def test_each_value_of_a_set_is_its_key(tmp_path):
    text = EACH.replace("local.accounts\n", 'toset(["a"])\n').replace("each.value.id", "each.value")
    write(tmp_path, main__tf=text)
    found = foreign_module.read_module(tmp_path, {}, var_files=[], instance='module.octo["a"]')
    assert found.inputs["external_id"].value == "a"


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"TF_CLI_ARGS_plan": "-lock=false -var-file=prod.tfvars"}, "by-file"),
        ({"TF_CLI_ARGS": "--var-file prod.tfvars -var 'id=typed here'"}, "typed here"),
        ({"TF_CLI_ARGS": "-var id=typed -var-file=prod.tfvars"}, "by-file"),
        ({"TF_CLI_ARGS": "-var id=all", "TF_CLI_ARGS_plan": "-var id=plan"}, "all"),
        ({"TF_CLI_ARGS": "-var-file"}, "default"),
        ({"TF_CLI_ARGS": "-v"}, "default"),
        ({"TF_CLI_ARGS": "-var='"}, "default"),
    ],
)
def test_variables_that_the_shell_gives_to_every_plan_count(tmp_path, arguments, value):
    (tmp_path / "prod.tfvars").write_text('id = "by-file"\n')
    found = read(
        tmp_path, arguments, main__tf=CALL % "var.id" + 'variable "id" { default = "default" }'
    )
    assert found.inputs["external_id"].value == value


def test_a_folder_whose_name_ends_like_a_file_is_no_file(tmp_path):
    (tmp_path / "octo.tf").mkdir()
    assert read(tmp_path, main__tf=CALL % '"x"').inputs["external_id"].value == "x"


def test_override_files_come_last_whatever_their_names_are(tmp_path):
    write(
        tmp_path,
        zz__tf=CALL % '"base"',
        a_override__tf='module "octo" {\n  external_id = local.id\n}\nlocals {\n  id = "new"\n}',
        main__tf='locals {\n  id = "old"\n}',
    )
    found = foreign_module.read_module(tmp_path, {}, var_files=[])
    assert found.inputs["external_id"].value == "new"
    assert found.where == f"{tmp_path}/zz.tf:2"


def test_files_of_opentofu_replace_those_of_the_same_name_and_terraform_does_not_see_them(tmp_path):
    write(tmp_path, main__tf=CALL % '"by-tf"', main__tofu=CALL % '"by-tofu"')
    for tofu, value in ((False, "by-tf"), (True, "by-tofu")):
        found = foreign_module.read_module(tmp_path, {}, var_files=[], tofu=tofu)
        assert found.inputs["external_id"].value == value


def test_json_files_are_read(tmp_path):
    document = {
        "locals": {"id": 'by "json"'},
        "variable": {"bucket": {"default": "a-${not}"}},
        "module": {
            "octo": [{"source": "alphauslabs/octo/aws", "external_id": "${local.id}", "tags": {}}]
        },
    }
    write(tmp_path, main__tf__json=json.dumps(document))
    found = foreign_module.read_module(tmp_path, {}, var_files=[])
    assert found.inputs["external_id"].value == 'by "json"'
    assert found.where == f"{tmp_path}/main.tf.json"
    write(tmp_path, main__tf__json="[]")
    with pytest.raises(ConfigError, match="not a JSON object"):
        foreign_module.read_module(tmp_path, {}, var_files=[])


@pytest.mark.parametrize(
    ("environ", "data", "workspace"),
    [
        ({}, ".terraform", "prod"),
        ({"TF_DATA_DIR": "data"}, "data", "prod"),
        ({"TF_DATA_DIR": "data"}, ".terraform", "default"),
        ({"TF_WORKSPACE": "named"}, ".terraform", "named"),
    ],
)
def test_the_workspace_is_the_one_that_terraform_uses(tmp_path, environ, data, workspace):
    write(tmp_path, main__tf=CALL % '"id-${terraform.workspace}"')
    write(tmp_path / data, environment="prod")
    found = foreign_module.read_module(tmp_path, environ, var_files=[])
    assert found.inputs["external_id"].value == f"id-{workspace}"


def test_a_value_of_an_environment_or_json_file_is_no_template(tmp_path):
    main = CALL % "var.id" + 'variable "id" {}'
    found = read(tmp_path, {"TF_VAR_id": "${var.x}"}, main__tf=main)
    assert found.inputs["external_id"].value == "${var.x}"
    found = read(tmp_path, terraform__tfvars__json='{"id": "a-${b}"}')
    assert found.inputs["external_id"].value == "a-${b}"
