"""The published module inside a wrapper module is found, adopted and released where it is."""

from __future__ import annotations

import configparser
import json
import shutil

import pytest

from tests.e2e.conftest import EXTERNAL_ID, Checkpoint, RunningSandbox, failing
from tests.e2e.test_adopt import PUBLISHED, STATE, User
from tests.registered import ROLE

ADDRESS = "module.finops.module.octo"
WRAPPER = """
variable "external_id" { type = string }
variable "company" { type = string }
variable "access_key" { type = string }
variable "secret_key" { type = string }
module "octo" {
  source             = "./published"
  external_id        = var.external_id
  use_stackset       = false
  cur_s3_bucket_name = "${var.company}-octo-cur"
  access_key         = var.access_key
  secret_key         = var.secret_key
}
"""
ROOT = """
module "finops" {
  source      = "./modules/finops"
  external_id = var.octo_external_id
  company     = local.company
  access_key  = var.access_key
  secret_key  = var.secret_key
}
locals {
  company = "example"
}
variable "octo_external_id" { type = string }
variable "access_key" { type = string }
variable "secret_key" { type = string }

resource "terraform_data" "unrelated" {}
"""
CONSENT = ("--yes", "--purge-policies", "--json", "--wait", "60s")


@pytest.fixture(scope="module")
def applied(unused_sandbox) -> tuple[User, Checkpoint]:
    sandbox: RunningSandbox = unused_sandbox()
    keys = configparser.ConfigParser()
    keys.read(sandbox.environ["AWS_SHARED_CREDENTIALS_FILE"])
    folder = sandbox.folder / "a root with a wrapper"
    (folder / "modules/finops").mkdir(parents=True)
    shutil.copytree(PUBLISHED, folder / "modules/finops/published")
    (folder / "modules/finops/main.tf").write_text(WRAPPER)
    (folder / "main.tf").write_text(ROOT)
    values = {
        "octo_external_id": EXTERNAL_ID,
        "access_key": keys["standalone"]["aws_access_key_id"],
        "secret_key": keys["standalone"]["aws_secret_access_key"],
    }
    (folder / "terraform.tfvars.json").write_text(json.dumps(values))
    project = sandbox.empty_project("standalone")
    made = User(sandbox, "standalone", folder, project, "example-octo-cur")
    made.init()
    made.terraform("apply", "-auto-approve", "-input=false")
    made.before = made.identities()
    return made, sandbox.checkpoint()


@pytest.fixture
def wrapped(sandbox, applied) -> User:
    """Somebody with the published module inside a wrapper, applied."""
    made, checkpoint = applied
    return made.restored(sandbox, checkpoint)


@pytest.mark.case("adopt-wrapper-module")
def test_a_module_inside_a_wrapper_is_adopted_and_released(wrapped):
    done = wrapped.adopt(*CONSENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert failing(json.loads(done.stdout)) == set()
    assert wrapped.identities() == wrapped.before
    assert wrapped.held() == ["terraform_data.unrelated"]
    assert f"Now remove the block {ADDRESS}" in done.stderr


@pytest.mark.longer
def test_a_block_that_the_state_has_nothing_of_is_kept(wrapped):
    (wrapped.folder / STATE).unlink()
    shown = wrapped.adopt("--plan-only", "--account-id", wrapped.project.account_id)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert f"has no resource of {ADDRESS}" in shown.stderr
    done = wrapped.adopt(*CONSENT, "--account-id", wrapped.project.account_id)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Now remove" not in done.stderr
    assert f"Keep the block {ADDRESS}" in done.stderr


@pytest.mark.longer
def test_the_selected_workspace_is_the_one_that_releases(wrapped):
    wrapped.terraform("workspace", "new", "-state=terraform.tfstate", "prod")
    (wrapped.folder / STATE).unlink()
    done = wrapped.adopt(*CONSENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert wrapped.held() == ["terraform_data.unrelated"]
    assert wrapped.policies(ROLE) == {"octo-cost"}


@pytest.mark.longer
def test_of_a_state_that_cannot_be_read_here_the_command_is_printed(wrapped):
    """As with HCP Terraform without a token: a backend that was never initialized here."""
    backend = 'terraform {\n  backend "s3" {\n    bucket = "elsewhere"\n    key = "state"\n  }\n}\n'
    (wrapped.folder / "backend.tf").write_text(backend)
    identity = ("--account-id", wrapped.project.account_id)
    refused = wrapped.adopt(*CONSENT, *identity)
    assert refused.returncode == 1, refused.stderr
    assert "--keep-old-state" in refused.stderr
    done = wrapped.adopt(*CONSENT, *identity, "--keep-old-state")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"terraform state rm {ADDRESS}" in done.stderr
    assert f"Now remove the block {ADDRESS}" in done.stderr
