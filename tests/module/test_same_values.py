"""The module accepts and refuses the values of the shared table; so does the model, elsewhere.

Validations need no provider: the module's variables are tested alone, in one Terraform process.
"""

from __future__ import annotations

import json
import re
import shutil

from orchestrator import assets
from tests.module.conftest import TerraformCli
from tests.values import COMBINATIONS, VALUES, cases


def _run(number: int, given: dict, refused: tuple[str, ...]) -> str:
    lines = [f"    {name} = {_hcl(value)}" for name, value in given.items()]
    expected = ", ".join(f"var.{name}" for name in refused)
    return "\n".join(
        [
            f'run "case_{number}" {{',
            "  command = plan",
            "  variables {",
            *lines,
            "  }",
            *([f"  expect_failures = [{expected}]"] if refused else []),
            "}",
        ]
    )


def _hcl(value: object) -> str:
    """Write a value as an HCL expression: JSON is one, but for templates."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{")


def test_the_module_accepts_and_refuses_the_values_of_the_table(tmp_path):
    shutil.copy(assets.MODULE / "variables.tf", tmp_path)
    runs = [_run(n, given, refused) for n, (given, refused) in enumerate(cases())]
    always = 'variables {\n  account_id = "111122223333"\n  external_id = "octo-external-id"\n}\n'
    (tmp_path / "values.tftest.hcl").write_text("\n".join([always, *runs]), encoding="utf-8")
    terraform = TerraformCli(tmp_path, tmp_path / ".terraform")
    terraform.init()
    result = terraform("test", "-no-color", "-test-directory=.")
    shown = {f"case_{n}": case for n, case in enumerate(cases())}
    failed = re.findall(r'run "(case_\d+)"\.\.\. fail', result.stdout)
    assert [shown[name] for name in failed] == [], result.stdout[-3000:]
    assert f"{len(runs)} passed, 0 failed" in result.stdout, result.stdout + result.stderr


def test_every_validated_input_has_a_wrong_value_in_the_table():
    text = (assets.MODULE / "variables.tf").read_text()
    blocks = re.findall(r'^variable "(\w+)" \{(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    validated = {name for name, body in blocks if "validation {" in body}
    wrong = {name for name, (_, bad) in VALUES.items() if bad}
    # The model's own is external_id_rotation, in octo.yaml (tests/unit/app/test_rotate.py).
    assert validated - {"accepted_external_ids"} == wrong | {n for _, n in COMBINATIONS if n}
