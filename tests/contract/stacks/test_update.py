"""Octo's template moves on: stacks are updated in place, by their owner or by Octo."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from orchestrator.app.console.leaving import stacks_to_delete
from orchestrator.cli import run
from orchestrator.sandbox import control
from tests.contract.stacks.conftest import EXTERNAL_ID, Account, findings, settled
from tests.waiting import wait_until

PAGE = Path(__file__).parents[3] / "docs/how-to/fix-a-registration.md"
STACK = "AlphausAccountAccess"
ADDED = ("freetier:GetFreeTierUsage", "invoicing:ListInvoiceSummaries")


class Result(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def newer(sandbox) -> Iterator[Callable[[], None]]:
    yield lambda: control.change_template(sandbox.endpoint_url, "v2")
    control.change_template(sandbox.endpoint_url, "v1")


@pytest.fixture
def command(sandbox, octo, monkeypatch, capsys) -> Callable[..., Result]:
    """Runs octo-tf for an account, with Octo's API and nobody at the terminal."""
    client = sandbox.octo.client
    monkeypatch.setenv("OCTO_TF_OCTO", "true")
    monkeypatch.setenv("ALPHAUS_CLIENT_ID", client.client_id)
    monkeypatch.setenv("ALPHAUS_CLIENT_SECRET", client.secret)
    monkeypatch.setenv("ALPHAUS_AUTH_URL", sandbox.octo_token_url)
    monkeypatch.setenv("OCTO_TF_OCTO_ENDPOINT", sandbox.octo_endpoint)

    def call(account: Account, *arguments: str) -> Result:
        config = account.folder / "octo.yaml"
        lines = [
            f'account_id: "{account.account_id}"',
            f"credentials: {{profile: {account.profile}}}",
        ]
        lines += [f"{name}: {json.dumps(value)}" for name, value in account.settings.items()]
        config.write_text("\n".join(lines))
        options = ["--config", str(config)]
        if arguments != ("accounts",):  # which has no folder
            options += ["--workdir", str(account.folder)]
        capsys.readouterr()
        code = run([*arguments, *options])
        return Result(code, *capsys.readouterr())

    return call


