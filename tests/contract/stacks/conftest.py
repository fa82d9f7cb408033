"""Accounts on the console path: a person who deploys what the links say, in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any

import pytest

from orchestrator.app.console.check import check
from orchestrator.app.console.flow import ConsoleFlow, begin
from orchestrator.app.console.launch_link import LaunchLink, launch_link
from orchestrator.app.context import Settings, build
from orchestrator.config.load import load
from orchestrator.octo.credentials import Credentials
from orchestrator.sandbox import control
from orchestrator.stacks import links
from orchestrator.stacks.steps import Step
from orchestrator.verify.model import Finding, Report
from tests.waiting import wait_until

EXTERNAL_ID = "console-external-id-41c7"
REGIONS = ("us-east-1", "eu-central-1")


@dataclass
class Account:
    """An account of the sandbox, registered by the console path."""

    profile: str
    account_id: str
    session: Any
    folder: File
    bucket: str
    settings: dict[str, Any]
    sandbox: Any
    running: dict[str, Any] = field(default_factory=dict)  # how a command runs: Octo's API, ...

    def flow(self, **changes: Any) -> ConsoleFlow:
        """A fresh look, as every command has it."""
        flags = {
            "account_id": self.account_id,
            "external_id": EXTERNAL_ID,
            "credentials.profile": self.profile,
            **self.settings,
            **changes,
        }
        settings = Settings(
            workdir=self.folder, environ={}, principal_profile="octo", **self.running
        )
        return begin(build(load(self.folder / "none.yaml", flags, {}), settings))

    def pages(self, step: Step, **changes: Any) -> list[LaunchLink]:
        flow = self.flow(**changes)
        return [launch_link(flow, stack, bucket=self.bucket) for stack in flow.stacks(step)]

    def deploy(self, step: Step, **changes: Any) -> list[str]:
        """Opens each link of a step and creates its stack; the stacks' statuses."""
        return [self.create(page.url, **changes) for page in self.pages(step)]

    def create(
        self,
        url: str,
        *,
        session: Any = None,
        capabilities: Any = None,
        waits: bool = True,
        **edited: str,
    ) -> str:
        """What the console does with a link: everything that CreateStack gets is in it."""
        found = links.parse(url)
        client = (session or self.session).client("cloudformation", region_name=found.region)
        client.create_stack(
            StackName=found.stack_name,
            TemplateURL=found.template_url,
            Capabilities=["CAPABILITY_NAMED_IAM"] if capabilities is None else capabilities,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in {**found.parameters, **edited}.items()
            ],
        )
        return settled(client, found.stack_name) if waits else status_of(client, found.stack_name)

    def check(self, *steps: Step, **settings: Any) -> Report:
        flow = self.flow()
        return check(flow, steps or flow.checked_steps(), **settings)

    def deliver(self) -> None:
        control.deliver(self.sandbox.endpoint_url)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return self.session.client(service, region_name=region)


def findings(report: Report) -> dict[str, Finding]:
    return {result.id: result.finding for result in report.results}


def status_of(client: Any, stack: str) -> str:
    return str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def settled(client: Any, stack: str) -> str:
    """Wait until CloudFormation no longer changes a stack; return its status."""
    wait_until(lambda: not status_of(client, stack).endswith("_IN_PROGRESS"), f"{stack} settles")
    return status_of(client, stack)


def without_stackset(client: Any, stack: str) -> None:
    """Delete the stack that made the StackSet, and end trusted access once both are deleted."""
    client.delete_stack(StackName=stack)
    wait_until(
        lambda: not client.list_stack_sets(Status="ACTIVE")["Summaries"], "the StackSet is deleted"
    )
    client.deactivate_organizations_access()


def without_stacks(client: Any) -> None:
    for stack in client.describe_stacks()["Stacks"]:
        client.delete_stack(StackName=stack["StackName"])
    wait_until(lambda: not client.describe_stacks()["Stacks"], "every stack is deleted")


def clear(session: Any) -> None:
    for region in REGIONS:
        client = session.client("cloudformation", region_name=region)
        without_stacks(client)
    iam, s3, cur = session.client("iam"), session.client("s3"), session.client("cur")
    for found in iam.list_roles()["Roles"]:
        name = found["RoleName"]
        if name.startswith("Alphaus"):
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
            iam.delete_role(RoleName=name)
    for report in cur.describe_report_definitions()["ReportDefinitions"]:
        cur.delete_report_definition(ReportName=report["ReportName"])
    for bucket in s3.list_buckets()["Buckets"]:
        for entry in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", []):
            version = {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            s3.delete_object(Bucket=bucket["Name"], **version)
        s3.delete_bucket(Bucket=bucket["Name"])


@pytest.fixture
def account(sandbox, session, tmp_path) -> Iterator[Callable[..., Account]]:
    """An account by its profile, with a bucket for templates; nothing of it stays."""
    made: list[Account] = []

    def make(profile: str, **settings: Any) -> Account:
        own = session(profile)
        bucket = f"templates-of-{profile}"
        own.client("s3").create_bucket(Bucket=bucket)
        account_id = sandbox.accounts[profile]
        found = Account(profile, account_id, own, tmp_path, bucket, settings, sandbox)
        made.append(found)
        return found

    yield make
    for found in made:
        clear(found.session)


@pytest.fixture
def octo(sandbox, tmp_path, monkeypatch) -> Iterator[Callable[[Account], Account]]:
    """Gives an account the sandbox's Octo, which presents the external id of these tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    state, client = sandbox.octo, sandbox.octo.client
    state.clients[client.client_id] = replace(client, external_id=EXTERNAL_ID)

    def give(account: Account) -> Account:
        credentials = Credentials(client.client_id, client.secret, sandbox.octo_token_url, "test")
        account.running = {
            "octo_credentials": credentials,
            "octo_endpoint": sandbox.octo_endpoint,
        }
        return account

    yield give
    state.clients[client.client_id] = client
    state.accounts.clear()
    state.tokens.clear()
    sandbox.faults.clear()
