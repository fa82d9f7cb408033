"""What the console path expects is what the module's real outputs say for the same inputs."""

from __future__ import annotations

import json

import pytest

from orchestrator.config.load import load
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.module_contract.outputs import Outputs
from orchestrator.sandbox import TemplateScope, parse_template
from orchestrator.stacks.expected import expected
from tests.e2e.conftest import Checkpoint, Project

BUCKET = "billing-data-for-the-console"


def from_terraform(project: Project) -> Outputs:
    """The outputs as Terraform left them in its state."""
    state = json.loads((project.root / "terraform.tfstate").read_text())
    return Outputs.model_validate({n: o["value"] for n, o in state["outputs"].items()})


def without_terraform(project: Project, real: Outputs) -> Outputs:
    """The same from octo.yaml alone; AWS chose the StackSet's id, and the root is AWS's."""
    registration = load(project.folder / "octo.yaml", {}, project.environ)
    return expected(
        module_inputs(registration),
        real.account_type,
        targets=real.stackset.targets if real.stackset else (),
        stack_set_id=real.stackset.id if real.stackset else "",
    )


def test_a_linked_account(sandbox):
    sandbox.idle_instance("linked-1")
    project = sandbox.project("linked-1", "console linked", features=["recommendations", "cost"])
    assert project("apply", "--yes").returncode == 0
    real = from_terraform(project)
    assert without_terraform(project, real) == real


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    bucket = sandbox.existing_bucket("payer", BUCKET, "eu-central-1")
    project = sandbox.project(
        "payer",
        "console payer",
        use_stackset=True,
        stackset_excluded_accounts=[sandbox.account("linked-1")],
        **bucket,
        cur_s3_bucket_merge_policy=True,
        cur_additional_schema_elements=["SPLIT_COST_ALLOCATION_DATA", "RESOURCES"],
        cur_role_trust="principal_only",
        cur_s3_prefix="some/prefix",
    )
    applied = project("apply", "--yes", "--enable-trusted-access")
    assert (project.root / "terraform.tfstate").exists(), applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def payer(sandbox, registered) -> Project:
    """A payer with a StackSet, and a report whose settings are not the defaults."""
    return sandbox.restore(registered)["console payer"]


def test_a_payer_with_its_report_and_its_stack_set(payer):
    real = from_terraform(payer)
    assert real.cur and real.stackset
    assert without_terraform(payer, real) == real


def test_the_templates_role_is_the_one_that_terraform_made(sandbox, payer):
    """Trust, policies and description of the payer's role, from the template and from AWS."""
    from orchestrator.stacks import templates

    registration = load(payer.folder / "octo.yaml", {}, payer.environ)
    text = templates.render("api-access", module_inputs(registration))
    values = {
        "AWS::Partition": "aws",
        "Principal": registration.principal,
        "ExternalId": registration.external_id.get_secret_value(),
    }
    scope = TemplateScope(parse_template(text), values)
    role = scope.template["Resources"]["ApiAccessRole"]["Properties"]
    iam = sandbox.client("payer", "iam")
    made = iam.get_role(RoleName=role["RoleName"])["Role"]
    assert scope.resolve(role["AssumeRolePolicyDocument"]) == made["AssumeRolePolicyDocument"]
    assert role["Description"] == made["Description"]
    for policy in role["Policies"]:
        found = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy["PolicyName"])
        assert found["PolicyDocument"] == policy["PolicyDocument"]


def test_the_bucket_policy_is_the_one_that_terraform_merges(sandbox, payer):
    s3 = sandbox.client("payer", "s3", "eu-central-1")
    made = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    real = from_terraform(payer)
    assert real.cur and made == json.loads(real.cur.bucket_policy_statements)
