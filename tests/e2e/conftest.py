"""octo-tf as a user runs it: a process of its own, real Terraform, the sandbox as AWS.

Every test starts from a sandbox that nobody has used, or from a checkpoint: a state that is built
once (a first apply of a payer takes a minute) and given to each test as it was built.
So every test passes alone and in any order.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.octo.api import OctoApi
from orchestrator.octo.credentials import find
from orchestrator.sandbox import control
from tests.e2e.project import EXTERNAL_ID, Project
from tests.waiting import wait_until


@dataclass(frozen=True)
class Checkpoint:
    """A state that several tests start from: a sandbox's, and the folders of projects with it."""

    id: str
    folder: Path
    projects: dict[str, Project]


@dataclass
class RunningSandbox:
    """A sandbox in a process of its own; ``projects`` are by name, in ``folder``."""

    environ: dict[str, str]
    folder: Path
    projects: dict[str, Project] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return self.environ["AWS_ENDPOINT_URL"]

    def checkpoint(self) -> Checkpoint:
        """Keep the present state; nothing may run in ``folder`` afterwards."""
        control.snapshot(self.endpoint, str(self.folder))
        return Checkpoint(str(self.folder), self.folder, self.projects)

    def restore(self, checkpoint: Checkpoint) -> dict[str, Project]:
        """Go to a checkpoint: AWS and Octo as they were, and a copy of its projects.

        Returns:
            The projects by name.
        """
        assert not self.projects, "the sandbox is in use"
        control.restore(self.endpoint, checkpoint.id)
        shutil.copytree(checkpoint.folder, self.folder, symlinks=True, dirs_exist_ok=True)
        for name, project in checkpoint.projects.items():
            self.projects[name] = project.copied(checkpoint.folder, self.folder)
        return self.projects

    def fault(self, **settings: Any) -> None:
        control.add_fault(self.endpoint, settings)

    def clear_faults(self) -> None:
        control.clear_faults(self.endpoint)

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

    def octo_api(self) -> OctoApi:
        """The sandbox's Octo, as a user with its credentials."""
        credentials = find(self.environ)
        assert credentials is not None
        tokens = self.folder.with_name(f"{self.folder.name} tokens")
        endpoint = self.environ["OCTO_TF_OCTO_ENDPOINT"]
        return OctoApi(endpoint, credentials, token_folder=tokens)

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

    def empty_project(self, profile: str, name: str = "") -> Project:
        """A folder with nothing in it; a profile's account is that of the ambient credentials."""
        return self._project(profile, name, {**self.environ, "AWS_PROFILE": profile})

    def project(self, profile: str, name: str = "", **settings: Any) -> Project:
        """A folder with an octo.yaml for a profile's account; the ambient one is the payer's."""
        made = self._project(profile, name, self.environ)
        alone = self.environ.get("OCTO_TF_OCTO") == "false"
        identity = ("--external-id", EXTERNAL_ID) if alone else ()
        result = made(
            *("init", "--aws-profile", profile, "--account-id", made.account_id),
            *("--account-name", f"E2E {profile}", *identity),
        )
        assert result.returncode == 0, result.stderr
        made.settings(**settings)
        return made

    def idle_instance(self, profile: str) -> str:
        """Start an instance, so that recommendations are there at once; returns its id."""
        started = self.client(profile, "ec2").run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1
        )
        return str(started["Instances"][0]["InstanceId"])

    def existing_bucket(self, profile: str, name: str, region: str = "us-east-1") -> dict[str, Any]:
        """Make a private bucket to export to: with a new one the provider waits for a minute.

        Returns:
            The settings that export to it; whether its policy is merged is left open.
        """
        s3 = self.client(profile, "s3", region)
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **(place if region != "us-east-1" else {}))
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy")
        blocked = dict.fromkeys((*blocks, "RestrictPublicBuckets"), True)
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
        return {
            "cur_s3_bucket_option": "USE_EXISTING",
            "cur_s3_bucket_name": name,
            "cur_s3_bucket_region": region,
        }

    def _project(self, profile: str, name: str, environ: dict[str, str]) -> Project:
        name = name or profile
        folder = self.folder / f"project {name}"  # a space, as people have them
        folder.mkdir()
        self.projects[name] = Project(folder, environ, self.account(profile))
        return self.projects[name]