def registered(account: Account, by_octos_template: bool, region: str = "us-east-1") -> Any:
    """Registers an account by the console path; its CloudFormation client."""
    client = account.client("cloudformation", region)
    flow = account.flow()
    if by_octos_template:
        url = flow.context.octo.api.template().template_url
        client.create_stack(
            StackName=STACK,
            TemplateURL=url,
            Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        assert settled(client, STACK) == "CREATE_COMPLETE"
    else:
        account.deploy("api-access")
    flow.register()
    flow.context.octo.api.confirm_api_access(account.account_id, from_terraform=False)
    return client


def carry_out(client: Any, line: str, stack: str = STACK) -> str:
    """What the AWS CLI does with the printed command."""
    words = shlex.split(line)
    assert words[:3] == ["aws", "cloudformation", "update-stack"]
    options = {w: words[i + 1] for i, w in enumerate(words) if w.startswith("--")}
    parameters = [w for w in words if w.startswith("ParameterKey=")]
    pairs = [dict(p.split("=", 1) for p in w.split(",")) for w in parameters]
    settings = (
        {"TemplateURL": options["--template-url"]}
        if "--template-url" in options
        else {"UsePreviousTemplate": True}
        if "--use-previous-template" in options
        else {"TemplateBody": Path(options["--template-body"].removeprefix("file://")).read_text()}
    )
    client.update_stack(
        StackName=options["--stack-name"],
        Parameters=[
            {**p, **({"UsePreviousValue": True} if "UsePreviousValue" in p else {})} for p in pairs
        ],
        Capabilities=[options["--capabilities"]],
        **settings,
    )
    return settled(client, stack)


def test_a_stack_of_octos_template_is_updated_by_the_printed_command_and_confirmed(
    octo, account, command, newer
):
    standalone = octo(account("standalone"))
    client = registered(standalone, by_octos_template=True)
    asked = command(standalone, "console", "update", "--json")
    assert (asked.exit_code, json.loads(asked.stdout)["outdated"]) == (0, None)
    stack_id = client.describe_stacks(StackName=STACK)["Stacks"][0]["StackId"]
    newer()
    asked = command(standalone, "console", "update")
    assert asked.exit_code == 4, asked
    assert f"new: AlphausAcctAccessRole lacks {', '.join(ADDED)}" in asked.stderr
    assert EXTERNAL_ID not in asked.stdout + asked.stderr
    outdated = f"has not confirmed the access of account {standalone.account_id} (outdated)."
    assert outdated in asked.stderr
    assert "Next: octo-tf console update, once the stack is updated." in asked.stderr
    assert carry_out(client, asked.stdout) == "UPDATE_COMPLETE"
    done = command(standalone, "console", "update")
    assert (done.exit_code, done.stdout) == (0, ""), done
    assert "the account's access is up to date" in done.stderr
    known = standalone.flow().context.octo.api.status(standalone.account_id).aws_options
    assert (known.status, known.template_version) == ("latest", "v2")
    assert client.describe_stacks(StackName=STACK)["Stacks"][0]["StackId"] == stack_id


def test_octo_updates_its_own_stack_only_after_consent(sandbox, octo, account, command, newer):
    standalone = octo(account("standalone"))
    client = registered(standalone, by_octos_template=True)
    newer()
    refused = command(standalone, "console", "update", "--by-octo")
    assert refused.exit_code == 64, refused  # nobody is here to answer
    assert client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    sandbox.faults.add(
        {"service": "octo", "action": "UpdateAccountAccess", "error": "PermissionDenied"}
    )
    down = command(standalone, "console", "update", "--by-octo", "--yes")
    assert down.exit_code == 1, down
    sandbox.faults.clear()
    done = command(standalone, "console", "update", "--by-octo", "--yes")
    assert done.exit_code == 0, done
    assert client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"


def test_a_stack_in_another_region_than_octo_yamls_is_found_where_it_is(
    octo, account, command, newer
):
    standalone = octo(account("standalone"))
    client = registered(standalone, by_octos_template=True, region="eu-central-1")
    newer()
    asked = command(standalone, "console", "update", "--json")
    assert asked.exit_code == 4, asked
    document = json.loads(asked.stdout)
    stack = document["stack"]
    assert (stack["name"], stack["region"]) == (STACK, "eu-central-1")
    place = ["--region", "eu-central-1", "--profile", standalone.profile]
    assert stack["command"][-4:] == place
    assert "region=eu-central-1" in stack["page"]
    assert [m["actions"] for m in document["outdated"]["missing"] if m["is_new"]] == [[*ADDED]]
    assert document["octo"]["outdated"]
    assert EXTERNAL_ID not in asked.stdout
    assert f"{STACK} in eu-central-1" in asked.stderr
    assert carry_out(client, shlex.join(stack["command"])) == "UPDATE_COMPLETE"
    done = command(standalone, "console", "update", "--json")
    assert (done.exit_code, json.loads(done.stdout)["octo"]["state"]) == (0, "confirmed"), done
    (leaving,) = stacks_to_delete(standalone.flow())
    assert (leaving.name, leaving.region) == (STACK, "eu-central-1")


def test_an_update_that_octos_role_may_not_make_is_explained_with_a_fix(
    octo, account, command, newer
):
    standalone = octo(account("standalone"))
    registered(standalone, by_octos_template=True)
    actions = ["cloudformation:UpdateStack", "s3:GetObject"]  # no longer iam:PutRolePolicy
    some = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    standalone.client("iam").put_role_policy(
        RoleName="AlphausAcctAccessRole",
        PolicyName="octo-template-upgrade",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [some]}),
    )
    newer()
    failed = command(standalone, "console", "update", "--by-octo", "--yes")
    assert failed.exit_code == 1, failed
    assert "UPDATE_ROLLBACK_FAILED" in failed.stderr
    assert "the account's own credentials" in failed.stderr
    (advice,) = (
        finding.remedy
        for finding in findings(standalone.check()).values()
        if "UPDATE_ROLLBACK_FAILED" in finding.summary
    )
    assert "Continue update rollback" in advice
    assert "Do not delete it" in advice
    refused = command(standalone, "console", "update")
    assert refused.exit_code == 5, refused
    continued = re.search(r"Run (aws cloudformation continue-update-rollback .*?),", refused.stderr)
    assert continued, refused
    assert continued[1].endswith(f" --region us-east-1 --profile {standalone.profile}")
    name = shlex.split(continued[1])[4]
    cloudformation = standalone.client("cloudformation")
    cloudformation.continue_update_rollback(StackName=name)
    asked = command(standalone, "console", "update")
    assert carry_out(cloudformation, asked.stdout) == "UPDATE_COMPLETE"


