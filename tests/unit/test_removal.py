"""How resources are removed from AWS depends on what the account has."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.model.registration import Registration
from orchestrator.terraform.removal import instructions

FOLDER = Path("/work dir/111122223333")


def lines_for(account_type: str, **settings: object) -> list[str]:
    registration = Registration.model_validate(
        {"account_id": "111122223333", "external_id": "an-id", **settings}
    )
    return instructions(registration, account_type, FOLDER, program="tofu")


def test_a_linked_account_has_nothing_that_is_protected():
    assert lines_for("linked") == [
        "  octo-tf plan",
        "  tofu -chdir='/work dir/111122223333' destroy",
    ]


@pytest.mark.parametrize("account_type", ["payer", "standalone", ""])
def test_report_and_new_bucket_are_named_and_a_full_bucket_is_explained(account_type):
    plan, destroy, bucket = lines_for(account_type)
    assert "'module.octo.aws_cur_report_definition.cur[0]'" in plan
    assert "'module.octo.aws_s3_bucket.cur[0]'" in plan
    assert destroy.endswith(" destroy")
    assert "empty it" in bucket


def test_an_existing_bucket_keeps_its_merged_policy():
    plan, keep, destroy = lines_for(
        "payer",
        cur_s3_bucket_option="USE_EXISTING",
        cur_s3_bucket_name="theirs",
        cur_s3_bucket_merge_policy=True,
    )
    assert "aws_s3_bucket.cur" not in plan
    assert keep.endswith("state rm 'module.octo.aws_s3_bucket_policy.merged[0]'")
    assert destroy.endswith(" destroy")


@pytest.mark.parametrize(("retain", "said"), [(None, 1), (True, 1), (False, 0)])
def test_roles_that_stay_in_linked_accounts_are_said_to_stay(retain, said):
    lines = lines_for("payer", use_stackset=True, stackset_retain_stacks=retain)
    assert sum("Linked accounts keep the role" in line for line in lines) == said