STARTED = "as it started"  # the snapshot of a sandbox that nobody has used


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory) -> Iterator[Callable[..., RunningSandbox]]:
    """An unused sandbox by its options; one process serves all that are asked for."""
    with contextlib.ExitStack() as running:

        @cache
        def started(options: tuple[str, ...]) -> dict[str, str]:
            folder = tmp_path_factory.mktemp("sandbox")
            environ = running.enter_context(running_sandbox(folder, options))
            control.snapshot(environ["AWS_ENDPOINT_URL"], STARTED)
            return environ

        def unused(
            options: tuple[str, ...], folder: Path | None = None, *, octo: bool = False
        ) -> RunningSandbox:
            folder = folder or tmp_path_factory.mktemp("checkpoint")
            environ = started(options)
            control.restore(environ["AWS_ENDPOINT_URL"], STARTED)
            if octo:
                tokens = {"XDG_CACHE_HOME": str(folder / "cache")}
                return RunningSandbox({**environ, **tokens}, folder)
            return RunningSandbox(without_octo(environ), folder)

        yield unused


@contextlib.contextmanager
def running_sandbox(folder: Path, options: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Run a sandbox; the environment to use it in."""
    env_file = folder / "sandbox.env"
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ALPHAUS_", "AWS_ACCESS", "AWS_SECRET", "AWS_SESSION", "OCTO_TF_"))
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "orchestrator", "sandbox", "up", "--stop-with-parent"),
            *("--env-file", str(env_file), *options),
        ],
        env=clean,
        stderr=(folder / "log").open("w"),
    )

    def is_up() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        return env_file.exists()

    wait_until(is_up, "the sandbox is up")
    yield {**clean, **control.read_env_file(env_file), "COLUMNS": "120"}
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)


@pytest.fixture(scope="module")
def unused_sandbox(request, sandboxes) -> Callable[..., RunningSandbox]:
    """The sandbox of a test module as it starts, to build a checkpoint on.

    A module may say by ``SANDBOX`` how its own is started, by ``OCTO`` to tell Octo. Without
    ``OCTO`` the runs have no credentials for the sandbox's Octo, and an external id of their own.
    """
    options = getattr(request.module, "SANDBOX", ("--linked", "2"))
    octo = getattr(request.module, "OCTO", False)
    return lambda folder=None: sandboxes(options, folder, octo=octo)


@pytest.fixture
def sandbox(unused_sandbox, tmp_path) -> Iterator[RunningSandbox]:
    """A sandbox that nobody has used; afterwards no run has given the external id away."""
    made = unused_sandbox(tmp_path / "sandbox")
    made.folder.mkdir()
    yield made
    for project in made.projects.values():
        assert project.exposures(EXTERNAL_ID) == []


TWELVE = ("--linked", "12")


@pytest.fixture(scope="session")
def registered_payer(sandboxes) -> Checkpoint:
    """A payer of twelve linked accounts (``SANDBOX = TWELVE``), registered without a StackSet."""
    sandbox = sandboxes(TWELVE)
    registered = sandbox.project("payer")("apply", "--yes", "--json", "--wait", "30s")
    assert registered.returncode == 0, registered.stdout + registered.stderr
    return sandbox.checkpoint()


def without_octo(environ: dict[str, str]) -> dict[str, str]:
    """The environment in which Octo's API is left alone, whatever credentials are at hand."""
    return {**environ, "OCTO_TF_OCTO": "false"}


def failing(report: dict[str, Any]) -> set[str]:
    """The ids of the checks that failed."""
    return {check["id"] for check in report["checks"] if check["status"] == "fail"}


def hint(report: dict[str, Any], check_id: str) -> str:
    """What a check says that solves it."""
    return next(check["hint"] for check in report["checks"] if check["id"] == check_id)
