"""The resources of the module are removed from another state, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adoption import foreign_state
from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.errors import EngineError

ROLE = "AlphausAcctAccessRole"
ARN = f"arn:aws:iam::111122223333:role/{ROLE}"


def resource(
    kind: str, label: str, module: str = "", *, mode: str = "managed", **attributes: Any
) -> dict[str, Any]:
    found = {"mode": mode, "type": kind, "name": label, "instances": [{"attributes": attributes}]}
    return found | ({"module": module} if module else {})


class Folder:
    """Stands for Terraform in somebody's folder: only its state is asked for."""

    def __init__(self, *resources: dict[str, Any]) -> None:
        self.text = json.dumps({"resources": list(resources)}) if resources else ""

    def pull(self) -> str:
        return self.text


def held(address: str, *resources: dict[str, Any]) -> foreign_state.ForeignState:
    theirs = ForeignModule(Path("their folder"), address, "main.tf:1", {})
    return foreign_state.read_state(Folder(*resources), theirs, {ROLE, "bucket"})  # type: ignore[arg-type]


def test_of_a_child_everything_under_its_address():
    found = held(
        "module.octo",
        resource("aws_iam_role", "r", "module.octo", name=ROLE, arn=ARN),
        resource("aws_x", "y", "module.octo.module.inner"),
        resource("aws_x", "y", "module.octo[0]"),
        resource("aws_caller_identity", "me", "module.octo", mode="data"),
        resource("aws_x", "y", "module.octopus"),
        resource("aws_iam_role", "own", name="theirs"),
    )
    assert found.addresses == (
        "module.octo.aws_iam_role.r",
        "module.octo.data.aws_caller_identity.me",
        "module.octo.module.inner.aws_x.y",
        "module.octo[0].aws_x.y",
    )
    assert found.others == 2
    assert found.accounts == {"111122223333"}


def test_of_a_root_what_adoption_is_about():
    found = held(
        "",
        resource("aws_iam_role", "r", name=ROLE),
        resource("aws_iam_role_policy", "p", role=ROLE, name="x"),
        resource("aws_s3_bucket", "b", bucket="bucket"),
        resource("aws_s3_bucket", "own", bucket="another"),
        resource("aws_s3_bucket", "d", mode="data", bucket="bucket"),
    )
    assert found.addresses == ("aws_iam_role.r", "aws_iam_role_policy.p", "aws_s3_bucket.b")
    assert found.others == 1


def test_the_command_can_be_pasted_into_a_shell():
    indexed = resource("aws_x", "y", "module.octo")
    indexed["instances"][0]["index_key"] = "a b"
    assert held("module.octo", indexed).commands == [
        "terraform state rm 'module.octo.aws_x.y[\"a b\"]'"
    ]


def test_no_state_holds_nothing():
    assert held("module.octo") == foreign_state.ForeignState()


def test_a_state_that_cannot_be_read_says_what_to_do():
    class Uninitialized:
        def pull(self) -> str:
            raise EngineError("the state cannot be read: Backend initialization required")

    theirs = ForeignModule(Path("their folder"), "module.octo", "main.tf:1", {})
    with pytest.raises(EngineError) as caught:
        foreign_state.read_state(Uninitialized(), theirs, set())  # type: ignore[arg-type]
    assert "terraform init" in caught.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", '{"resources": [1]}', "null"])
def test_names_of_a_state_that_is_none_are_none(text):
    assert foreign_state.names_in(text) == frozenset()