def test_a_stack_of_octo_tfs_template_is_updated_by_octo_yaml(octo, account, command, newer):
    standalone = octo(account("standalone"))
    client = registered(standalone, by_octos_template=False)
    newer()
    asked = command(standalone, "console", "update")
    assert asked.exit_code == 4, asked
    assert f"Add to additional_actions in octo.yaml: {', '.join(ADDED)}." in asked.stderr
    assert command(standalone, "console", "update", "--by-octo").exit_code == 64
    standalone.settings["additional_actions"] = [*ADDED]
    asked = command(standalone, "console", "update")
    assert carry_out(client, asked.stdout) == "UPDATE_COMPLETE"
    assert command(standalone, "console", "update").exit_code == 0


def test_linked_accounts_that_were_skipped_are_deployed_to_by_the_same_stack(
    sandbox, octo, account, command, trusted_access, session
):
    payer = octo(account("payer"))
    client = registered(payer, by_octos_template=True)
    root = session("payer").client("organizations").list_roots()["Roots"][0]["Id"]
    wrong = command(payer, "console", "update", "--target", "ou-abcd-11111111")
    assert (wrong.exit_code, f"or the root {root}" in wrong.stderr) == (64, True), wrong
    asked = command(payer, "console", "update", "--target", root)
    assert asked.exit_code == 4, asked
    assert carry_out(client, asked.stdout) == "UPDATE_COMPLETE"
    stack_set = client.describe_stack_set(StackSetName="AlphausOrgStackset")["StackSet"]
    assert stack_set["OrganizationalUnitIds"] == [root]
    again = command(payer, "console", "update", "--target", root)
    assert again.exit_code == 64, again  # nobody is here to answer
    assert not sandbox.octo.accounts[payer.account_id].stack_set
    done = command(payer, "console", "update", "--target", root, "--yes")
    assert done.exit_code == 0, done
    assert sandbox.octo.accounts[payer.account_id].stack_set


def test_a_stackset_of_a_stack_of_its_own_is_updated_too_and_confirmed(
    sandbox, octo, account, command, newer, trusted_access
):
    payer = octo(account("payer", stackset_excluded_accounts=[sandbox.accounts["linked-2"]]))
    client = registered(payer, by_octos_template=False)
    assert payer.deploy("stackset") == ["CREATE_COMPLETE"]
    await_stackset(client)
    payer.flow().context.octo.api.confirm_stackset(payer.account_id, "us-east-1")
    linked = sandbox.accounts["linked-1"]
    newer()
    payer.settings["additional_actions"] = [*ADDED]

    asked = command(payer, "console", "update", "--json")
    assert asked.exit_code == 4, asked
    document = json.loads(asked.stdout)
    assert document["stackset"]["name"] == "AlphausLinkedAccountAccess"
    assert carry_out(client, shlex.join(document["stack"]["command"])) == "UPDATE_COMPLETE"
    half = command(payer, "console", "update")
    assert half.exit_code == 4, half
    assert "the account's access is up to date" in half.stderr
    (line,) = half.stdout.splitlines()
    assert carry_out(client, line, "AlphausLinkedAccountAccess") == "UPDATE_COMPLETE"
    await_stackset(client)

    asking = command(payer, "console", "update")
    assert asking.exit_code == 64, asking  # nobody is here to answer
    (said,) = re.findall("Octo calls the access of linked accounts outdated: .*", asking.stderr)
    assert linked in said
    assert sandbox.accounts["linked-2"] not in said
    done = command(payer, "console", "update", "--yes")
    assert (done.exit_code, done.stdout) == (0, ""), done
    assert sandbox.octo.accounts[linked].template_version == "v2"
    again = command(payer, "console", "update")
    assert (again.exit_code, again.stdout) == (0, ""), again


