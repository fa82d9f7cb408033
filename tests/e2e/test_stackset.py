"""A registered payer of twelve linked accounts, upgraded to StackSet in place, and what follows."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.model.module_contract.addresses import LINKED_ACCOUNTS, MODULE, STACKSET
from orchestrator.sandbox import control
from tests.e2e.conftest import (
    EXTERNAL_ID,
    TWELVE,
    Checkpoint,
    Project,
    RunningSandbox,
    failing,
    hint,
)

SANDBOX = TWELVE
NAME = "alphaus-api-access-stackset"
ROLE = "AlphausAcctAccessRole"
SET = MODULE + STACKSET
BY_HAND = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def payer(sandbox, registered_payer) -> Project:
    """A payer that is registered without a StackSet."""
    return sandbox.restore(registered_payer)["payer"]


def identities(sandbox: RunningSandbox) -> dict[str, Any]:
    """What AWS gives to a thing once: it changes when the thing is recreated."""
    iam, s3 = sandbox.client("payer", "iam"), sandbox.client("payer", "s3")
    roles = ("AlphausAcctAccessRole", "AlphausAcctAccessCurRole")
    return {
        **{name: iam.get_role(RoleName=name)["Role"]["RoleId"] for name in roles},
        **{bucket["Name"]: bucket["CreationDate"] for bucket in s3.list_buckets()["Buckets"]},
    }


def stacks(sandbox: RunningSandbox) -> dict[str, str]:
    client = sandbox.client("payer", "cloudformation")
    pages = client.get_paginator("list_stack_instances").paginate(StackSetName=NAME)
    return {
        s["Account"]: s["StackInstanceStatus"]["DetailedStatus"]
        for page in pages
        for s in page["Summaries"]
    }


def evidence(report: dict[str, Any]) -> dict[str, Any]:
    return next(c["evidence"] for c in report["checks"] if c["id"] == "stackset.coverage")


def has_role(sandbox: RunningSandbox, profile: str) -> bool:
    roles = sandbox.client(profile, "iam").list_roles()["Roles"]
    return ROLE in {role["RoleName"] for role in roles}


def deny(sandbox: RunningSandbox, **settings: Any) -> None:
    """No stack can be made, as a service control policy has it."""
    sandbox.fault(service="cloudformation", action="CreateStack", error="AccessDenied", **settings)


@dataclass(frozen=True)
class Upgrade:
    """An upgrade that failed in one account, with what AWS had given before and gave after."""

    result: subprocess.CompletedProcess[str]
    before: dict[str, Any]
    after: dict[str, Any]
    checkpoint: Checkpoint


@pytest.fixture(scope="module")
def upgrade(unused_sandbox, registered_payer) -> Upgrade:
    sandbox = unused_sandbox()
    payer = sandbox.restore(registered_payer)["payer"]
    octo_yaml = payer.folder / "octo.yaml"
    octo_yaml.write_text(octo_yaml.read_text() + "# Mine.\nuse_stackset: false # not yet\n")
    before = identities(sandbox)
    deny(sandbox, account=sandbox.account("linked-5"))
    result = payer("upgrade", "--yes", "--enable-trusted-access", "--json", "-v")
    return Upgrade(result, before, identities(sandbox), sandbox.checkpoint())


@pytest.fixture(scope="module")
def upgraded_everywhere(unused_sandbox, upgrade) -> Checkpoint:
    sandbox = unused_sandbox()
    payer = sandbox.restore(upgrade.checkpoint)["payer"]
    retried = payer("stackset", "retry", "--yes", "--json")
    assert retried.returncode == 0, retried.stdout + retried.stderr
    return sandbox.checkpoint()


@pytest.fixture
def upgraded(sandbox, upgraded_everywhere) -> Project:
    """A payer whose StackSet has reached every account."""
    return sandbox.restore(upgraded_everywhere)["payer"]


def test_without_trusted_access_nothing_is_written(payer):
    before, serial = (payer.folder / "octo.yaml").read_bytes(), payer.state_serial()
    refused = payer("upgrade", "--yes")
    assert refused.returncode == 5
    assert "--enable-trusted-access" in refused.stderr
    assert (payer.folder / "octo.yaml").read_bytes() == before
    assert payer.state_serial() == serial


def test_a_role_made_by_hand_is_named_before_anything_is_written(sandbox, payer):
    iam = sandbox.client("linked-3", "iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(BY_HAND))
    refused = payer("upgrade", "--yes", "--enable-trusted-access")
    assert refused.returncode == 5
    assert sandbox.account("linked-3") in refused.stderr
    assert "stackset_excluded_accounts" in refused.stderr
    assert sandbox.client("payer", "cloudformation").list_stack_sets()["Summaries"] == []
    advised = f"--stackset-excluded-account {sandbox.account('linked-3')}"
    assert advised in refused.stderr
    followed = payer("upgrade", "--yes", "--enable-trusted-access", *advised.split())
    assert followed.returncode == 0, followed.stderr
    assert sandbox.account("linked-3") in (payer.folder / "octo.yaml").read_text()
    assert payer("plan", "--detailed-exitcode").returncode == 0


def test_the_upgrade_adds_and_keeps_everything(sandbox, upgrade):
    payer = sandbox.restore(upgrade.checkpoint)["payer"]
    # One of twelve is within the tolerance, and no success.
    assert upgrade.result.returncode == 3, upgrade.result.stderr
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in upgrade.result.stderr
    assert "Kept as it was: role AlphausAcctAccessRole" in upgrade.result.stderr
    text = (payer.folder / "octo.yaml").read_text()
    assert text.endswith("# Mine.\nuse_stackset: true # not yet\n")
    assert upgrade.after == upgrade.before
    assert not (payer.root / "upgrade.json").exists()


def test_an_account_that_the_upgrade_did_not_reach_is_named_with_its_reason(sandbox, upgrade):
    report = json.loads(upgrade.result.stdout)
    assert report["areas"] == {"api_access": "pass", "cur_s3": "pass", "stackset": "fail"}
    assert failing(report) == {"stackset.coverage", "stackset.operation"}
    seen = evidence(report)
    assert seen["counts"] == {"current": 11, "failed": 1, "suspended": 1}
    reason = seen["others"][sandbox.account("linked-5")]["reason"]
    assert "service control policy" in reason
    assert "within its tolerance" in next(
        c["summary"] for c in report["checks"] if c["id"] == "stackset.operation"
    )
    assert "stackset retry" in hint(report, "stackset.operation")


def test_octos_side_knows_those_that_are_reached(sandbox, upgrade):
    payer = sandbox.restore(upgrade.checkpoint)["payer"]
    ledger = json.loads((payer.root / "ledger.json").read_text())["accounts"]
    linked = {a for a, record in ledger.items() if record["account_type"] == "linked"}
    everyone = {sandbox.account(f"linked-{n}") for n in range(1, 13)}
    assert linked == everyone - {sandbox.account("linked-5")}


def test_a_failed_account_is_retried_alone(sandbox, upgrade):
    payer = sandbox.restore(upgrade.checkpoint)["payer"]
    deny(sandbox, account=sandbox.account("linked-5"))
    still = payer("stackset", "retry", "--yes")
    assert still.returncode == 3
    assert "service control policy" in " ".join(still.stdout.split())
    sandbox.clear_faults()
    operations = len(sandbox.operations())
    retried = payer("stackset", "retry", "--yes", "--json")
    assert retried.returncode == 0, retried.stdout + retried.stderr
    assert json.loads(retried.stdout)["counts"] == {"current": 12, "suspended": 1}
    assert len(sandbox.operations()) == operations + 1
    code, report = payer.verify()
    assert (code, failing(report)) == (0, set())


def test_a_second_plan_is_empty(upgraded):
    plan = upgraded("plan", "--detailed-exitcode", "--json")
    assert plan.returncode == 0, plan.stdout
    document = json.loads(plan.stdout)
    assert document["changes"] == []
    assert not any(document["linked_accounts"].values())
    assert all(action["conditional"] for action in document["outside"])


def test_what_the_stacks_made_is_what_the_payer_has(sandbox, upgraded):
    """One source for both: trust and policies are the same, document by document."""
    found = []
    for profile in ("payer", "linked-1", "linked-12"):
        iam = sandbox.client(profile, "iam")
        policies = {
            name: iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
        }
        trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
        found.append((policies, trust))
    assert found[0] == found[1] == found[2]


def test_an_account_that_joins_is_picked_up(sandbox, upgraded):
    organizations = sandbox.client("payer", "organizations")
    made = organizations.create_account(AccountName="newcomer", Email="newcomer@example.com")
    newcomer = organizations.describe_create_account_status(
        CreateAccountRequestId=made["CreateAccountStatus"]["Id"]
    )["CreateAccountStatus"]["AccountId"]
    code, report = upgraded.verify()
    assert code in (0, 4), failing(report)
    code, report = upgraded.verify()
    assert (code, evidence(report)["counts"]) == (0, {"current": 13, "suspended": 1})
    ledger = json.loads((upgraded.root / "ledger.json").read_text())["accounts"]
    assert ledger[newcomer]["account_name"] == "newcomer"
    assert upgraded("plan", "--detailed-exitcode").returncode == 0


def test_a_role_changed_by_hand_is_found_and_its_stack_recreated(sandbox, upgraded):
    trust = sandbox.client("linked-2", "iam").get_role(RoleName=ROLE)["Role"][
        "AssumeRolePolicyDocument"
    ]
    del trust["Statement"][0]["Condition"]
    sandbox.client("linked-2", "iam").update_assume_role_policy(
        RoleName=ROLE, PolicyDocument=json.dumps(trust)
    )
    code, report = upgraded.verify()
    assert (code, failing(report)) == (3, {"stackset.access"})
    assert (
        upgraded("stackset", "retry", "--yes", "--account", sandbox.account("linked-2")).returncode
        == 0
    )
    assert upgraded.verify()[0] == 0


@pytest.fixture(scope="module")
def excluded(unused_sandbox, upgraded_everywhere) -> Checkpoint:
    sandbox = unused_sandbox()
    payer = sandbox.restore(upgraded_everywhere)["payer"]
    payer.settings(stackset_excluded_accounts=[sandbox.account("linked-7")])
    payer("plan", "--json")
    applied = payer("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


def test_an_excluded_account_leaves_and_keeps_its_role(sandbox, excluded):
    payer = sandbox.restore(excluded)["payer"]
    leaving = sandbox.account("linked-7")
    plan = json.loads(payer.ran[-2].stdout)
    assert plan["linked_accounts"]["remove"] == [leaving]
    assert leaving not in stacks(sandbox)
    assert has_role(sandbox, "linked-7")
    assert payer("plan", "--detailed-exitcode").returncode == 0


def test_an_account_that_is_wanted_again_is_deployed_to(sandbox, excluded):
    payer = sandbox.restore(excluded)["payer"]
    octo_yaml = payer.folder / "octo.yaml"
    octo_yaml.write_text(octo_yaml.read_text().replace("stackset_excluded_accounts", "#"))
    refused = payer("apply", "--yes")  # the role was left there
    assert refused.returncode == 5
    iam = sandbox.client("linked-7", "iam")
    for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    iam.delete_role(RoleName=ROLE)
    applied = payer("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert stacks(sandbox)[sandbox.account("linked-7")] == "SUCCEEDED"


def test_an_interrupt_halfway_loses_nothing(sandbox, upgraded):
    """Another payer role set: the template changes, every stack is updated, Ctrl-C comes."""
    control.pace(sandbox.endpoint, 6)
    upgraded.interrupted(
        *("apply", "--yes", "-v"),
        *("--feature", "cost", "--feature", "recommendations"),
        when=lambda: any(o["Status"] == "RUNNING" for o in sandbox.operations()),
    )
    upgraded.settings(features=["cost", "recommendations"])
    sandbox.idle_instance("payer")
    applied = upgraded("apply", "--yes", "--json")
    control.pace(sandbox.endpoint, 0)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert set(stacks(sandbox).values()) <= {"SUCCEEDED", "SKIPPED_SUSPENDED_ACCOUNT"}
    assert upgraded("plan", "--detailed-exitcode").returncode == 0


@dataclass(frozen=True)
class Retargeted:
    """An apply that put the root's OUs in the place of the root as targets."""

    result: subprocess.CompletedProcess[str]
    before: dict[str, str]
    operations_before: int
    checkpoint: Checkpoint


