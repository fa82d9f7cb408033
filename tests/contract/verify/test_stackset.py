"""The StackSet's promises, broken one at a time: exactly their checks fail, each with a hint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.outputs import StackSetOutput
from orchestrator.sandbox import control
from orchestrator.verify.model import Area, Context, Finding, Report, Status
from orchestrator.verify.runner import verify
from tests.registered import EXTERNAL_ID, PRINCIPAL, ROLE, outputs, policy, trust
from tests.waiting import wait_until

NAME = "set"


def template(external_id: str = EXTERNAL_ID, **properties: Any) -> str:
    role = {
        "RoleName": ROLE,
        "AssumeRolePolicyDocument": json.loads(trust(external_id)),
        "Policies": [{"PolicyName": "octo-cost", "PolicyDocument": json.loads(policy("cost"))}],
        **properties,
    }
    parameters = {name: {"Type": "String"} for name in ("ExternalId", "Principal")}
    resources = {"ApiAccessRole": {"Type": "AWS::IAM::Role", "Properties": role}}
    return json.dumps({"Parameters": parameters, "Resources": resources})


class Linked:
    """A payer's linked accounts with a StackSet, and what is expected of it."""

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.aws, self.principal = aws("payer"), aws("octo")
        self.client = self.aws.client("cloudformation")
        self.root = self.aws.client("organizations").list_roots()["Roots"][0]["Id"]

    def make(self, **changes: Any) -> None:
        settings = {
            "StackSetName": NAME,
            "TemplateBody": template(),
            "Parameters": self.parameters(),
            "PermissionModel": "SERVICE_MANAGED",
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": True},
            "ManagedExecution": {"Active": True},
            **changes,
        }
        self.client.create_stack_set(**settings)
        self.wait(
            self.client.create_stack_instances(
                StackSetName=NAME,
                Regions=["us-east-1"],
                DeploymentTargets={"OrganizationalUnitIds": [self.root]},
                OperationPreferences={"FailureTolerancePercentage": 50},
            )
        )

    def parameters(self, external_id: str = EXTERNAL_ID, principal: str = PRINCIPAL) -> list[Any]:
        return [
            {"ParameterKey": "ExternalId", "ParameterValue": external_id},
            {"ParameterKey": "Principal", "ParameterValue": principal},
        ]

    def wait(self, begun: dict[str, Any]) -> None:
        operation = {"StackSetName": NAME, "OperationId": begun["OperationId"]}

        def ended() -> bool:
            found = self.client.describe_stack_set_operation(**operation)["StackSetOperation"]
            return found["Status"] not in ("RUNNING", "QUEUED")

        wait_until(ended, "the operation has ended")

    def unmake(self) -> None:
        for _ in self.client.list_stack_sets()["Summaries"]:
            self.wait(
                self.client.delete_stack_instances(
                    StackSetName=NAME,
                    Regions=["us-east-1"],
                    DeploymentTargets={"OrganizationalUnitIds": [self.root]},
                    RetainStacks=False,
                    OperationPreferences={"FailureTolerancePercentage": 100},
                )
            )
            self.client.delete_stack_set(StackSetName=NAME)

    def look(self, *, principal: bool = True, **changes: Any) -> dict[str, Finding]:
        report = self.verify(principal=principal, **changes)
        return {result.id: result.finding for result in report.results}

    def verify(self, *, principal: bool = True, **changes: Any) -> Report:
        wanted = {
            "name": NAME,
            "id": "set:1",
            "region": "us-east-1",
            "role_name": ROLE,
            "template": template(),
            "targets": [self.root],
            "excluded_accounts": [],
            "retain_stacks": True,
            **changes,
        }
        expected = outputs("111111111111", "payer").model_copy(
            update={"stackset": StackSetOutput(**wanted)}
        )
        context = Context(
            desired=Desired(expected, EXTERNAL_ID),
            aws=self.aws,
            principal=self.principal if principal else None,
            now=time.time,
        )
        return verify(context, areas=[Area.STACKSET])


