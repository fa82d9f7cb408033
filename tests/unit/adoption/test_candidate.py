"""What is looked for in the state of a folder whose files do not say where the module is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.adoption import candidate
from orchestrator.adoption.candidate import Folder
from orchestrator.adoption.foreign_module import NoModule

ACCOUNT = "111122223333"
ROLE = {
    "mode": "managed",
    "type": "aws_iam_role",
    "name": "r",
    "module": "module.former",
    "instances": [
        {
            "attributes": {
                "name": "AlphausAcctAccessRole",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/AlphausAcctAccessRole",
            }
        }
    ],
}


class Seen(Exception):
    """Ends the reading once the state is known."""


@pytest.fixture
def released(tmp_path, monkeypatch):
    """Read a folder whose state has these resources; give the addresses that are released."""
    states: list[Any] = []

    class Terraform:
        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            pass

        def pull(self) -> str:
            return json.dumps({"resources": states})

    def account_of(_known: Any, state: Any, _config: Any) -> str:
        raise Seen(state.addresses)

    monkeypatch.setattr(candidate, "Terraform", Terraform)
    monkeypatch.setattr(candidate.binary, "find", lambda *_: type("Found", (), {"product": ""}))
    monkeypatch.setattr(candidate, "_account_id", account_of)

    def read(
        *resources: dict[str, Any], block: str = "", config: str | None = None, **flags: Any
    ) -> tuple[str, ...]:
        states[:] = resources
        (tmp_path / "main.tf").write_text("terraform {\n}\n" + block)
        file = tmp_path / "octo.yaml"
        if config is not None:
            file.write_text(config)
        with pytest.raises(Seen) as seen:
            candidate.read_candidate(
                file,
                {"account_id": ACCOUNT, **flags},
                Folder(tmp_path, {}),
                {},
                names_in_state=lambda _: frozenset(),
            )
        return tuple(seen.value.args[0])

    return read


def held(kind: str, module: str = "module.former", **attributes: str) -> dict[str, Any]:
    found = {
        "mode": "managed",
        "type": kind,
        "name": "x",
        "instances": [{"attributes": attributes}],
    }
    return found | ({"module": module} if module else {})


REPORT = held("aws_cur_report_definition", report_name="curreport")
BUCKET = held("aws_s3_bucket", "", bucket="acme-data")
BLOCK = """
module "octo" {
  source               = "alphauslabs/octo/aws"
  external_id          = "x"
  cur_s3_bucket_name   = "acme-data"
  cur_s3_bucket_option = "USE_EXISTING"
}
"""


@pytest.mark.parametrize("block", ['module "octo" {\n  source = "alphauslabs/octo/aws"\n}', ""])
def test_what_has_the_modules_own_names_is_released(released, block):
    bucket = held("aws_s3_bucket", bucket="alphaus-cur-export")
    policy = held("aws_s3_bucket_policy", bucket=f"alphaus-cur-export-{ACCOUNT}")
    stack_set = held("aws_cloudformation_stack_set", name="alphaus-api-access-stackset")
    assert released(ROLE, REPORT, bucket, policy, stack_set, block=block) == (
        "module.former.aws_cloudformation_stack_set.x",
        "module.former.aws_cur_report_definition.x",
        "module.former.aws_iam_role.r",
        "module.former.aws_s3_bucket.x",
        "module.former.aws_s3_bucket_policy.x",
    )


@pytest.mark.parametrize(
    "given",
    [
        {"block": BLOCK},
        {"cur_s3_bucket_name": "acme-data", "cur_s3_bucket_option": "USE_EXISTING"},
        {"config": "cur_report_option: USE_EXISTING\ncur_s3_bucket_name: acme-data\n"},
    ],
)
def test_a_bucket_that_octo_only_reads_stays_in_the_state(released, given):
    in_root = {name: value for name, value in ROLE.items() if name != "module"}
    assert released(in_root, BUCKET, **given) == ("aws_iam_role.r",)


def test_a_folder_without_octos_roles_is_no_folder_of_the_module(released):
    with pytest.raises(NoModule):
        released(BUCKET, cur_s3_bucket_name="acme-data")
