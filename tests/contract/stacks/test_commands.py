"""octo-tf console as people and scripts run it: a process of its own, and a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from orchestrator.stacks import links
from tests.contract.stacks.conftest import EXTERNAL_ID
from tests.waiting import wait_until

STATUS = Path(__file__).parents[3] / "docs/schemas/status-v1.json"


@pytest.fixture
def project(account, tmp_path):
    """A linked account's folder with octo.yaml."""
    linked = account("linked-1")
    (tmp_path / "octo.external-id").write_text(EXTERNAL_ID)
    settings = {
        "account_id": linked.account_id,
        "external_id_file": "octo.external-id",
        "credentials": {"profile": "linked-1"},
    }
    (tmp_path / "octo.yaml").write_text(json.dumps(settings))
    return linked


def octo_tf(project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", [("link", "api-access"), ("check",), ("finish", "--yes")])
def test_what_differs_from_octo_yaml_for_one_command_is_said(project, command):
    before = (project.folder / "octo.yaml").read_bytes()
    result = octo_tf(project, "console", *command, "--tag", "a=b")
    assert "--tag differs from octo.yaml: it holds for this run only" in result.stderr
    assert (project.folder / "octo.yaml").read_bytes() == before


def test_a_script_links_checks_and_finishes(project):
    linked = octo_tf(project, "console", "link", "api-access", "--template-bucket", project.bucket)
    assert linked.returncode == 0, linked.stderr
    (url,) = linked.stdout.splitlines()
    before = octo_tf(project, "console", "check", "api-access", "--json")
    assert before.returncode == 4, before.stderr
    assert json.loads(before.stdout)["areas"]["api_access"] == "pending"
    assert project.create(url) == "CREATE_COMPLETE"
    checked = octo_tf(project, "console", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    by_hand = ["Register Account", "Check and Confirm for API access", "Confirm and Finish"]
    words = " ".join(checked.stdout.split())
    assert f"API access passes. To be done in Octo by hand: {'; '.join(by_hand)}." in words
    verified = octo_tf(project, "verify", "--json")  # as the stacks made it; there is no Terraform
    assert verified.returncode == 0, verified.stdout + verified.stderr
    found = {result["id"]: result["status"] for result in json.loads(verified.stdout)["checks"]}
    assert found["api_access.stack"] == "pass"
    assert not (project.folder / ".octo-tf" / project.account_id / "main.tf").exists()
    assert octo_tf(project, "console", "finish", "--json").returncode == 0
    status = octo_tf(project, "status", "--json")
    document = json.loads(status.stdout)
    jsonschema.validate(document, json.loads(STATUS.read_text()))
    assert (document["registered_at"], document["finished_at"]) == (None, None)
    assert document["remaining"] == [f"In Octo: {step}." for step in by_hand]
    for result in (before, checked, status):
        assert EXTERNAL_ID not in result.stdout + result.stderr
    holders = [p for p in project.folder.rglob("*") if p.is_file() and EXTERNAL_ID in p.read_text()]
    assert [path.name for path in holders] == ["octo.external-id"]


def test_links_as_json_name_the_file_to_upload(project):
    result = octo_tf(project, "console", "link", "api-access", "--json")
    (page,) = json.loads(result.stdout)
    assert page["stack_name"] == "AlphausAccountAccess"
    assert Path(page["template_file"]).read_text().startswith("AWSTemplateFormatVersion")
    assert "ExternalId" not in page["parameters"]
    assert EXTERNAL_ID not in result.stdout + result.stderr


def test_templates_are_shown_and_written_without_asking_aws(project):
    config = project.folder / "octo.yaml"
    config.write_text(config.read_text().replace("linked-1", "nobody"))  # no such profile
    shown = octo_tf(project, "console", "template", "api-access")
    assert shown.returncode == 0, shown.stderr
    written = octo_tf(project, "console", "template", "api-access", "--out", "t.yaml")
    assert written.stdout == "t.yaml\n"
    assert (project.folder / "t.yaml").read_text() == shown.stdout


def test_a_wrong_step_and_a_wrong_account_end_as_documented(project):
    assert octo_tf(project, "console", "link", "cur").returncode == 64
    wrong = octo_tf(project, "console", "link", "api-access", "--aws-profile", "linked-2")
    assert (wrong.returncode, wrong.stdout) == (5, "")
    assert not (project.folder / ".octo-tf").exists()


def test_without_a_terminal_the_walk_names_the_commands(project):
    result = octo_tf(project, "console")
    assert result.returncode == 64
    assert "octo-tf console link" in result.stderr


def test_options_before_a_step_are_not_silently_dropped(project):
    result = octo_tf(project, "console", "--region", "eu-west-1", "check")
    assert result.returncode == 64
    assert "--region must come after check" in result.stderr


def test_the_walk_at_a_terminal(project):
    """A real terminal: prompts on it, a stack deployed from the link that it shows, the report."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "console", "--template-bucket", project.bucket],
        cwd=project.folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "COLUMNS": "2000",
            "NO_COLOR": "1",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    seen = ""

    def until(text: str) -> None:
        def is_shown() -> bool:
            nonlocal seen
            if text not in seen and select.select([ours], [], [], 0.2)[0]:
                try:
                    seen += os.read(ours, 65536).decode(errors="replace")
                except OSError:
                    pytest.fail(f"the wizard ended without {text!r}: {seen}")
            return text in seen

        wait_until(is_shown, f"{text!r} is shown")

    def type_(answer: str) -> None:
        nonlocal seen
        seen = ""
        os.write(ours, f"{answer}\n".encode())

    until("Is the payer registered elsewhere?")
    type_("y")
    until("What now?")
    url = next(line for line in seen.splitlines() if line.startswith("https://")).strip()
    assert links.parse(url).parameters["ExternalId"] == EXTERNAL_ID
    assert project.create(url) == "CREATE_COMPLETE"
    type_("c")
    until("confirm and finish")
    until("What now?")
    type_("y")
    until("To be done in Octo by hand")
    assert process.wait(timeout=120) == 0
    os.close(ours)
