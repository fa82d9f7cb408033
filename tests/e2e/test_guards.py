"""Three guards against the wrong account, each alone: with the other two taken out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator import assets, cli
from orchestrator.terraform import binary
from tests.e2e.conftest import Checkpoint, Project

PROVIDER = re.compile(r"^ *allowed_account_ids .*\n", re.MULTILINE)
MODULE = re.compile(r"^  lifecycle \{\n    postcondition \{.*?\n    \}\n  \}\n", re.M | re.S)


@pytest.fixture(scope="module")
def rendered(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    assert sandbox.project("linked-1")("render").returncode == 0
    return sandbox.checkpoint()


@pytest.fixture
def project(sandbox, rendered) -> Project:
    return sandbox.restore(rendered)["linked-1"]


def without(folder: Path, file: str, guard: re.Pattern[str]) -> None:
    path = folder / file
    text, count = guard.subn("", path.read_text())
    assert count, f"{file} has no such guard"
    path.write_text(text)


def plan(project, folder: Path, profile: str) -> subprocess.CompletedProcess[str]:
    """Bare Terraform in a rendered root, with a profile's credentials."""
    program, mirror, environ = binary.current()
    main = folder / "main.tf"
    main.write_text(main.read_text().replace("var.profile", f'"{profile}"'))
    environ = {**environ, **binary.clean_environment(project.environ)}
    init = [*program.command, "init", "-input=false"]
    init += [f"-plugin-dir={mirror}"] if mirror else []
    subprocess.run(init, cwd=folder, env=environ, check=True, capture_output=True)
    return subprocess.run(
        [*program.command, "plan", "-input=false", "-no-color"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def copy(project, tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns(".terraform", "run.lock")
    return Path(shutil.copytree(project.root, tmp_path / "root", ignore=ignored))


def test_the_provider_alone_refuses(sandbox, project, tmp_path):
    root = copy(project, tmp_path)
    without(root, "modules/octo/account.tf", MODULE)
    result = plan(project, root, "linked-2")
    assert result.returncode == 1
    assert f"AWS account ID not allowed: {sandbox.account('linked-2')}" in result.stderr


def test_the_module_alone_refuses(sandbox, project, tmp_path):
    root = copy(project, tmp_path)
    without(root, "main.tf", PROVIDER)
    result = plan(project, root, "linked-2")
    assert result.returncode == 1
    words = " ".join(result.stderr.replace("│", " ").split())
    assert f"The credentials are those of account {sandbox.account('linked-2')}" in words


@pytest.fixture
def unguarded(project, tmp_path, monkeypatch) -> Path:
    """octo-tf in this process, with a module and templates that have no guard."""
    for place in ("TEMPLATES", "MODULE"):
        shutil.copytree(getattr(assets, place), tmp_path / place)
        monkeypatch.setattr(assets, place, tmp_path / place)
    without(tmp_path, "TEMPLATES/root/main.tf.j2", PROVIDER)
    without(tmp_path, "MODULE/account.tf", MODULE)
    for name, value in project.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("orchestrator.terraform.render.read_back", lambda _root: None)
    shutil.copy(project.folder / "octo.yaml", tmp_path)
    shutil.copy(project.folder / "octo.external-id", tmp_path)
    return tmp_path


def test_octo_tf_alone_refuses_and_writes_nothing(sandbox, unguarded, capsys):
    arguments = ["apply", "--yes", "-c", str(unguarded / "octo.yaml")]
    code = cli.run([*arguments, "--aws-profile", "linked-2"])
    assert code == 5
    assert sandbox.account("linked-2") in capsys.readouterr().err
    assert not (unguarded / ".octo-tf").exists()
    roles = sandbox.client("linked-2", "iam").list_roles()["Roles"]
    assert not [role for role in roles if "octo" in role["RoleName"].lower()]


def test_without_any_guard_terraform_would_go_on(project, tmp_path):
    """The other tests prove something only if nothing else would have refused."""
    root = copy(project, tmp_path)
    without(root, "main.tf", PROVIDER)
    without(root, "modules/octo/account.tf", MODULE)
    result = plan(project, root, "linked-2")
    assert result.returncode == 0, result.stderr
    assert "aws_iam_role.api_access will be created" in result.stdout
