"""Planted secrets are searched for in everything that octo-tf prints and writes."""

from __future__ import annotations

import configparser
import json

import pytest

from tests.e2e.conftest import EXTERNAL_ID

LOUD = {"TF_LOG": "TRACE", "TF_LOG_PROVIDER": "TRACE", "OCTO_TF_VERBOSE": "1"}
# The files whose purpose is to hold the external id; each is for its owner only.
MAY_HOLD = {
    "octo.external-id",
    "secrets.auto.tfvars.json",
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "kept.tfplan",
    "octo.yaml",
}


@pytest.fixture
def secrets(sandbox) -> set[str]:
    """The external id, and every secret key and token of the sandbox's credentials."""
    keys = configparser.ConfigParser()
    keys.read(sandbox.environ["AWS_SHARED_CREDENTIALS_FILE"])
    names = ("aws_secret_access_key", "aws_session_token")
    found = {keys[p][name] for p in keys.sections() for name in names if name in keys[p]}
    assert len(found) > 3
    return found | {EXTERNAL_ID}


def search(project, secrets: set[str]) -> None:
    for result in project.ran:
        shown = result.stdout + result.stderr
        leaked = [secret for secret in secrets if secret in shown]
        assert not leaked, f"{result.args[3:]} shows a secret"
    holders = set()
    for path in project.folder.rglob("*"):
        if not path.is_file() or path.is_symlink() or "providers" in path.parts:
            continue
        content = path.read_bytes()
        held = {secret for secret in secrets if secret.encode() in content}
        assert held <= {EXTERNAL_ID}, f"{path} holds a key"
        if held:
            holders.add(path.name)
            assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
    assert holders <= MAY_HOLD
    assert "secrets.auto.tfvars.json" in holders  # or the search itself is blind


REPORTS = "junit=r.xml,json=r.json,markdown=r.md,table=r.txt,html=r.html"


def test_nothing_leaks_in_success(sandbox, secrets):
    bucket = sandbox.existing_bucket("standalone", "billing-in-quiet")
    project = sandbox.project("standalone", **bucket, cur_s3_bucket_merge_policy=True)
    written = ("--summary", "p.json", "--markdown", "p.md", "--report", "html=p.html")
    plan = ("plan", "--out", "kept.tfplan", *written)
    for arguments, code in (
        (("render",), 0),
        (("render", "--check"), 0),
        (("plan", "--json"), 0),
        (plan, 0),
        (("apply", "--plan", "kept.tfplan", "--report", REPORTS, "--wait", "60s"), 0),
        (("apply", "--yes", "--json"), 0),
        (("verify", "--report", REPORTS), 0),
        (("status",), 0),
        (("status", "--json"), 0),
        (("schema",), 0),
        (("render", "--check", "--tag", "a=b"), 2),
    ):
        result = project(*arguments, **LOUD)
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
    search(project, secrets)


def test_nothing_leaks_in_failure(sandbox, secrets):
    project = sandbox.project("linked-1", "quiet failure")
    other = "another-external-id-91c2"
    sandbox.fault(service="iam", action="CreateRole", error="AccessDenied", times=20)
    assert project("apply", "--yes", **LOUD).returncode == 1
    sandbox.clear_faults()
    assert project("apply", "--yes", **LOUD).returncode == 0
    assert project("plan", "--out", "kept.tfplan", **LOUD).returncode == 0

    trust = sandbox.client("linked-1", "iam")
    role = json.loads((project.root / "terraform.tfstate").read_text())["outputs"]["api_access"]
    name = role["value"]["role_name"]
    right = trust.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    wrong = json.dumps(right).replace(EXTERNAL_ID, other)
    assert wrong != json.dumps(right)
    trust.update_assume_role_policy(RoleName=name, PolicyDocument=wrong)
    failed = project("verify", "--report", REPORTS, **LOUD)
    assert failed.returncode == 3, failed.stderr

    for arguments, code in (
        (("plan",), 0),
        (("apply", "--plan", "kept.tfplan", "--external-id", other), 5),
        (("plan", "--aws-profile", "linked-2"), 5),
        (("plan", "--aws-profile", "nobody"), 1),
        (("plan", "--external-id", EXTERNAL_ID + " is not one"), 64),
        (("plan", "--tf-path", "nowhere"), 1),
        (("plan", "--region", EXTERNAL_ID), 64),
        (("unlock", "x", "--yes"), 1),
    ):
        result = project(*arguments, **LOUD)
        assert result.returncode == code, (arguments, result.stderr)
        assert "Traceback" not in result.stderr
    shown = "".join(result.stdout + result.stderr for result in project.ran)
    assert other not in shown
    search(project, secrets)


def test_a_file_that_is_not_yaml_is_not_quoted(sandbox, secrets, tmp_path):
    project = sandbox.project("linked-2", "broken file")
    text = f"account_id: '1\nexternal_id: {EXTERNAL_ID}\n  odd: [\n"
    (project.folder / "octo.yaml").write_text(text)
    (project.folder / "octo.yaml").chmod(0o600)
    for command in ("render", "plan", "apply", "verify", "status"):
        result = project(command, **LOUD)
        assert result.returncode == 64
        assert EXTERNAL_ID not in result.stdout + result.stderr
