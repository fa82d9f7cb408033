"""The pipelines in examples/: linted, and their very commands run against the sandbox."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from orchestrator import cli

EXAMPLES = Path(__file__).parents[2] / "examples"
GITHUB = EXAMPLES / "github-actions/octo-tf.yml"
GITLAB = EXAMPLES / "gitlab-ci/.gitlab-ci.yml"
ATLANTIS = EXAMPLES / "atlantis/atlantis.yaml"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


@pytest.fixture
def runner(sandbox, tmp_path):
    """Runs a pipeline's shell lines in a project, as a CI system does: no terminal, ``set -e``."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    octo_tf = bin_folder / "octo-tf"
    octo_tf.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestrator "$@"\n')
    # What reaches out of the sandbox only says how it was called.
    for name in ("pip", "pipx", "apk", "gh"):
        (bin_folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/called"\n')
    for program in bin_folder.iterdir():
        program.chmod(0o755)

    def run(project, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", line],
            cwd=project.folder,
            env={
                **project.environ,
                "PATH": f"{bin_folder}:{os.environ['PATH']}",
                "PLAN_KEY": "a long random text",
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
                "PULL_REQUEST": "7",
                **environ,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def all_pass(runner, project, lines: Iterator[str] | list[str], **environ: str) -> None:
    for line in lines:
        result = runner(project, line, **environ)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
        assert "\x1b[" not in result.stdout + result.stderr  # no colors, no spinner


def new_machine(project) -> None:
    """What a job has that the one before it had not uploaded: nothing."""
    shutil.rmtree(project.root)
    (project.folder / "tfplan").unlink()


@pytest.fixture
def bucket(sandbox) -> str:
    sandbox.client("payer", "s3").create_bucket(Bucket="pipeline-states")
    return "pipeline-states"


def project_of(sandbox, bucket: str, profile: str):
    """A registration whose state is in a bucket of the payer, as a team has it."""
    settings = sandbox.existing_bucket(profile, f"billing-of-{profile}")
    project = sandbox.project(
        profile, f"pipeline {profile}", **settings, cur_s3_bucket_merge_policy=True
    )
    place = {"bucket": bucket, "key": f"{profile}.tfstate", "region": "us-east-1"}
    project.settings(backend={"type": "s3", **place, "profile": "payer"})
    return project


def github(job: str) -> list[str]:
    steps = YAML(typ="safe").load(GITHUB)["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step]


def gitlab(job: str) -> list[str]:
    document = YAML(typ="safe").load(GITLAB)
    return [*document["default"]["before_script"], *document[job]["script"]]


def test_github_s_plan_apply_and_verify(sandbox, bucket, runner, tmp_path):
    project = project_of(sandbox, bucket, "payer")
    all_pass(runner, project, github("plan"))
    assert json.loads((project.folder / "plan.json").read_text())["totals"]["add"] >= 10
    assert "Guard:** allowed" in (tmp_path / "summary.md").read_text()
    assert "gh pr comment 7 --body-file plan.md" in (tmp_path / "called").read_text()
    new_machine(project)
    all_pass(runner, project, github("apply"))
    new_machine(project)
    all_pass(runner, project, github("verify"))
    suites = ElementTree.parse(project.folder / "verify.xml").getroot()
    assert sum(int(suite.get("failures")) for suite in suites) == 0
    assert json.loads((project.folder / "verify.json").read_text())["can_finish"] is True

    # A plan that the guard refuses fails the job, and the comment says why.
    project.settings(cur_report_name="another")
    result = runner(project, github("plan")[1])
    assert result.returncode == 5, result.stderr
    assert "Guard:** refused" in (project.folder / "plan.md").read_text()
    assert not (project.folder / "tfplan").exists()


def test_gitlab_s_plan_apply_and_verify(sandbox, bucket, runner):
    project = project_of(sandbox, bucket, "standalone")
    given = {"CI_PROJECT_DIR": str(project.folder / "build"), "AWS_TOKEN": "token"}
    all_pass(runner, project, gitlab("plan"), **given)
    assert (project.folder / "build.token").stat().st_mode & 0o077 == 0
    new_machine(project)
    all_pass(runner, project, gitlab("apply"), **given)
    new_machine(project)
    all_pass(runner, project, gitlab("verify"), **given)
    assert ElementTree.parse(project.folder / "verify.xml").getroot().find("testsuite") is not None


def test_atlantis_plans_and_applies_one_plan(sandbox, runner):
    project = sandbox.project("linked-1", "atlantis")
    stages = YAML(typ="safe").load(ATLANTIS)["workflows"]["octo-tf"]
    planfile = str(project.folder / "payer-default.tfplan")
    for stage in ("plan", "apply"):
        lines = [step["run"] for step in stages[stage]["steps"]]
        all_pass(runner, project, lines, PLANFILE=planfile)
    assert project.verify()[0] == 0


def test_actionlint_finds_nothing(tmp_path):
    program = shutil.which("actionlint")
    if program is None:
        if shutil.which("go") is None:
            pytest.skip("neither actionlint nor go is on this machine")
        subprocess.run(
            ["go", "install", ACTIONLINT],
            env={**os.environ, "GOBIN": str(tmp_path), "GOFLAGS": "-modcacherw"},
            check=True,
            capture_output=True,
        )
        program = str(tmp_path / "actionlint")
    result = subprocess.run(
        [program, "-no-color", str(GITHUB)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_pipeline_uses_options_that_octo_tf_has():
    for path in (GITHUB, GITLAB, ATLANTIS):
        called = re.findall(r"octo-tf (\w+)((?: --[\w-]+(?: [^-\s]\S*)?)*)", path.read_text())
        assert called
        for name, options in called:
            command = cli.group.get_command(None, name)
            assert command is not None, name
            known = {flag for parameter in command.params for flag in parameter.opts}
            assert set(re.findall(r"--[\w-]+", options)) <= known
