"""The module on its own: format, its native tests, its README."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import __version__, assets
from orchestrator.model.module_contract.outputs import Outputs
from terraform import module_dist
from tests.module.conftest import TerraformCli

README = (assets.MODULE / "README.md").read_text()
EXAMPLES = sorted(folder.name for folder in (assets.MODULE / "examples").iterdir())

MOCK = """
mock_provider "aws" {
  mock_data "aws_cur_report_definition" {
    defaults = {
      additional_schema_elements = ["RESOURCES"]
      compression                = "ZIP"
      format                     = "textORcsv"
      refresh_closed_reports     = true
      report_versioning          = "OVERWRITE_REPORT"
      s3_bucket                  = "billing-of-acme"
      s3_prefix                  = "finance/cur"
      s3_region                  = "eu-central-1"
      time_unit                  = "HOURLY"
    }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
}
"""

SECOND_MOCK = """
mock_provider "aws" {
  alias = "frankfurt"

  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_s3_bucket" {
    defaults = { bucket_regional_domain_name = "bucket.s3.eu-central-1.amazonaws.com" }
  }
  mock_data "aws_s3_bucket_policy" {
    defaults = { policy = "{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[]}" }
  }
}
"""

RUN = """
run "plans" {
  command = plan

  variables {
    external_id = "octo-external-id"
  }
}
"""


def test_every_file_is_formatted(terraform: TerraformCli):
    result = terraform("fmt", "-check", "-recursive", "-diff")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", ["account_types", "features", "stackset", "validations"])
def test_the_native_tests_pass(terraform: TerraformCli, name: str):
    result = terraform("test", "-no-color", f"-filter=tests/{name}.tftest.hcl")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", result.stdout), result.stdout


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory) -> Path:
    """The module as a registry's repository has it."""
    folder = tmp_path_factory.mktemp("registry") / "terraform-aws-octo"
    module_dist.lay_out(folder)
    return folder


def test_the_registry_layout_is_complete_and_has_no_link_out_of_it(laid_out: Path):
    names = {path.name for path in laid_out.iterdir()}
    assert {"variables.tf", "outputs.tf", "versions.tf", "features.yaml"} <= names
    assert {"README.md", "LICENSE", "CHANGELOG.md", "examples", "tests", "policies"} <= names
    parts = {path.parent.name for path in laid_out.glob("modules/*/README.md")}
    assert parts == {"api-access", "cur-export", "linked-accounts"}
    assert {f"only-{part}" for part in parts} <= set(EXAMPLES)
    for readme in (laid_out / "README.md", *laid_out.glob("modules/*/README.md")):
        links = re.findall(r"\]\(([^)#:]+)[)#]", readme.read_text())
        assert [link for link in links if not (readme.parent / link).exists()] == [], readme
    assert f"## [{__version__}]" in (laid_out / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_validates_and_plans_from_the_registry_layout(
    laid_out: Path, tmp_path, name: str
):
    root = tmp_path / "terraform-aws-octo"
    shutil.copytree(laid_out, root, ignore=shutil.ignore_patterns("tests"))
    example = root / "examples" / name
    second = SECOND_MOCK if '"frankfurt"' in (example / "main.tf").read_text() else ""
    (example / "example.tftest.hcl").write_text(MOCK + second + RUN)
    cli = TerraformCli(example, example / ".terraform")
    cli.init()
    validated = cli("validate", "-no-color")
    assert validated.returncode == 0, validated.stderr
    result = cli("test", "-no-color")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed, 0 failed" in result.stdout


def test_what_is_kept_when_everything_is_taken_away_is_every_part_of_a_bucket():
    text = "".join(path.read_text() for path in assets.MODULE.glob("modules/cur-export/*.tf"))
    of_bucket = re.findall(r'^resource "(aws_s3_bucket\w*)" "(\w+)"', text, re.MULTILINE)
    kept = re.findall(
        r"^  from = module\.octo\.module\.cur_export\.(aws_\w+)\.(\w+)$", README, re.MULTILINE
    )
    assert sorted(kept) == sorted(of_bucket)


def test_generated_documentation_is_up_to_date():
    script = assets.MODULE.parents[2] / "docs/generate.py"
    result = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_the_outputs_are_those_that_the_orchestrator_reads():
    declared = set(re.findall(r'^output "(\w+)"', (assets.MODULE / "outputs.tf").read_text(), re.M))
    assert declared == set(Outputs.model_fields)


def test_module_and_orchestrator_have_one_version():
    assert f'module_version = "{__version__}"' in (assets.MODULE / "versions.tf").read_text()
