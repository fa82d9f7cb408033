"""A folder that is locked to another provider: the advice works when it is followed.

A mirror holds the real provider under two versions; the newer one is a name only.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orchestrator.terraform.provider_lock import NAME
from tests.e2e.conftest import Checkpoint, Project

NEWER = "5.101.0"


@pytest.fixture(scope="module")
def applied(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    project = sandbox.project("linked-1")
    result = project("apply", "--yes")
    assert result.returncode == 0, result.stderr
    (package,) = project.root.glob(".terraform/providers/*/hashicorp/aws/5.100.0/*")
    versions = project.folder / "mirror" / package.relative_to(package.parents[4]).parents[1]
    for version in ("5.100.0", NEWER):
        (versions / version).mkdir(parents=True)
        (versions / version / package.name).symlink_to(package.resolve())
    project.environ["OCTO_TF_PROVIDER_MIRROR"] = str(project.folder / "mirror")
    return sandbox.checkpoint()


@pytest.fixture
def project(sandbox, applied) -> Project:
    """An account that was applied with the default version."""
    return sandbox.restore(applied)["linked-1"]


def locked(project) -> str:
    return re.search(r'version += "(.*)"', (project.root / NAME).read_text())[1]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".terraform" not in path.parts and path.name != "run.lock"
    }


def refused(project, *arguments: str) -> str:
    """What a refused plan says; it leaves every file as it was."""
    before = files(project.root)
    result = project("plan", *arguments)
    assert result.returncode == 1, result.stderr
    assert files(project.root) == before
    return " ".join(result.stderr.split())


def passes(project, *arguments: str) -> None:
    result = project("plan", "--detailed-exitcode", *arguments)
    assert result.returncode == 0, result.stderr  # and the plan has no changes


def test_the_rendered_root_asks_for_the_default(project):
    assert '"5.100.0"' in (project.root / "main.tf").read_text()
    assert locked(project) == "5.100.0"


def test_a_folder_locked_to_an_older_provider_moves_on_without_its_lock_file(project):
    words = refused(project, "--provider-version", NEWER)
    assert f"{NAME}:5: the folder is locked to hashicorp/aws 5.100.0" in words
    assert f"Delete {NAME} and run the same command again" in words
    (project.root / NAME).unlink()
    passes(project, "--provider-version", NEWER)
    assert locked(project) == NEWER


@pytest.fixture
def newer(project):
    """The folder, locked to a newer provider than the default."""
    (project.root / NAME).unlink()
    passes(project, "--provider-version", NEWER)
    words = refused(project)
    assert f"is locked to hashicorp/aws {NEWER}, and this run asks for 5.100.0" in words
    assert f"set provider_version: '{NEWER}' in octo.yaml" in words
    return project


def test_a_folder_locked_to_a_newer_provider_goes_on_with_the_setting(newer):
    with (newer.folder / "octo.yaml").open("a") as file:
        file.write(f"provider_version: '{NEWER}'\n")
    passes(newer)
    assert locked(newer) == NEWER


def test_a_folder_locked_to_a_newer_provider_goes_on_with_the_flags_variable(newer):
    newer.environ["OCTO_TF_PROVIDER_VERSION"] = f">= 5.100.0, <= {NEWER}"
    passes(newer)
    assert locked(newer) == NEWER


def test_a_folder_locked_to_a_newer_provider_goes_back_without_its_lock_file(newer):
    (newer.root / NAME).unlink()
    passes(newer)
    assert locked(newer) == "5.100.0"


def test_a_state_that_a_newer_provider_wrote_may_be_unreadable_for_an_older_one(project):
    """Why the advice is not to delete the lock file where something was applied."""
    path = project.root / "terraform.tfstate"
    state = json.loads(path.read_text())
    for resource in state["resources"]:
        for instance in resource["instances"]:
            instance["schema_version"] += 10
    path.write_text(json.dumps(state))
    result = project("plan")
    assert result.returncode == 1
    assert "newer provider version" in " ".join(result.stderr.split())


def test_a_saved_plan_is_refused_where_another_version_is_asked_for(project):
    (project.root / NAME).unlink()
    result = project("plan", "--provider-version", NEWER, "--tag", "a=b", "--out", "saved.tfplan")
    assert result.returncode == 0, result.stderr
    given = ("--provider-version", f">= {NEWER}", "--tag", "a=b")
    result = project("apply", "--plan", "saved.tfplan", *given)
    assert result.returncode == 5, result.stderr
    assert "main.tf: differs in the plan" in result.stderr


def test_the_doctor_names_the_version_and_a_lock_file_that_has_another(project):
    def line() -> dict[str, str]:
        lines = json.loads(project("doctor", "--json").stdout)["checks"]
        return next(line for line in lines if line["id"] == "provider")

    mirror = project.environ["OCTO_TF_PROVIDER_MIRROR"]
    assert line()["summary"] == f"The AWS provider (5.100.0) comes from {mirror}."
    project.environ["OCTO_TF_PROVIDER_VERSION"] = "~> 6.0"
    assert line()["status"] == "problem"
    assert "is locked to hashicorp/aws 5.100.0" in line()["summary"]
    (project.root / NAME).unlink()
    assert f"holds no hashicorp/aws ~> 6.0, only 5.100.0, {NEWER}" in line()["summary"]
