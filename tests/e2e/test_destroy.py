"""An account leaves: what was made for Octo goes, the billing data stays, Octo forgets it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orchestrator.sandbox import control
from tests.e2e.conftest import Checkpoint, Project, RunningSandbox, without_octo
from tests.e2e.project import EXTERNAL_ID
from tests.guardrails import content
from tests.registered import ROLE, trust
from tests.waiting import wait_until

OCTO = True
LINKED = ("linked-1", "linked-2")


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    """A payer with a StackSet and a standalone account, each with a bucket of its own."""
    sandbox = unused_sandbox()
    projects = [
        sandbox.project("payer", use_stackset=True),
        sandbox.project("standalone"),
    ]
    arguments = ("apply", "--yes", "--wait", "60s", "--enable-trusted-access")
    with ThreadPoolExecutor() as pool:
        for applied in pool.map(lambda project: project(*arguments), projects):
            assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


def leave(project: Project, *arguments: str) -> Any:
    """Runs destroy as a pipeline does; it ends well."""
    result = project("destroy", "--yes", "--confirm-account", project.account_id, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def roles(sandbox: RunningSandbox, profile: str) -> list[str]:
    """The account's roles without AWS's own: of services, and Organizations' in each member."""
    found = sandbox.client(profile, "iam").list_roles()["Roles"]
    names = [r["RoleName"] for r in found if not r["Path"].startswith("/aws-service-role/")]
    return [name for name in names if name != "OrganizationAccountAccessRole"]


def buckets(sandbox: RunningSandbox, profile: str) -> list[str]:
    return [b["Name"] for b in sandbox.client(profile, "s3").list_buckets()["Buckets"]]


def known(sandbox: RunningSandbox, *profiles: str) -> list[str]:
    """Those of the profiles that Octo knows."""
    targets = {account.target for account in sandbox.octo_api().status_of_all()}
    return [profile for profile in profiles if sandbox.account(profile) in targets]


def discovered(project: Project) -> dict[str, str]:
    """What discover finds: the kind of each resource, by name."""
    document = json.loads(project("discover", "--json").stdout)
    return {found["name"]: found["kind"] for found in document["found"]}


def test_a_payer_leaves_with_its_linked_accounts_and_keeps_its_data(sandbox, registered):
    payer = sandbox.restore(registered)["payer"]
    assert known(sandbox, "payer", *LINKED) == ["payer", *LINKED]
    bucket = f"alphaus-cur-export-{payer.account_id}"
    s3 = sandbox.client("payer", "s3")
    before = s3.list_object_versions(Bucket=bucket)["Versions"]

    folder = payer.folder / ".octo-tf"
    folder.rename(payer.folder / "elsewhere")  # as on another machine
    refused = payer("destroy", "--yes", "--confirm-account", payer.account_id)
    assert refused.returncode == 5, refused.stderr
    for name in (f"role {ROLE}", "report curreport", "StackSet alphaus-", f"bucket {bucket}"):
        assert name in refused.stderr
    shutil.rmtree(folder)
    (payer.folder / "elsewhere").rename(folder)

    result = leave(payer, "--report", "html=leave.html,markdown=leave.md")
    assert f"The bucket {bucket} with its data." in result.stderr
    for name in ("leave.html", "leave.md"):
        assert ROLE in (payer.folder / name).read_text()
    assert known(sandbox, "payer", *LINKED, "standalone") == ["standalone"]
    assert [roles(sandbox, profile) for profile in ("payer", *LINKED)] == [[], [], []]
    assert s3.list_object_versions(Bucket=bucket)["Versions"] == before
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert discovered(payer) == {bucket: "bucket"}
    status = json.loads(payer("status", "--json").stdout)
    assert status["left_at"] >= status["destroyed_at"] > status["applied_at"]
    assert status["remaining"] == []

    log = control.changes(sandbox.endpoint)
    second = leave(payer)
    assert "Nothing to do" in second.stderr
    assert bucket in second.stderr
    assert control.changes(sandbox.endpoint) == log

    plan = json.loads(payer("plan", "--json").stdout)
    imported = [change["type"] for change in plan["changes"] if change["imported"]]
    assert "aws_s3_bucket" in imported
    (registering,) = (a["summary"] for a in plan["outside"] if a["code"] == "octo.register")
    assert "2 linked accounts that left with it" in registering


