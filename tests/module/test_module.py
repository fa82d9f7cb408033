"""The module on its own: format, its native tests, its README."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from orchestrator import __version__, assets
from orchestrator.model.module_contract.outputs import Outputs
from tests.module.conftest import TerraformCli

README = (assets.MODULE / "README.md").read_text()
EXAMPLES = re.findall(r"^### (.+?)$.*?```hcl\n(.*?)```", README, re.MULTILINE | re.DOTALL)

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


def test_the_readme_has_five_examples():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(("title", "text"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_each_example_of_the_readme_validates_and_plans(tmp_path, title: str, text: str):
    shutil.copytree(
        assets.MODULE, tmp_path / "modules/octo", ignore=shutil.ignore_patterns("tests")
    )
    (tmp_path / "main.tf").write_text(text)
    second = SECOND_MOCK if '"frankfurt"' in text else ""
    (tmp_path / "example.tftest.hcl").write_text(MOCK + second + RUN)
    cli = TerraformCli(tmp_path, tmp_path / ".terraform")
    cli.init()
    validated = cli("validate", "-no-color")
    assert validated.returncode == 0, validated.stderr
    result = cli("test", "-no-color")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed, 0 failed" in result.stdout


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