def await_stackset(client: Any) -> None:
    name = "alphaus-api-access-stackset"

    def ended() -> bool:
        operations = client.list_stack_set_operations(StackSetName=name)["Summaries"]
        return all(one["Status"] not in ("RUNNING", "QUEUED") for one in operations)

    wait_until(ended, "every operation of the StackSet has ended")


def test_a_stackset_that_no_stack_made_is_named_with_what_takes_it_over(
    octo, account, command, trusted_access
):
    payer = octo(account("payer"))
    client = registered(payer, by_octos_template=False)
    name = "alphaus-api-access-stackset"
    client.create_stack_set(
        StackSetName=name,
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
    )
    said = command(payer, "console", "update")
    client.delete_stack_set(StackSetName=name)
    assert (said.exit_code, said.stdout) == (0, ""), said
    assert f"StackSet {name} (us-east-1) differs from octo.yaml" in said.stderr
    assert "no stack created it" in said.stderr
    assert "octo-tf adopt" in said.stderr


def test_a_linked_account_of_a_stackset_is_sent_to_its_payer(
    sandbox, octo, account, command, newer, trusted_access
):
    payer, linked = octo(account("payer")), octo(account("linked-1"))
    client = registered(payer, by_octos_template=False)
    payer.deploy("stackset")
    await_stackset(client)
    payer.flow().context.octo.api.confirm_stackset(payer.account_id, "us-east-1")
    newer()
    refused = command(linked, "console", "update")
    assert refused.exit_code == 64, refused
    assert "is deployed by a StackSet of the payer" in refused.stderr
    assert "with the payer's octo.yaml" in refused.stderr
    assert refused.stdout == ""


def test_without_a_stack_nothing_is_updated(sandbox, octo, account, command, newer):
    standalone = octo(account("standalone"))
    standalone.flow().register()
    known = sandbox.octo.accounts[standalone.account_id]
    known.api_access, known.template_version = True, "v1"
    newer()
    refused = command(standalone, "console", "update")
    assert refused.exit_code == 64
    assert "no stack made AlphausAcctAccessRole" in refused.stderr


def commands_of_the_page() -> list[list[str]]:
    blocks = re.findall(r"```\n\s*(octo-tf .+?)\n\s*```", PAGE.read_text())
    return [shlex.split(line)[1:] for line in blocks]


def test_the_commands_of_the_page_run(octo, account, command, newer, trusted_access, session):
    """Every command of the page, in its order, for a payer whose linked accounts were skipped."""
    payer = octo(account("payer"))
    client = registered(payer, by_octos_template=True)
    root = session("payer").client("organizations").list_roots()["Roots"][0]["Id"]
    newer()
    codes = []
    for arguments in commands_of_the_page():
        wanted = [root if word == "r-abcd" else word for word in arguments]
        consent = ["--yes"] if "--by-octo" in wanted else []
        done = command(payer, *wanted, *consent)
        codes.append((" ".join(arguments), done.exit_code))
        if "--target" in arguments:
            assert carry_out(client, done.stdout) == "UPDATE_COMPLETE"
    assert codes == [
        ("status", 0),
        ("status --detailed-exitcode", 2),
        ("console update", 4),
        ("console update --by-octo", 0),
        ("console update --target r-abcd", 4),
        ("accounts", 0),
        ("console check api-access", 3),  # the template of Octo's is not octo-tf's
    ]
