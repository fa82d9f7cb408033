"""Nothing changes before the user agrees: not in AWS, Octo, the state, octo.yaml or the ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.sandbox import control
from tests.e2e import consent
from tests.e2e.conftest import Checkpoint, Project, RunningSandbox
from tests.e2e.consent import ATTEMPTS, LOCK_ID, LOOKS, ROLE, Attempt, Look, representatives
from tests.e2e.test_adopt import user
from tests.registered import trust

OCTO = True
BUCKET, TEAM = "billing-data-asked-for", "state-asked-for"
KEY = "octo/account.tfstate"


@pytest.fixture(scope="module")
def new(unused_sandbox) -> Checkpoint:
    """A payer of two linked accounts with a plan, and nothing applied."""
    sandbox = unused_sandbox()
    bucket = sandbox.existing_bucket("payer", BUCKET)
    payer = sandbox.project("payer", **bucket, cur_s3_bucket_merge_policy=True)
    planned = payer("plan")
    assert planned.returncode == 0, planned.stderr
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def registered(unused_sandbox, new) -> Checkpoint:
    """The payer after its first apply; Octo has confirmed it."""
    sandbox = unused_sandbox()
    payer = sandbox.restore(new)["payer"]
    before = len(control.changes(sandbox.endpoint))
    applied = payer("apply", "--yes", "--wait", "60s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    calls = {change["call"] for change in control.changes(sandbox.endpoint)[before:]}
    # The log is not silent where something does change.
    assert calls >= {"iam:CreateRole", "cur:PutReportDefinition", "octo:RegisterAccount"}
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def upgraded(unused_sandbox, registered) -> Checkpoint:
    """The payer with a StackSet that has failed in one linked account."""
    sandbox = unused_sandbox()
    payer = sandbox.restore(registered)["payer"]
    sandbox.fault(
        service="cloudformation",
        action="CreateStack",
        error="AccessDenied",
        account=sandbox.account("linked-2"),
    )
    result = payer("upgrade", "--yes", "--enable-trusted-access")
    assert result.returncode == 1, result.stdout + result.stderr  # and the target is tainted
    sandbox.clear_faults()
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def made_by_hand(unused_sandbox) -> Checkpoint:
    """A standalone account with a role that allows too much, and no octo.yaml."""
    sandbox = unused_sandbox()
    iam = sandbox.client("standalone", "iam")
    known = sandbox.octo_api().template().external_id.get_secret_value()
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust(known))
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    document = json.dumps({"Version": "2012-10-17", **everything})
    iam.put_role_policy(RoleName=ROLE, PolicyName="Everything", PolicyDocument=document)
    sandbox.empty_project("standalone")
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def published_module(unused_sandbox) -> Checkpoint:
    """A standalone account that the published module registered, and no octo.yaml."""
    sandbox = unused_sandbox()
    user(
        sandbox,
        "standalone",
        external_id=sandbox.octo_api().template().external_id.get_secret_value(),
        use_stackset=False,
        cur_s3_bucket_name="acme-billing-standalone",
    )
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def locked(unused_sandbox) -> Checkpoint:
    """An account whose state is in S3, and locked."""
    sandbox = unused_sandbox()
    sandbox.client("standalone", "s3").create_bucket(Bucket=TEAM)
    place = {"bucket": TEAM, "key": KEY, "region": "us-east-1", "profile": "standalone"}
    project = sandbox.project("standalone", backend={"type": "s3", **place})
    assert project("plan").returncode == 0
    lock = {"ID": LOCK_ID, "Operation": "OperationTypeApply", "Path": f"{TEAM}/{KEY}"}
    sandbox.client("standalone", "s3").put_object(
        Bucket=TEAM, Key=f"{KEY}.tflock", Body=json.dumps({**lock, "Info": "", "Who": "a@b"})
    )
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def alone(unused_sandbox) -> Checkpoint:
    """An account in no organization, to be registered by stacks: nothing was made yet."""
    sandbox = unused_sandbox()
    sandbox.project("standalone")
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def linked(unused_sandbox) -> Checkpoint:
    """A linked account whose payer is not registered."""
    sandbox = unused_sandbox()
    sandbox.project("linked-1")
    return sandbox.checkpoint()


# Of a record: whose it is, and what a plan or a verification may note.
IDENTITY = ("account_id", "account_name", "account_type", "method", "planned_at")
VERIFICATION = ("verified_at", "statuses", "passing_since")


def history(project: Project, *, verifies: bool = False) -> dict[str, Any]:
    """The ledger without what the command may note of its plan, or of what it verified."""
    noted = (*IDENTITY, *VERIFICATION) if verifies else IDENTITY
    path = project.root / "ledger.json"
    if not path.exists():
        return {}
    accounts = json.loads(path.read_text())["accounts"]
    records = {
        account_id: {name: value for name, value in record.items() if name not in noted}
        for account_id, record in accounts.items()
    }
    return {account_id: record for account_id, record in records.items() if any(record.values())}


def observe(sandbox: RunningSandbox, project: Project, *, verifies: bool = False) -> dict[str, Any]:
    """All that must stay as it is: the calls that change something, and the user's files."""
    own = [path for path in project.folder.rglob("*") if path.is_file()]
    files = [
        path
        for path in own
        if ".octo-tf" not in path.parts
        or (".tfstate" in path.name and ".terraform" not in path.parts)  # which is init's own note
    ]
    return {
        "calls": control.changes(sandbox.endpoint),
        "history": history(project, verifies=verifies),
        # By content, not by serial alone: a state that was edited in place is noticed too.
        "files": {str(path.relative_to(project.folder)): path.read_bytes() for path in files},
    }


