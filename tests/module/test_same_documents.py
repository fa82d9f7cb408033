"""The roles' policies and the StackSet's template: Terraform and octo-tf make the same ones."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import Any

import pytest

from orchestrator import assets
from orchestrator.model.module_contract import documents, features
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.stacks import templates
from orchestrator.stacks.expected import expected
from tests.module.conftest import TerraformCli
from tests.module.test_module import MOCK

EVERYTHING = Inputs(
    "111122223333",
    "alphaus-cur-export-111122223333",
    features=tuple(features.table().features),
    execution_actions=tuple(features.table().execution_actions),
    execution_may_delete=True,
    execution_tag={"octo": "may do + undo"},
    additional_actions=("rds:DescribeDBProxies",),
    stackset_features=("cost", "recommendations"),
)
CHOICES = {
    "the default": Inputs("111122223333", "alphaus-cur-export-111122223333"),
    "all that reads": dataclasses.replace(
        EVERYTHING,
        features=("cost", "recommendations", "container_cost", "unit_metrics", "ai_cost"),
        execution_actions=(),
        execution_may_delete=False,
        execution_tag={},
    ),
    "everything": EVERYTHING,
    "two external ids": EVERYTHING,
    "additional actions beyond the limit": dataclasses.replace(
        EVERYTHING,
        additional_actions=tuple(f"rds:Describe{number:03}{'A' * 45}" for number in range(200)),
    ),
}
GIVEN = (
    *("features", "execution_actions", "execution_may_delete", "execution_tag"),
    *("additional_actions", "stackset_features"),
)


def run(number: int, inputs: Inputs, ids: int) -> str:
    """A run whose outputs must be what octo-tf expects; null stays the module's default.

    ``ids``: how many external ids the roles accept.
    """
    values = {name: getattr(inputs, name) for name in GIVEN}
    variables = [f"    {name} = {json.dumps(v)}" for name, v in values.items() if v is not None]
    if ids == 2:
        variables.append('    accepted_external_ids = ["another-external-id"]')
    want = expected(inputs, "payer", targets=["r-abcd"], external_id_count=ids)
    roles = {role.role_name: role.inline_policies for role in want.api_access.feature_roles}
    assert want.stackset and want.cur
    conditions = {
        "output.api_access.inline_policies": want.api_access.inline_policies,
        "{ for r in output.api_access.feature_roles : r.role_name => r.inline_policies }": roles,
        "output.api_access.managed_policies": want.api_access.managed_policies,
        "{ for r in output.api_access.feature_roles : r.role_name => r.managed_policies }": {
            role.role_name: role.managed_policies for role in want.api_access.feature_roles
        },
        "{ for r in output.api_access.feature_roles : r.role_name => r.trust }": {
            role.role_name: role.trust for role in want.api_access.feature_roles
        },
        "output.cur.role.inline_policies": want.cur.role.inline_policies,
        "output.cur.additional_schema_elements": want.cur.additional_schema_elements,
        "output.stackset.template": want.stackset.template,
        "output.api_access.external_id_count": want.api_access.external_id_count,
    }
    asserts = [
        "  assert {\n"
        f"    condition     = jsonencode({actual}) == jsonencode(jsondecode({hcl(wanted)}))\n"
        f'    error_message = "{actual.split(" : ")[0]} is not what octo-tf expects."\n'
        "  }"
        for actual, wanted in conditions.items()
    ]
    return "\n".join(
        [
            f'run "choice_{number}" {{\n  command = plan\n  variables {{',
            *variables,
            "  }",
            *asserts,
            "}",
        ]
    )


def hcl(value: Any) -> str:
    """A text of JSON as an HCL string."""
    text = json.dumps(documents.text(value), ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{")


@pytest.fixture(scope="module")
def result(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("documents") / "octo"
    shutil.copytree(assets.MODULE, folder, ignore=shutil.ignore_patterns("tests"))
    second = MOCK.replace(
        'mock_provider "aws" {', 'mock_provider "aws" {\n  alias = "cur_bucket"', 1
    )
    always = (
        'variables {\n  account_id = "111122223333"\n  account_type = "payer"\n'
        '  external_id = "octo-external-id"\n  use_stackset = true\n'
        '  stackset_targets = ["r-abcd"]\n}\n'
    )
    runs = [
        run(number, inputs, 2 if choice == "two external ids" else 1)
        for number, (choice, inputs) in enumerate(CHOICES.items())
    ]
    (folder / "same.tftest.hcl").write_text("\n".join([MOCK, second, always, *runs]))
    cli = TerraformCli(folder, folder / ".terraform")
    cli.init()
    answer = cli("test", "-no-color", "-test-directory=.")
    return answer.stdout + answer.stderr


@pytest.mark.parametrize("choice", CHOICES)
def test_terraform_and_octo_tf_make_the_same_documents(result: str, choice: str):
    number = list(CHOICES).index(choice)
    assert f'run "choice_{number}"... pass' in result, result[-4000:]


def test_the_template_of_linked_accounts_is_within_cloudformations_limit():
    assert len(templates.linked_template(EVERYTHING).encode()) < 51_200
