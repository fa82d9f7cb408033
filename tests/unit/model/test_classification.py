"""What an action of AWS does, by the table of access levels."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.model.policy.classification import Access, access, data_reads, expand, source
from orchestrator.model.policy.document import matches


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:ListAllMyBuckets", Access.LIST),
        ("ce:GetCostAndUsage", Access.READ),
        ("S3:getobject", Access.DATA),
        ("lambda:GetFunctionConfiguration", Access.DATA),
        ("ec2:CreateTags", Access.TAG),
        ("s3:PutObject", Access.WRITE),
        ("kms:Decrypt", Access.WRITE),
        ("iam:PutRolePolicy", Access.PERMISSIONS),
        ("iam:PassRole", Access.PASSROLE),
        ("octo:Invented", Access.UNKNOWN),
    ],
)
def test_an_action_is_classified_whatever_its_case(action, expected):
    assert access(action) is expected


def test_an_action_that_is_not_known_counts_as_one_that_changes_something():
    assert Access.UNKNOWN.changes
    assert not Access.DATA.changes


@pytest.mark.parametrize("pattern", data_reads())
def test_every_action_of_the_list_of_data_reads_is_known_as_a_read(pattern):
    assert {access(action) for action in expand(pattern)} == {Access.DATA}


def test_a_pattern_means_the_actions_that_iam_matches():
    found = expand("s3:Get*")
    assert "s3:GetObject" in found
    assert all(matches(action, "s3:Get*") for action in found)
    assert list(found) == sorted(found, key=str.lower)
    assert len(expand("*")) > 20_000
    assert set(expand("s3*:GetObject")) >= {"s3:GetObject", "s3-object-lambda:GetObject"}
    assert expand("octo:Invented") == ("octo:Invented",)
    assert expand("octo:*") == ()


def test_the_table_says_which_release_it_is_of():
    assert source().keys() == {"package", "version", "date"}


def test_a_command_that_compares_nothing_does_not_read_the_table():
    code = (
        "import orchestrator.model.policy, orchestrator.cli;"
        "from orchestrator.model.policy import classification;"
        "print(classification._actions.cache_info().currsize)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "0"
