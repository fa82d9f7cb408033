"""A root folder that is locked to another provider: which one, where, and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import EngineError
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import provider_lock

AWS = "registry.terraform.io/hashicorp/aws"
LOCK = """# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/archive" {
  version     = "2.0.0"
  constraints = "2.0.0"
  hashes = [
    "h1:a",
  ]
}

provider "%s" {
  version     = "%s"
  constraints = ">= 5.100.0, < 7.0.0"
  hashes = [
    "h1:b",
    "zh:c",
  ]
}
"""


def check(folder: Path, wanted: str, text: str) -> None:
    (folder / provider_lock.NAME).write_text(text)
    provider_lock.check(folder, AWS, Constraint.parse(wanted))


def refusal(folder: Path, wanted: str, locked: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        check(folder, wanted, LOCK % (AWS, locked))
    return caught.value


@pytest.mark.parametrize(
    ("wanted", "locked"), [("5.100.0", "5.100.0"), ("~> 6.0", "6.3.0"), (">= 5.100.0", "6.0.0")]
)
def test_a_folder_locked_to_what_is_asked_for_passes(tmp_path, wanted, locked):
    check(tmp_path, wanted, LOCK % (AWS, locked))


@pytest.mark.parametrize(
    "text",
    [
        "",
        LOCK % ("registry.opentofu.org/hashicorp/aws", "6.3.0"),  # another program's entry
        'provider "registry.terraform.io/hashicorp/aws" {\n}\n',
        f'provider "{AWS}" {{\n}}\nprovider "a" {{\n  version = "6.3.0"\n}}\n',
        LOCK % (AWS, "six"),
        "provider {",
    ],
)
def test_a_folder_that_is_locked_to_no_version_is_left_to_terraform(tmp_path, text):
    check(tmp_path, "5.100.0", text)


def test_a_folder_without_a_lock_file_passes(tmp_path):
    provider_lock.check(tmp_path / "none", AWS, Constraint.parse("5.100.0"))


def test_the_refusal_names_the_line_and_both_versions(tmp_path):
    error = refusal(tmp_path, "5.100.0", "6.3.0")
    assert error.where == f"{tmp_path / '.terraform.lock.hcl'}:13"
    assert "is locked to hashicorp/aws 6.3.0, and this run asks for 5.100.0" in error.what


@pytest.mark.parametrize(
    ("wanted", "locked", "way_out"),
    [
        (
            "5.100.0",
            "6.3.0",
            "If 6.3.0 has applied anything here, set provider_version: '6.3.0' in octo.yaml (or"
            " --provider-version 6.3.0): an older provider may be unable to read the state. If it"
            " has not, delete .terraform.lock.hcl and run the same command again: init then takes"
            " 5.100.0.",
        ),
        (
            "~> 6.0",
            "5.100.0",
            "Delete .terraform.lock.hcl and run the same command again: init then takes ~> 6.0,"
            " which reads what an older provider wrote to the state. To go on with 5.100.0, set"
            " provider_version: '5.100.0' in octo.yaml (or --provider-version 5.100.0).",
        ),
        (
            "5.100.0",
            "5.99.0",
            "Delete .terraform.lock.hcl and run the same command again: init then takes 5.100.0,"
            " which reads what an older provider wrote to the state.",
        ),
        (
            "5.100.0",
            "7.1.0",
            "If 7.1.0 has applied anything here, use the release of octo-tf that did it: this one's"
            " module needs >= 5.100.0, < 7.0.0. If it has not, delete .terraform.lock.hcl and run"
            " the same command again: init then takes 5.100.0.",
        ),
    ],
)
def test_the_way_out_depends_on_which_version_is_newer(tmp_path, wanted, locked, way_out):
    assert refusal(tmp_path, wanted, locked).hint == way_out


@pytest.mark.parametrize(
    ("locked", "said"),
    [
        ("6.21.0", None),
        ("6.22.0", "6.22.0"),
        ("6.39.1", "6.39.1"),
        ("6.40.0", None),
        ("5.100.0", None),
    ],
)
def test_versions_whose_plans_are_never_empty_are_known(tmp_path, locked, said):
    (tmp_path / provider_lock.NAME).write_text(LOCK % (AWS, locked))
    found = provider_lock.version_with_endless_changes(tmp_path, AWS)
    assert (str(found) if found else None) == said
