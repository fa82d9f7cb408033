"""What the state says of resources, without a start of Terraform."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform.binary import Binary
from orchestrator.terraform.client import Terraform
from orchestrator.terraform.state import StateResource

SET = "aws_cloudformation_stack_set"
TARGET = "aws_cloudformation_stack_set_instance"
ARN = "arn:aws:cloudformation:eu-central-1:111111111111:stackset/name:id"


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """A Terraform that cannot be started: whoever tries is found out."""
    return Terraform(Binary(("no-such-program",), "terraform", (1, 11, 4)), tmp_path, environ={})


def written(terraform: Terraform, resources: list[dict[str, Any]]) -> None:
    text = json.dumps({"version": 4, "resources": resources})
    (terraform.folder / "terraform.tfstate").write_text(text)


def resource(kind: str, name: str, *instances: dict[str, Any]) -> dict[str, Any]:
    return {"module": "module.octo", "type": kind, "name": name, "instances": list(instances)}


def test_resources_of_the_types_that_are_asked_for(terraform):
    written(
        terraform,
        [
            resource("aws_iam_role", "api_access", {"attributes": {"arn": "arn:of:a:role"}}),
            resource(SET, "api_access", {"index_key": 0, "attributes": {"arn": ARN}}),
            resource(TARGET, "api_access", {"index_key": "r-1", "status": "tainted"}),
        ],
    )
    assert terraform.resources(SET, TARGET) == [
        StateResource(SET, f"module.octo.{SET}.api_access[0]", "0", False, ARN),
        StateResource(TARGET, f'module.octo.{TARGET}.api_access["r-1"]', "r-1", True, ""),
    ]
    assert terraform.resources("aws_s3_bucket") == []


def test_no_file_is_no_state_where_no_backend_is_asked(terraform):
    assert terraform.resources(SET, here_only=True) == []


def test_a_damaged_state_is_left_for_terraform_to_name(terraform):
    written(terraform, [resource(SET, "api_access", {"attributes": {"arn": ARN}})])
    file = terraform.folder / "terraform.tfstate"
    file.write_bytes(file.read_bytes()[:-20] + b"\xff")
    assert terraform.resources(SET) == []


def test_the_resources_of_an_encrypted_state_are_read_with_opentofu(terraform, monkeypatch):
    held = json.dumps({"resources": [resource(SET, "s", {"attributes": {"arn": ARN}})]})
    monkeypatch.setattr(type(terraform), "pull", lambda _: held)
    secret = '{"serial": 1, "lineage": "l", "encrypted_data": "nQ==", "encryption_version": "v0"}'
    (terraform.folder / "terraform.tfstate").write_text(secret)
    assert terraform.resources(SET) == []  # before init, OpenTofu cannot read it
    (terraform.folder / ".terraform").mkdir()
    assert [found.arn for found in terraform.resources(SET, here_only=True)] == [ARN]


ANY = Constraint.parse(">= 5")
CHANGES: dict[str, Callable[[Terraform], object]] = {
    "apply": lambda terraform: terraform.apply_plan(Path("plan")),
    "forget": lambda terraform: terraform.forget("aws_iam_role.r"),
    "untaint": lambda terraform: terraform.untaint("aws_iam_role.r"),
    "push": lambda terraform: terraform.push("errored.tfstate"),
    "set aside": lambda terraform: terraform.set_aside("errored.tfstate"),
    "another backend": lambda terraform: terraform.init(provider_version=ANY),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_state_is_read_once_until_something_changes_it(terraform, monkeypatch, change):
    serials = iter(range(1, 9))
    monkeypatch.setattr(
        type(terraform), "pull", lambda _: f'{{"lineage": "l", "serial": {next(serials)}}}'
    )
    monkeypatch.setattr(type(terraform), "_run", lambda *_, **__: (0, [], []))
    missing = SimpleNamespace(is_current=bool, clear_if_damaged=list, record=list)
    monkeypatch.setattr(type(terraform), "_installation", lambda *_: missing)
    (terraform.folder / "errored.tfstate").touch()
    assert [terraform.state_version().serial for _ in range(2)] == [1, 1]
    CHANGES[change](terraform)
    assert [terraform.state_version().serial for _ in range(2)] == [2, 2]
