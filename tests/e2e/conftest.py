"""octo-tf as a user runs it: a process of its own, real Terraform, the sandbox as AWS."""

from __future__ import annotations

import configparser
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pexpect
import pytest

from orchestrator.sandbox import read_env_file

EXTERNAL_ID = "e2e-external-id-7f3a"


@dataclass
class Project:
    """A folder with an octo.yaml, and octo-tf run in it."""

    folder: Path
    environ: dict[str, str]
    account_id: str
    ran: list[subprocess.CompletedProcess[str]] = field(default_factory=list)

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.ran.append(result)
        return result

    def on_terminal(self, *arguments: str, answers: dict[str, str]) -> tuple[int, str]:
        """Runs octo-tf on a terminal and answers its questions, in order.

        Returns:
            Its exit code, and everything that the terminal showed.
        """
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "orchestrator", *arguments],
            cwd=str(self.folder),
            env=self.environ,
            encoding="utf-8",
            timeout=180,
        )
        shown = ""
        for question, answer in answers.items():
            terminal.expect_exact(question)
            shown += terminal.before + question
            terminal.sendline(answer)
        terminal.expect(pexpect.EOF)
        terminal.close()
        return terminal.exitstatus, shown + terminal.before

    def interrupted(self, *arguments: str, when: Callable[[], bool]) -> None:
        """Runs octo-tf, which gets a Ctrl-C as soon as something is so."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 90
        while not when():
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors

    @property
    def root(self) -> Path:
        return self.folder / ".octo-tf" / self.account_id

    def verify(self) -> tuple[int, dict[str, Any]]:
        """The exit code and the report of octo-tf verify."""
        result = self("verify", "--json")
        assert result.stdout, result.stderr
        return result.returncode, json.loads(result.stdout)

    def state_serial(self) -> int:
        return json.loads((self.root / "terraform.tfstate").read_text())["serial"]

    def settings(self, **changes: Any) -> None:
        """Adds settings to octo.yaml (YAML takes JSON values)."""
        path = self.folder / "octo.yaml"
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in changes.items()]
        path.write_text(path.read_text() + "".join(lines))


@dataclass
class RunningSandbox:
    """A sandbox in a process of its own."""

    environ: dict[str, str]
    folder: Path

    def account(self, profile: str) -> str:
        return self.environ["OCTO_SANDBOX_" + profile.upper().replace("-", "_")]

    def client(self, profile: str, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client as the administrator of a profile's account."""
        keys = configparser.ConfigParser()
        keys.read(self.environ["AWS_SHARED_CREDENTIALS_FILE"])
        # A session of its own: the default one remembers the environment it was made in.
        return boto3.Session().client(
            service,
            region_name=region,
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            aws_access_key_id=keys[profile]["aws_access_key_id"],
            aws_secret_access_key=keys[profile]["aws_secret_access_key"],
        )

    def operations(self) -> list[dict[str, Any]]:
        """The operations of the payer's StackSets, the newest first."""
        client = self.client("payer", "cloudformation")
        return [
            operation
            for found in client.list_stack_sets()["Summaries"]
            for operation in client.list_stack_set_operations(StackSetName=found["StackSetName"])[
                "Summaries"
            ]
        ]

    def ous(self) -> dict[str, str]:
        """The OUs right under the root, by name."""
        organizations = self.client("payer", "organizations")
        root = organizations.list_roots()["Roots"][0]["Id"]
        found = organizations.list_organizational_units_for_parent(ParentId=root)
        return {ou["Name"]: ou["Id"] for ou in found["OrganizationalUnits"]}

    def project(self, profile: str, name: str = "", **settings: Any) -> Project:
        """A folder with an octo.yaml for a profile's account."""
        folder = self.folder / f"project {name or profile}"  # a space, as people have them
        folder.mkdir()
        made = Project(folder, self.environ, self.account(profile))
        alone = self.environ.get("OCTO_TF_OCTO") == "false"
        identity = ("--external-id", EXTERNAL_ID) if alone else ()
        result = made(
            *("init", "--aws-profile", profile, "--account-id", made.account_id),
            *("--account-name", f"E2E {profile}", *identity),
        )
        assert result.returncode == 0, result.stderr
        made.settings(**settings)
        return made


@pytest.fixture(scope="module")
def sandbox(request, tmp_path_factory) -> Iterator[RunningSandbox]:
    """A test module may say by ``SANDBOX`` how its own is started, by ``OCTO`` to tell Octo.

    Without ``OCTO`` the runs have no credentials for the sandbox's Octo, and an external id of
    their own.
    """
    folder = tmp_path_factory.mktemp("sandbox")
    env_file = folder / "sandbox.env"
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ALPHAUS_", "AWS_ACCESS", "AWS_SECRET", "AWS_SESSION", "OCTO_TF_"))
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "orchestrator", "sandbox", "up", "--stop-with-parent"),
            *("--env-file", str(env_file)),
            *getattr(request.module, "SANDBOX", ("--linked", "2")),
        ],
        env=clean,
        stderr=(folder / "log").open("w"),
    )
    started = time.monotonic()
    while not env_file.exists():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() - started < 30
        time.sleep(0.05)
    environ = {**clean, **read_env_file(env_file), "COLUMNS": "120"}
    if getattr(request.module, "OCTO", False):
        environ["XDG_CACHE_HOME"] = str(folder / "cache")  # tokens
    else:
        environ = without_octo(environ)
    yield RunningSandbox(environ, folder)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)


def without_octo(environ: dict[str, str]) -> dict[str, str]:
    """The environment in which Octo's API is left alone, whatever credentials are at hand."""
    return {**environ, "OCTO_TF_OCTO": "false"}


def failing(report: dict[str, Any]) -> set[str]:
    """The ids of the checks that failed."""
    return {check["id"] for check in report["checks"] if check["status"] == "fail"}


def hint(report: dict[str, Any], check_id: str) -> str:
    """What a check says that solves it."""
    return next(check["hint"] for check in report["checks"] if check["id"] == check_id)
