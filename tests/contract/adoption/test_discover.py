"""What an account has is found by name and by shape, with whose it is; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from orchestrator import report
from orchestrator.adoption import inventory
from orchestrator.adoption.discovery import Discovery, discover
from orchestrator.adoption.proposal import propose
from orchestrator.adoption.stated import Stated
from orchestrator.aws.identity import identify
from orchestrator.errors import Refused
from tests.registered import CUR_ROLE, ROLE, Registered, outputs, trust

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/schemas/discovery-v1.json").read_text(encoding="utf-8")
)
TEMPLATE = json.dumps(
    {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "OctoFromTheConsole",
                    "AssumeRolePolicyDocument": json.loads(trust()),
                },
            }
        }
    }
)


def discovered(sandbox, aws, profile: str, *, managed: tuple[str, ...] = ()) -> Discovery:
    account = identify(aws(profile), sandbox.accounts[profile])
    found = inventory.read_inventory(aws(profile), account)
    try:
        return discover(found, propose(found, Stated(managed=managed)), managed)
    except Refused:
        return discover(found, None, managed)


@pytest.fixture
def standalone(sandbox, aws):
    account_id = sandbox.accounts["standalone"]
    made = Registered(aws("standalone"), outputs(account_id, "standalone"))
    made.make()
    yield made
    made.unmake()


def by_name(discovery: Discovery) -> dict[str, tuple[str, str]]:
    return {one.name: (one.owner, one.fate) for one in discovery.resources}


def test_an_account_without_anything_shows_nothing(sandbox, aws):
    found = discovered(sandbox, aws, "linked-1")
    assert found.resources == ()
    assert "The account has nothing for Octo" in report.render_discovery(found, "table")


def test_roles_report_and_bucket_are_found_by_name(sandbox, aws, standalone):
    found = by_name(discovered(sandbox, aws, "standalone"))
    assert found == dict.fromkeys(
        (ROLE, CUR_ROLE, "curreport", standalone.bucket), ("unknown", "adopt")
    )


def test_a_bucket_that_outlived_its_report_is_found_by_its_name(sandbox, aws, standalone):
    standalone.client("cur").delete_report_definition(ReportName="curreport")
    assert by_name(discovered(sandbox, aws, "standalone"))[standalone.bucket] == (
        "unknown",
        "adopt",
    )


def test_what_our_state_holds_is_ours(sandbox, aws, standalone):
    found = by_name(discovered(sandbox, aws, "standalone", managed=(ROLE,)))
    assert found[ROLE] == ("octo-tf", "ours")


def test_a_role_is_found_by_its_trust_and_a_stack_by_its_resource(sandbox, aws, session):
    """Another name than Octo looks for, made in the console: it is shown, and stays."""
    client = session("linked-1").client("cloudformation", "us-east-1")
    client.create_stack(
        StackName="from-console", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    try:
        found = by_name(discovered(sandbox, aws, "linked-1"))
        assert found == {"OctoFromTheConsole": ("stack from-console", "stays")}
    finally:
        client.delete_stack(StackName="from-console")


def test_a_role_that_a_stack_owns_must_be_released_first(sandbox, aws, session):
    client = session("linked-1").client("cloudformation", "us-east-1")
    client.create_stack(
        StackName="octo",
        TemplateBody=TEMPLATE.replace("OctoFromTheConsole", ROLE),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        assert by_name(discovered(sandbox, aws, "linked-1"))[ROLE] == (
            "stack octo",
            "release first",
        )
    finally:
        client.delete_stack(StackName="octo")


@pytest.mark.parametrize("profile", ["standalone", "linked-1"])
def test_the_json_is_as_its_schema_says(sandbox, aws, standalone, profile):
    text = report.render_discovery(discovered(sandbox, aws, profile), "json")
    Draft202012Validator(SCHEMA).validate(json.loads(text))


def test_no_external_id_is_shown(sandbox, aws, standalone):
    found = discovered(sandbox, aws, "standalone")
    for name in report.formats("discovery"):
        assert "octo-external-id" not in report.render_discovery(found, name)


def test_the_instances_of_other_peoples_stacksets_are_not_gone_through(
    sandbox, aws, session, trusted_access
):
    client = session("payer").client("cloudformation", "us-east-1")
    client.create_stack_set(
        StackSetName="somebody-elses",
        TemplateBody=TEMPLATE,
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    listed = sandbox.faults.add({"action": "ListStackInstances", "error": "Throttling"})
    try:
        assert "somebody-elses" not in by_name(discovered(sandbox, aws, "payer"))
        assert listed.happened == 0
    finally:
        sandbox.faults.clear()
        client.delete_stack_set(StackSetName="somebody-elses")


def test_a_stackset_is_found_by_the_role_of_its_template(sandbox, aws, session, trusted_access):
    client = session("payer").client("cloudformation", "us-east-1")
    client.create_stack_set(
        StackSetName="of-another-name",
        TemplateBody=TEMPLATE.replace("OctoFromTheConsole", ROLE),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    iam = session("payer").client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust())
    try:
        found = by_name(discovered(sandbox, aws, "payer"))
        assert found["of-another-name"] == ("unknown", "adopt")
    finally:
        iam.delete_role(RoleName=ROLE)
        client.delete_stack_set(StackSetName="of-another-name")
