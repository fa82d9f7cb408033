"""The sandbox's Octo gets a newer template: who is outdated, and what an update does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orchestrator.sandbox import control, parse_template
from tests.contract.octo import schemas
from tests.contract.octo.test_routes import check
from tests.registered import EXTERNAL_ID, ROLE
from tests.waiting import wait_until

STANDALONE = "222222222222"
STACK = "AlphausAccountAccess"


@pytest.fixture
def newer(sandbox, state) -> Iterator[Any]:
    """Switches the newer template on; the older one is back at the end."""
    yield lambda: control.change_template(sandbox.endpoint_url, "v2")
    control.change_template(sandbox.endpoint_url, "v1")


@pytest.fixture
def stack(session, raw) -> Iterator[Any]:
    """The standalone account with Octo's own stack, registered by the console path."""
    client = session("standalone").client("cloudformation")
    template = raw("GET", "/v1/aws/acctaccess").json()
    client.create_stack(
        StackName=STACK,
        TemplateURL=template["templateUrl"],
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    assert settled(client) == "CREATE_COMPLETE"
    raw("POST", "/v1/aws/account", {"accountId": STANDALONE, "accountName": ""})
    yield client
    client.delete_stack(StackName=STACK)
    wait_until(lambda: not client.describe_stacks()["Stacks"], "the stack is deleted")


def settled(client: Any) -> str:
    def status() -> str:
        found = str(client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
        return "" if found.endswith("_IN_PROGRESS") else found

    return wait_until(status, "the stack has settled")


def reasons(client: Any) -> list[str]:
    events = client.describe_stack_events(StackName=STACK)["StackEvents"]
    return [e["ResourceStatusReason"] for e in events if e.get("ResourceStatusReason")]


def status(raw: Any) -> tuple[str, str]:
    known = check(raw("GET", f"/v1/account/{STANDALONE}?vendor=aws"), schemas.DATA_ACCESS)
    return known["awsOptions"]["Status"], known["awsOptions"]["templateVersion"]


def confirm(raw: Any, **more: Any) -> dict[str, Any]:
    body = {"target": STANDALONE, **more}
    return check(raw("POST", "/v1/aws/acctaccess", body), schemas.ACCOUNT_ACCESS)


def test_a_stack_of_octos_template_is_outdated_until_octo_has_updated_and_confirmed_it(
    raw, stack, newer
):
    assert confirm(raw)["stackId"].startswith("arn:aws:cloudformation:us-east-1:")
    assert status(raw) == ("latest", "v1")
    newer()
    assert raw("GET", "/v1/aws/acctaccess").json()["templateVersion"] == "v2"
    assert status(raw) == ("outdated", "v1")
    assert confirm(raw)["status"] == "outdated"  # to confirm changes nothing by itself
    check(raw("PUT", f"/v1/aws/acctaccess/{STANDALONE}"), schemas.OPERATION)
    ended = settled(stack)
    assert ended == "UPDATE_COMPLETE", reasons(stack)
    parameters = stack.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]
    values = {p["ParameterKey"]: p["ParameterValue"] for p in parameters}
    assert (values["ExternalId"], values["TemplateVersion"]) == (EXTERNAL_ID, "v2")
    assert status(raw) == ("outdated", "v1")
    assert confirm(raw)["status"] == "latest"
    assert status(raw) == ("latest", "v2")


def test_a_terraform_registration_is_outdated_until_its_role_has_what_the_template_adds(
    raw, account, newer
):
    made = account("standalone", "standalone")
    raw("POST", "/v1/aws/account", {"accountId": STANDALONE, "accountName": ""})
    confirm(raw, fromTerraform=True)
    newer()
    assert status(raw) == ("outdated", "v1")
    refused = check(raw("PUT", f"/v1/aws/acctaccess/{STANDALONE}"), schemas.ERROR, 400)
    assert "no CloudFormation stack" in refused["message"]
    added = ["freetier:GetFreeTierUsage", "invoicing:ListInvoiceSummaries"]
    statement = {"Effect": "Allow", "Action": added, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = {"RoleName": ROLE, "PolicyName": "more"}
    made.client("iam").put_role_policy(**policy, PolicyDocument=document)
    assert confirm(raw, fromTerraform=True)["status"] == "latest"
    made.client("iam").delete_role_policy(**policy)


def test_the_template_is_public_and_everything_else_needs_a_signature(sandbox, raw):
    path = raw("GET", "/v1/aws/acctaccess").json()["templateUrl"].partition("amazonaws.com/")[2]
    bucket = f"{sandbox.endpoint_url}/alphaus-cloudformation-templates"
    template = parse_template(requests.get(f"{bucket}/{path}", timeout=60).text)
    assert ROLE in {r["Properties"].get("RoleName") for r in template["Resources"].values()}
    assert requests.get(f"{bucket}/other", timeout=60).status_code == 403
    assert requests.get(bucket, timeout=60).status_code == 403


def test_there_are_two_versions(sandbox):
    with pytest.raises(OSError, match="400"):
        control.change_template(sandbox.endpoint_url, "v3")