@pytest.fixture
def linked(sandbox, aws) -> Iterator[Linked]:
    made = Linked(aws)
    made.client.activate_organizations_access()
    yield made
    control.clear_faults(sandbox.endpoint_url)
    control.pace(sandbox.endpoint_url, 0)
    made.client.activate_organizations_access()
    made.unmake()
    made.client.deactivate_organizations_access()


def failing(findings: dict[str, Finding]) -> set[str]:
    wrong = {i: f for i, f in findings.items() if f.status is not Status.PASS}
    assert all(finding.hint for finding in wrong.values())
    assert EXTERNAL_ID not in repr(findings)
    return set(wrong)


def test_everything_passes(linked):
    linked.make()
    findings = linked.look()
    assert failing(findings) == set()
    assert findings["stackset.coverage"].summary == (
        "3 of 3 linked accounts have the role; 1 is excluded."
    )
    assert findings["stackset.access"].evidence["tried"] == 3


def test_the_units_have_names_and_every_account_is_in_one(linked):
    linked.make()
    coverage = linked.look()["stackset.coverage"].coverage
    assert coverage is not None
    assert coverage.units[linked.root].parent is None
    nested = [unit for ou, unit in coverage.units.items() if ou != linked.root]
    assert nested
    assert all(unit.name and unit.parent in coverage.units for unit in nested)
    assert coverage.accounts
    assert all(account.ou in coverage.units for account in coverage.accounts)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Parameters": "another-id"}, {"stackset.set"}),
        ({"TemplateBody": template(Description="changed")}, {"stackset.set"}),
        ({"ManagedExecution": {"Active": False}}, {"stackset.set"}),
        ({"AutoDeployment": {"Enabled": False}}, {"stackset.auto_deployment"}),
        ({"TemplateBody": template("another-id")}, {"stackset.set", "stackset.access"}),
    ],
)
def test_a_set_that_is_not_the_modules(linked, changes, expected):
    if "Parameters" in changes:
        changes = {"Parameters": linked.parameters(changes["Parameters"])}
    linked.make(**changes)
    assert failing(linked.look()) == expected


def test_no_set_at_all(linked):
    findings = linked.look(principal=False)
    assert failing(findings) >= {"stackset.set", "stackset.coverage", "stackset.auto_deployment"}
    assert "does not exist" in findings["stackset.set"].summary


def test_trusted_access_was_switched_off(linked):
    linked.make()
    linked.client.deactivate_organizations_access()
    assert failing(linked.look()) == {"stackset.trusted_access"}


def test_an_account_that_failed_within_the_tolerance(sandbox, linked):
    control.add_fault(
        sandbox.endpoint_url,
        {
            "service": "cloudformation",
            "action": "CreateStack",
            "account": sandbox.accounts["linked-2"],
            "error": "AccessDenied",
        },
    )
    linked.make()
    findings = linked.look()
    assert failing(findings) == {"stackset.coverage", "stackset.operation"}
    assert "2 of 3" in findings["stackset.coverage"].summary
    assert "within its tolerance" in findings["stackset.operation"].summary


def test_an_operation_that_is_under_way_is_pending(sandbox, linked):
    linked.make()
    control.pace(sandbox.endpoint_url, 600)
    begun = linked.client.update_stack_set(
        StackSetName=NAME,
        TemplateBody=template(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    findings = linked.look()
    for check in ("stackset.coverage", "stackset.operation"):
        assert findings[check].status is Status.PENDING
    control.pace(sandbox.endpoint_url, 0)
    linked.wait(begun)
    assert failing(linked.look()) == set()


def test_an_account_that_is_excluded_and_still_there(sandbox, linked):
    linked.make()
    findings = linked.look(excluded_accounts=[sandbox.accounts["linked-1"]])
    assert failing(findings) == {"stackset.coverage"}
    assert "octo.yaml excludes it" in findings["stackset.coverage"].summary


def test_a_target_that_the_set_does_not_have(linked):
    linked.make()
    findings = linked.look(targets=[linked.root, "ou-abcd-11111111"])
    assert failing(findings) == {"stackset.auto_deployment"}


def test_without_octos_credentials_access_is_left_to_octo(linked):
    linked.make()
    findings = linked.look(principal=False)
    assert findings["stackset.access"].status is Status.SKIPPED