@pytest.fixture(scope="module")
def retargeted(unused_sandbox, upgraded_everywhere) -> Retargeted:
    sandbox = unused_sandbox()
    payer = sandbox.restore(upgraded_everywhere)["payer"]
    before, operations = stacks(sandbox), len(sandbox.operations())
    payer.settings(stackset_targets=sorted(sandbox.ous().values()))
    applied = payer("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return Retargeted(applied, before, operations, sandbox.checkpoint())


def test_the_root_can_be_replaced_by_its_ous(sandbox, retargeted):
    """Nobody who is still wanted is taken out, not even for a moment."""
    payer = sandbox.restore(retargeted.checkpoint)["payer"]
    organizations = sandbox.client("payer", "organizations")
    before = retargeted.before
    top = {a for a in before if _home(organizations, a) == _root(organizations)}
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in retargeted.result.stderr
    assert set(stacks(sandbox)) == set(before) - top
    deleted = [
        o["OperationId"]
        for o in sandbox.operations()[: -retargeted.operations_before]
        if o["Action"] == "DELETE"
    ]
    client = sandbox.client("payer", "cloudformation")
    for operation in deleted:
        results = client.list_stack_set_operation_results(StackSetName=NAME, OperationId=operation)[
            "Summaries"
        ]
        assert {r["Account"] for r in results} <= top
    assert payer("plan", "--detailed-exitcode").returncode == 0


def test_one_target_inside_another_is_refused(sandbox, upgraded):
    organizations = sandbox.client("payer", "organizations")
    outer = sandbox.ous()["Workloads"]
    inner = organizations.list_organizational_units_for_parent(ParentId=outer)
    refused = upgraded(
        "plan",
        f"--stackset-target={outer}",
        f"--stackset-target={inner['OrganizationalUnits'][0]['Id']}",
    )
    assert refused.returncode == 64
    assert "inside another target" in refused.stderr


def test_a_dropped_target_takes_its_own_accounts_only(sandbox, retargeted):
    payer = sandbox.restore(retargeted.checkpoint)["payer"]
    ous = sandbox.ous()
    before = stacks(sandbox)
    kind = "aws_cloudformation_stack_set_instance"
    address = f'{MODULE}{LINKED_ACCOUNTS}{kind}.api_access["{ous["Platform"]}"]'
    arguments = ("apply", "--yes", "--json", f"--stackset-target={ous['Workloads']}")
    refused = payer(*arguments)
    assert refused.returncode == 5
    assert address in refused.stderr
    assert stacks(sandbox) == before
    allowed = payer(*arguments, f"--allow-destroy={address}")
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    kept = evidence(json.loads(allowed.stdout))["counts"]
    assert set(stacks(sandbox)) < set(before)
    assert kept["current"] == len(stacks(sandbox)) - kept.get("suspended", 0)
    plan = payer("plan", "--detailed-exitcode", f"--stackset-target={ous['Workloads']}")
    assert plan.returncode == 0


def test_switching_it_off_is_refused_until_it_is_named(sandbox, upgraded):
    refused = upgraded("apply", "--yes", "--no-use-stackset")
    assert refused.returncode == 5
    assert SET in refused.stderr
    addresses = [
        line.split(": the plan would")[0].strip()
        for line in refused.stderr.splitlines()
        if ": the plan would delete it" in line
    ]
    assert len(addresses) == 2
    allowed = upgraded(
        *("apply", "--yes", "--json", "--no-use-stackset"),
        *(f"--allow-destroy={address}" for address in addresses),
    )
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert json.loads(allowed.stdout)["areas"]["stackset"] == "skipped"
    assert sandbox.client("payer", "cloudformation").list_stack_sets()["Summaries"] == []
    assert all(has_role(sandbox, f"linked-{number}") for number in range(1, 13))


def test_a_loud_failure_shows_no_external_id_and_leaves_no_file_open(sandbox, payer):
    """Terraform and octo-tf say all they can, and every account fails."""
    loud = {"TF_LOG": "TRACE", "OCTO_TF_VERBOSE": "1"}
    deny(sandbox)
    for words in (
        ("upgrade", "--yes", "--enable-trusted-access"),
        ("stackset", "status", "--all"),
        ("stackset", "retry", "--yes"),
    ):
        assert payer(*words, **loud).returncode != 0
    assert payer.exposures(EXTERNAL_ID) == []


def _root(organizations: Any) -> str:
    return str(organizations.list_roots()["Roots"][0]["Id"])


def _home(organizations: Any, account_id: str) -> str:
    return str(organizations.list_parents(ChildId=account_id)["Parents"][0]["Id"])
