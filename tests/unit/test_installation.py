"""init is skipped only while what it installed is as it left it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.terraform.installation import Installation

PROVIDER = ".terraform/providers/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "terraform-provider-aws").write_text("program")
    return folder


@pytest.fixture
def root(tmp_path: Path, mirror: Path) -> Path:
    """A root folder as init leaves it, with its provider linked to a mirror."""
    folder = tmp_path / "root"
    (folder / ".terraform/modules").mkdir(parents=True)
    (folder / ".terraform/modules/modules.json").write_text("{}")
    (folder / ".terraform/terraform.tfstate").write_text("{}")
    (folder / ".terraform/environment").write_text("team")
    (folder / PROVIDER).parent.mkdir(parents=True)
    (folder / PROVIDER).symlink_to(mirror)
    (folder / "main.tf").write_text("terraform {}")
    made(folder).record()
    return folder


def made(folder: Path, tool: str = "terraform 1.11.4") -> Installation:
    return Installation(folder, tool)


def test_what_is_as_init_left_it_is_current(root):
    assert made(root).is_current()


def test_a_copy_of_the_folder_is_current(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy", symlinks=True)
    assert made(copy).is_current()


def test_import_blocks_do_not_count(root):
    (root / "imports.tf").write_text("import {}")
    assert made(root).is_current()


DAMAGE = {
    "provider cut short": lambda root, mirror: (mirror / "terraform-provider-aws").write_text("p"),
    "provider removed": lambda root, mirror: (mirror / "terraform-provider-aws").unlink(),
    "mirror removed": lambda root, mirror: shutil.rmtree(mirror),
    "providers removed": lambda root, mirror: shutil.rmtree(root / ".terraform/providers"),
    "modules.json damaged": lambda root, mirror: (
        root / ".terraform/modules/modules.json"
    ).write_text("{"),
    "backend damaged": lambda root, mirror: (root / ".terraform/terraform.tfstate").write_text(""),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_removed_before_init_runs(root, mirror, damage):
    damage(root, mirror)
    assert not made(root).is_current()
    made(root).clear_if_damaged()
    assert not (root / ".terraform/providers").exists()
    assert not (root / ".terraform/modules/modules.json").exists()
    assert (root / ".terraform/environment").read_text() == "team"  # it says where the state is


@pytest.mark.parametrize("cut", ["", "{", "[]"])
def test_what_an_init_that_was_killed_left_is_removed(root, cut):
    (root / ".terraform/octo-tf-init.json").write_text(cut)
    assert not made(root).is_current()
    made(root).clear_if_damaged()
    assert not (root / ".terraform/providers").exists()


def test_other_files_or_another_program_keep_what_is_installed(root):
    (root / "main.tf").write_text("terraform { }")
    for installation in (made(root), made(root, "tofu 1.10.0")):
        assert not installation.is_current()
        installation.clear_if_damaged()
    assert (root / PROVIDER).is_symlink()


def test_what_an_older_version_recorded_is_kept_and_initialized_again(root):
    (root / ".terraform/octo-tf-init.json").write_text('{"init": "x"}')
    assert not made(root).is_current()
    made(root).clear_if_damaged()
    assert (root / PROVIDER).is_symlink()


def test_after_terraform_found_damage_everything_is_installed_again(root):
    made(root).forget()
    assert not made(root).is_current()
    made(root).clear_if_damaged()
    assert not (root / ".terraform/providers").exists()


def test_a_folder_without_a_record_gets_none(tmp_path):
    made(tmp_path).forget()
    assert not (tmp_path / ".terraform").exists()
