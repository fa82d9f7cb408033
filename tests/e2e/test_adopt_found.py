"""What a person created by hand, or a stack in the console, is adopted as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import EXTERNAL_ID, Checkpoint, Project, RunningSandbox, failing
from tests.registered import ROLE, trust

TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"ExternalId": {"Type": "String"}},
    "Resources": {
        "Octo": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": ROLE,
                "AssumeRolePolicyDocument": {
                    **json.loads(trust()),
                    "Statement": [
                        {
                            **json.loads(trust())["Statement"][0],
                            "Condition": {
                                "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}
                            },
                        }
                    ],
                },
            },
        }
    },
}


@pytest.fixture
def by_hand(sandbox) -> Project:
    """A role with a policy that is too much, and somebody else in its trust; no octo.yaml yet."""
    return make_by_hand(sandbox)


def make_by_hand(sandbox: RunningSandbox) -> Project:
    iam = sandbox.client("linked-1", "iam")
    document = json.loads(trust(EXTERNAL_ID))
    other = {"AWS": f"arn:aws:iam::{sandbox.account('standalone')}:root"}
    document["Statement"].append({**document["Statement"][0], "Principal": other})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(document))
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(
        RoleName=ROLE,
        PolicyName="Everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", **everything}),
    )
    return sandbox.empty_project("linked-1")


@dataclass(frozen=True)
class Adopted:
    """A role made by hand after its adoption, which was the last thing that ran."""

    role_id: str  # before
    checkpoint: Checkpoint


@pytest.fixture(scope="module")
def adopted(unused_sandbox) -> Adopted:
    sandbox = unused_sandbox()
    project = make_by_hand(sandbox)
    role = sandbox.client("linked-1", "iam").get_role(RoleName=ROLE)["Role"]
    project("adopt", "--purge-policies", "--yes", "--json", "--account-id", project.account_id)
    return Adopted(role["RoleId"], sandbox.checkpoint())


def test_the_account_must_be_named(by_hand):
    result = by_hand("adopt", "--yes")
    assert result.returncode == 64
    assert "--account-id" in result.stderr


def test_discover_shows_it_and_changes_nothing(by_hand):
    result = by_hand("discover", "--json")
    assert result.returncode == 0, result.stderr
    (role,) = json.loads(result.stdout)["found"]
    assert (role["name"], role["owner"], role["fate"]) == (ROLE, "unknown", "adopt")
    assert role["risks"] == ["everything (AdministratorAccess)"]
    assert list(by_hand.folder.iterdir()) == []


def test_another_account_is_refused(sandbox, by_hand):
    result = by_hand("adopt", "--yes", "--account-id", sandbox.account("payer"))
    assert result.returncode == 5
    assert list(by_hand.folder.iterdir()) == []


def test_on_a_terminal_a_person_is_asked_and_no_changes_nothing(sandbox, by_hand):
    iam = sandbox.client("linked-1", "iam")
    before = iam.get_role(RoleName=ROLE)["Role"]
    adopt = ("adopt", "--account-id", by_hand.account_id)
    accept, applies = "Accept these 2 removals?", f"Apply this to account {by_hand.account_id}?"
    code, shown = by_hand.on_terminal(*adopt, answers={accept: "n"})
    assert code == 5
    assert "inline policy Everything" in shown
    assert applies not in shown
    code, shown = by_hand.on_terminal(*adopt, answers={accept: "y", applies: "n"})
    assert code == 1
    assert "cancelled" in shown
    assert iam.get_role(RoleName=ROLE)["Role"] == before
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["Everything"]
    assert not (by_hand.folder / "octo.yaml").exists()


def test_what_is_too_much_is_listed_and_kept_without_consent(sandbox, by_hand):
    iam = sandbox.client("linked-1", "iam")
    refused = by_hand("adopt", "--yes", "--account-id", by_hand.account_id)
    assert refused.returncode == 5, refused.stderr
    assert "inline policy Everything" in refused.stderr
    assert f"trust in {sandbox.account('standalone')}" in refused.stderr
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["Everything"]
    assert not (by_hand.folder / "octo.yaml").exists()


def test_with_consent_the_role_stays_and_what_is_too_much_goes(sandbox, adopted):
    project = sandbox.restore(adopted.checkpoint)["linked-1"]
    done = project.ran[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert failing(json.loads(done.stdout)) == set()
    iam = sandbox.client("linked-1", "iam")
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["octo-cost"]
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == adopted.role_id
    secret = project.folder / "octo.external-id"
    assert secret.read_text().strip() == EXTERNAL_ID  # from the role's own trust
    assert secret.stat().st_mode & 0o777 == 0o600


def test_adopting_again_is_a_no_op(sandbox, adopted):
    project = sandbox.restore(adopted.checkpoint)["linked-1"]
    again = project("adopt", "--yes", "--json")
    assert again.returncode == 0, again.stderr
    assert "Nothing to adopt" in again.stderr
    assert project("plan", "--detailed-exitcode").returncode == 0
    found = json.loads(project("discover", "--json").stdout)["found"]
    assert [thing["fate"] for thing in found] == ["ours"]


@pytest.fixture
def console(sandbox) -> Project:
    """A role that a stack owns."""
    client = sandbox.client("linked-2", "cloudformation")
    client.create_stack(
        StackName="octo-console",
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(
        StackName="octo-console", WaiterConfig={"Delay": 1}
    )
    return sandbox.empty_project("linked-2")


def stacks(sandbox: RunningSandbox) -> list[str]:
    found = sandbox.client("linked-2", "cloudformation").describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found]


@pytest.mark.parametrize("command", ["adopt", "apply"])
def test_what_a_stack_owns_is_refused(sandbox, console, command):
    settings = ("--account-id", console.account_id, "--external-id", EXTERNAL_ID)
    refused = console(command, "--yes", *settings)
    assert refused.returncode == 5, refused.stderr
    assert "octo-console" in refused.stderr
    assert "--release-stack octo-console" in refused.stderr
    assert stacks(sandbox) == ["octo-console"]
    assert not (console.folder / "octo.yaml").exists()


@pytest.mark.longer
def test_a_stack_that_owns_nothing_is_not_touched(sandbox, console):
    arguments = ("--yes", "--account-id", console.account_id, "--release-stack", "another")
    assert console("adopt", *arguments).returncode == 64


RELEASE = ("adopt", "--release-stack", "octo-console")
LINES = (
    "> Write octo.yaml and the file of the external id.",
    "> Delete the CloudFormation stack octo-console (us-east-1); its resources stay",
)


def test_the_release_of_a_stack_is_a_line_of_the_plan(sandbox, console):
    shown = console(*RELEASE, "--plan-only", "--account-id", console.account_id)
    assert shown.returncode == 0, shown.stderr
    lines = [line.strip() for line in shown.stdout.splitlines()]
    for line in LINES:
        assert [one for one in lines if one.startswith(line)], lines
    assert "to import" in shown.stdout
    assert stacks(sandbox) == ["octo-console"]
    assert not (console.folder / "octo.yaml").exists()


def test_without_an_answer_the_stack_stays(sandbox, console):
    refused = console(*RELEASE, "--account-id", console.account_id)
    assert refused.returncode == 64, refused.stderr
    assert stacks(sandbox) == ["octo-console"]
    assert not (console.folder / "octo.yaml").exists()


def test_no_keeps_the_stack_and_asks_once(sandbox, console):
    question = f"Apply this to account {console.account_id}?"
    code, shown = console.on_terminal(
        *RELEASE, "--account-id", console.account_id, answers={question: "n"}
    )
    assert code == 1
    assert shown.count("[y/N]") == 1
    assert stacks(sandbox) == ["octo-console"]
    assert not (console.folder / "octo.yaml").exists()


def test_a_released_stack_is_deleted_its_role_stays_and_it_can_be_done_again(sandbox, console):
    iam = sandbox.client("linked-2", "iam")
    role_id = iam.get_role(RoleName=ROLE)["Role"]["RoleId"]
    arguments = ("--yes", "--json", "--account-id", console.account_id)
    done = console(*RELEASE, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert failing(json.loads(done.stdout)) == set()
    assert stacks(sandbox) == []
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == role_id
    assert console("plan", "--detailed-exitcode").returncode == 0

    tagged = console(*RELEASE, *arguments, "--tag", "team=finance")
    assert tagged.returncode == 0, tagged.stdout + tagged.stderr
    assert "> Set tags in octo.yaml." in tagged.stderr
    assert 'tags: {"team": "finance"}' in (console.folder / "octo.yaml").read_text()

    again = console(*RELEASE, *arguments)
    assert again.returncode == 0, again.stderr
    assert "No stack octo-console owns anything" in again.stderr
    assert "Nothing to adopt" in again.stderr


ELSEWHERE = "ap-northeast-1"


@pytest.fixture
def elsewhere(sandbox) -> Project:
    """A role that a stack in a region owns of which nothing in the account tells."""
    client = sandbox.client("linked-1", "cloudformation", ELSEWHERE)
    client.create_stack(
        StackName="AlphausAccountAccess",
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(
        StackName="AlphausAccountAccess", WaiterConfig={"Delay": 1}
    )
    return sandbox.empty_project("linked-1")


@pytest.mark.longer
def test_a_stack_in_another_region_is_discovered_with_its_region(elsewhere):
    result = elsewhere("discover", "--json")
    assert result.returncode == 0, result.stderr
    (role,) = json.loads(result.stdout)["found"]
    assert (role["owner"], role["owner_region"]) == ("stack AlphausAccountAccess", ELSEWHERE)
    assert role["fate"] == "release first"
    assert ELSEWHERE in json.loads(result.stdout)["notes"][-1]


@pytest.mark.longer
@pytest.mark.parametrize("command", ["adopt", "apply"])
def test_a_stack_in_another_region_is_refused(elsewhere, command):
    settings = ("--account-id", elsewhere.account_id, "--external-id", EXTERNAL_ID)
    refused = elsewhere(command, "--yes", *settings)
    assert refused.returncode == 5, refused.stderr
    assert f"AlphausAccountAccess in {ELSEWHERE}" in refused.stderr


@pytest.mark.case("adopt-stack-in-another-region")
def test_a_stack_in_another_region_is_released_and_its_role_stays(sandbox, elsewhere):
    iam = sandbox.client("linked-1", "iam")
    role_id = iam.get_role(RoleName=ROLE)["Role"]["RoleId"]
    done = elsewhere(
        *("adopt", "--yes", "--json", "--account-id", elsewhere.account_id),
        *("--release-stack", "AlphausAccountAccess"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert failing(json.loads(done.stdout)) == set()
    assert sandbox.client("linked-1", "cloudformation", ELSEWHERE).describe_stacks()["Stacks"] == []
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == role_id


def test_a_role_under_a_path_is_refused_with_what_can_be_done(sandbox):
    iam = sandbox.client("linked-1", "iam")
    iam.create_role(RoleName=ROLE, Path="/octo/", AssumeRolePolicyDocument=trust(EXTERNAL_ID))
    project = sandbox.empty_project("linked-1")
    (role,) = json.loads(project("discover", "--json").stdout)["found"]
    assert role["fate"] == "stays"
    settings = ("--account-id", project.account_id, "--external-id", EXTERNAL_ID)
    for command in ("adopt", "apply"):
        refused = project(command, "--yes", *settings)
        assert refused.returncode == 5, refused.stderr
        assert "its path is /octo/" in refused.stderr
        assert "Delete the role" in refused.stderr
    assert not (project.folder / "octo.yaml").exists()


@pytest.mark.longer
def test_with_octo_yaml_lost_the_bucket_of_its_state_stays_octo_tfs(sandbox):
    """Its name does not say that it is Octo's: what the state has is never planned to go."""
    name = f"acme-billing-{sandbox.account('standalone')}"
    project = sandbox.project("standalone", cur_s3_bucket_name=name)
    applied = project("apply", "--yes")
    assert applied.returncode in (0, 4), applied.stdout + applied.stderr
    (project.folder / "octo.yaml").unlink()
    identity = ("--account-id", project.account_id, "--aws-profile", "standalone")
    shown = project("adopt", "--plan-only", "--json", *identity)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    plan = json.loads(shown.stdout)
    assert plan["totals"]["destroy"] == 0
    assert not [c for c in plan["changes"] if c["action"] in ("delete", "replace")]
    found = json.loads(project("discover", "--json", *identity).stdout)["found"]
    assert {thing["fate"] for thing in found if thing["kind"] == "bucket"} == {"ours"}