def keep_roles(sandbox: RunningSandbox, profile: str) -> Callable[[], None]:
    """Attaches a policy by which an account loses no role; what is returned detaches it."""
    organizations = sandbox.client("payer", "organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    deny = {"Sid": "KeepRoles", "Effect": "Deny", "Action": "iam:DeleteRole", "Resource": "*"}
    policy = organizations.create_policy(
        Name="keep", Description="", Type="SERVICE_CONTROL_POLICY", Content=content([deny])
    )["Policy"]["PolicySummary"]["Id"]
    place = {"PolicyId": policy, "TargetId": sandbox.account(profile)}
    organizations.attach_policy(**place)
    return lambda: organizations.detach_policy(**place)


def test_interrupted_it_goes_on_where_it_was(sandbox, registered):
    payer = sandbox.restore(registered)["payer"]
    control.pace(sandbox.endpoint, 3)
    arguments = ("destroy", "--yes", "--confirm-account", payer.account_id)
    detach = keep_roles(sandbox, "linked-2")
    log = control.changes(sandbox.endpoint)
    refused = payer(*arguments)
    assert refused.returncode == 5, refused.stderr
    predicted = [profile for profile in LINKED if sandbox.account(profile) in refused.stderr]
    assert "statement KeepRoles of SCP keep" in " ".join(refused.stderr.split())
    obstacles = json.loads(payer("preflight", "--json").stdout)["obstacles"]  # plan warns of them
    denied = [o["accounts"] for o in obstacles if "iam:DeleteRole" in o["actions"]]
    assert denied == [[sandbox.account(profile) for profile in predicted]]
    assert control.changes(sandbox.endpoint) == log

    def removing() -> bool:
        return sandbox.operations()[0]["Action"] == "DELETE"

    # Whoever may not read the policies meets what was predicted.
    sandbox.fault(service="organizations", action="ListPolicies", error="AccessDeniedException")
    payer.interrupted(*arguments, when=removing)
    assert known(sandbox, "payer", *LINKED) == ["payer", *LINKED]
    wait_until(lambda: sandbox.operations()[0]["Status"] != "RUNNING", "the deletion has ended")
    assert [profile for profile in LINKED if roles(sandbox, profile)] == predicted == ["linked-2"]
    sandbox.clear_faults()
    detach()
    # The StackSet goes, a role does not: Terraform ends with an error.
    place = {"service": "iam", "action": "DeleteRole", "account": payer.account_id}
    sandbox.fault(**place, error="AccessDenied")
    failed = payer(*arguments)
    assert failed.returncode == 1, failed.stderr
    assert "DeleteRole" in failed.stderr
    assert known(sandbox, "payer", *LINKED) == ["payer", *LINKED]
    sandbox.clear_faults()
    result = leave(payer)
    assert f"alphaus-cur-export-{payer.account_id}" in result.stderr
    assert known(sandbox, "payer", *LINKED) == []
    assert [roles(sandbox, profile) for profile in ("payer", *LINKED)] == [[], [], []]


def test_linked_accounts_keep_the_role_where_that_is_asked_for(sandbox, registered):
    payer = sandbox.restore(registered)["payer"]
    result = leave(payer, "--keep-linked-roles")
    assert f"The role {ROLE} in 2 linked accounts (" in result.stderr
    assert [roles(sandbox, profile) for profile in LINKED] == [[ROLE], [ROLE]]
    assert sandbox.operations() == []  # the StackSet is gone
    assert known(sandbox, "payer", *LINKED) == []


def test_a_bucket_with_data_is_deleted_only_by_its_name(sandbox, registered):
    project = sandbox.restore(registered)["standalone"]
    bucket = f"alphaus-cur-export-{project.account_id}"
    data = ("--delete-bucket", "--delete-data")
    yes = ("--yes", "--confirm-account", project.account_id)
    log = control.changes(sandbox.endpoint)
    for arguments, code in (
        (("--yes",), 64),
        (("--yes", "--confirm-account", sandbox.account("payer")), 5),
        ((*yes, "--delete-bucket"), 5),
        ((*yes, *data), 64),
        ((*yes, *data, "--confirm-bucket", "another"), 1),
    ):
        assert project("destroy", *arguments).returncode == code
    assert control.changes(sandbox.endpoint) == log
    code, shown = project.on_terminal(
        *("destroy", *data),
        answers={
            "Type the account id to confirm": project.account_id,
            "Type the bucket's name to delete its data": bucket,
        },
    )
    assert code == 0, shown
    assert "and all data in it" in " ".join(shown.split())
    assert discovered(project) == {}
    assert buckets(sandbox, "standalone") == []
    assert known(sandbox, "standalone") == []


def test_an_account_comes_back_and_leaves_again_with_its_empty_bucket(sandbox, registered):
    project = sandbox.restore(registered)["standalone"]
    bucket = f"alphaus-cur-export-{project.account_id}"
    leave(project)
    assert known(sandbox, "standalone") == []
    applied = project("apply", "--yes", "--wait", "60s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert known(sandbox, "standalone") == ["standalone"]
    leave(project)  # first: AWS fills the bucket again as long as there is a report
    s3 = sandbox.client("standalone", "s3")
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    leave(project, "--delete-bucket")
    assert buckets(sandbox, "standalone") == []


def test_what_was_not_adopted_is_not_touched(sandbox):
    iam = sandbox.client("linked-1", "iam")
    for name in (ROLE, "OctoHelper"):  # both trust Octo's account
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(EXTERNAL_ID))
    project = sandbox.empty_project("linked-1")
    project.environ = without_octo(project.environ)
    (project.folder / "id").write_text(EXTERNAL_ID)
    (project.folder / "id").chmod(0o600)
    adopted = project(
        *("adopt", "--account-id", project.account_id, "--yes"),
        *("--external-id-file", "id", "--account-type", "linked"),
    )
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    result = leave(project)
    assert roles(sandbox, "linked-1") == ["OctoHelper"]
    assert "run octo-tf destroy again with credentials for Octo's API" in result.stderr


def test_stacks_of_the_console_path_are_listed_until_they_are_gone(sandbox):
    project = sandbox.project("standalone")
    client = sandbox.client("standalone", "cloudformation")
    external_id = sandbox.octo_api().template().external_id.get_secret_value()
    client.create_stack(
        StackName="AlphausAccountAccess",
        TemplateBody=project("console", "template", "api-access").stdout,
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": external_id}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    project("console", "finish", "--yes")  # there is no report yet
    assert known(sandbox, "standalone") == ["standalone"]
    log = control.changes(sandbox.endpoint)
    listed = project("destroy", "--yes", "--confirm-account", project.account_id)
    assert listed.returncode == 4, listed.stderr
    assert "1. AlphausAccountAccess (us-east-1, CREATE_COMPLETE)" in listed.stderr
    assert "#/stacks/stackinfo?stackId=arn%3Aaws%3Acloudformation" in listed.stderr
    assert control.changes(sandbox.endpoint) == log
    client.delete_stack(StackName="AlphausAccountAccess")
    leave(project)
    assert known(sandbox, "standalone") == []
    assert json.loads(project("status", "--json").stdout)["remaining"] == []
