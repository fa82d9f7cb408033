"""What users wrote is read, never evaluated: literals, and names that lead to literals."""

from __future__ import annotations

import contextlib
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


def test_two_modules_are_told_apart_by_name(tmp_path):
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