@pytest.fixture
def start(request, sandbox):
    """Goes to a state by its name: its project."""

    def go(name: str) -> Project:
        (project,) = sandbox.restore(request.getfixturevalue(name.replace(" ", "_"))).values()
        return project

    return go


def filled(sandbox: RunningSandbox, arguments: tuple[str, ...]) -> list[str]:
    """Arguments with the ids that only the running sandbox has."""
    values = {f"{{{name}}}": sandbox.account(name) for name in ("standalone", "payer")}
    values["{published}"] = str(sandbox.folder / "standalone with the published module")
    if "{external_id}" in arguments:
        external_id = sandbox.octo_api().template().external_id
        values["{external_id}"] = external_id.get_secret_value()
    return [values.get(word, word) for word in arguments]


def rows(table: tuple[Any, ...]) -> list[Any]:
    """A table's rows as parameters; make test leaves out what others stand for."""
    kept, others = [*representatives()], pytest.mark.longer
    return [pytest.param(row, id=row.id, marks=() if row in kept else others) for row in table]


@pytest.mark.parametrize("attempt", rows(ATTEMPTS))
def test_without_consent_nothing_changes(sandbox, start, attempt: Attempt):
    project = start(attempt.start)
    if attempt.arrange is not None:
        attempt.arrange(sandbox)
    arguments = filled(sandbox, attempt.arguments)
    before = observe(sandbox, project, verifies=attempt.verifies)
    if attempt.answers:
        code, shown = project.on_terminal(*arguments, answers=attempt.answers)
    else:
        result = project(*arguments)
        code, shown = result.returncode, result.stdout + result.stderr
    assert observe(sandbox, project, verifies=attempt.verifies) == before, shown
    assert code == attempt.code, shown
    assert attempt.sees in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("look", rows(LOOKS))
def test_looking_changes_nothing(sandbox, start, look: Look):
    project = start(look.start)
    arguments = filled(sandbox, look.arguments)
    before = observe(sandbox, project, verifies=look.verifies)
    result = project(*arguments)
    assert observe(sandbox, project, verifies=look.verifies) == before, result.stderr
    assert result.returncode == look.code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_every_command_is_in_the_table():
    """A command that is new is tried here, or is named as one that can change nothing."""
    from orchestrator import cli

    tried = {attempt.command.split()[0] for attempt in ATTEMPTS}
    tried |= {look.arguments[0] for look in LOOKS}
    apart = {
        "completion",
        "demo",
        "features",
        "init",
        "render",
        "sandbox",
        "schema",
    }  # no account is touched
    names = set(cli.group.list_commands(None))
    assert names - tried - apart == set()
    assert consent.table().count("none") >= len(tried)
