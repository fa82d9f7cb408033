"""Organizations describes accounts by State, and by the retired Status only where asked to."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.organizations import read
from orchestrator.sandbox import read_env_file
from tests.waiting import wait_until


@pytest.fixture
def client(session):
    return session("payer").client("organizations")


@pytest.fixture(params=[False, True], ids=["state-only", "with-status"])
def with_status(request, sandbox, monkeypatch) -> bool:
    monkeypatch.setattr(sandbox, "with_account_status", request.param)
    return request.param


def listed(client) -> list[dict]:
    pages = client.get_paginator("list_accounts").paginate()
    return [account for page in pages for account in page["Accounts"]]


def listed_by_parent(client) -> list[dict]:
    """Every account, OU by OU."""
    (root,) = client.list_roots()["Roots"]
    parents, found = [root["Id"]], []
    while parents:
        parent = parents.pop()
        ous = client.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]
        parents += [ou["Id"] for ou in ous]
        found += client.list_accounts_for_parent(ParentId=parent)["Accounts"]
    return found


def described(client) -> list[dict]:
    return [client.describe_account(AccountId=a["Id"])["Account"] for a in listed(client)]


@pytest.mark.parametrize("ask", [listed, listed_by_parent, described])
def test_every_answer_has_the_state_and_the_status_only_where_wanted(
    sandbox, client, with_status, ask
):
    accounts = {account["Id"]: account for account in ask(client)}
    suspended = accounts.pop(sandbox.accounts["linked-suspended"])
    assert suspended["State"] == "SUSPENDED"
    assert {a["State"] for a in accounts.values()} == {"ACTIVE"}
    assert len(accounts) == 4  # the payer and three linked ones
    statuses = {suspended.get("Status"), *(a.get("Status") for a in accounts.values())}
    assert statuses == ({"SUSPENDED", "ACTIVE"} if with_status else {None})


def test_an_account_has_every_other_member_of_botocores_model(client):
    model = botocore.session.get_session().get_service_model("organizations")
    expected = set(model.shape_for("Account").members) - {"Status"}
    for account in listed(client):
        assert set(account) == expected
        assert datetime.now(timezone.utc) - account["JoinedTimestamp"] < timedelta(hours=1)


def test_a_path_leads_from_the_organization_to_the_account(client):
    organization = client.describe_organization()["Organization"]["Id"]
    for account in listed(client):
        (path,) = account["Paths"]
        steps, child = [f"{account['Id']}/"], account["Id"]
        while not child.startswith("r-"):
            child = client.list_parents(ChildId=child)["Parents"][0]["Id"]
            steps.insert(0, f"{child}/")
        assert path == f"{organization}/{''.join(steps)}"


def test_octo_tf_reads_the_same_members_from_both_answers(sandbox, aws, with_status):
    states = {m.account_id: (m.state, m.active) for m in read(aws("payer")).members}
    assert states.pop(sandbox.accounts["linked-suspended"]) == ("SUSPENDED", False)
    assert set(states.values()) == {("ACTIVE", True)}
    assert len(states) == 4


def test_pages_hold_what_was_asked_for(client):
    paginator = client.get_paginator("list_accounts")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Accounts"]) for page in pages] == [2, 2, 1]
    assert [a["Id"] for page in pages for a in page["Accounts"]] == [
        a["Id"] for a in listed(client)
    ]


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("describe_account", {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("list_accounts_for_parent", {"ParentId": "r-0000"}, "ParentNotFoundException"),
        ("close_account", {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("close_account", {"AccountId": "111111111111"}, "ConstraintViolationException"),
    ],
)
def test_what_does_not_exist_or_may_not_go_is_refused(client, operation, parameters, code):
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code


# A sandbox of its own, by its command


@pytest.fixture
def start(tmp_path, sandbox):
    """Starts another sandbox with some flags: a client of its Organizations, and its variables."""
    started = []

    def make(*flags: str):
        env_file = tmp_path / "sandbox.env"
        up = ("-m", "orchestrator", "sandbox", "up", "--stop-with-parent", "--linked", "1")
        arguments = [sys.executable, *up, "--env-file", str(env_file), *flags]
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        started.append(process)
        wait_until(lambda: env_file.exists() or process.poll() is not None, "the sandbox is up")
        environ = read_env_file(env_file)
        session = boto3.Session(profile_name="payer")  # the same keys on every start
        endpoint = environ["AWS_ENDPOINT_URL"]
        return session.client("organizations", endpoint_url=endpoint), environ

    yield make
    for process in started:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.parametrize(
    ("flags", "status"), [((), None), (("--with-account-status",), "ACTIVE")], ids=["no", "yes"]
)
def test_a_switch_of_the_command_brings_the_status_back(start, flags, status):
    client, _ = start(*flags)
    account = client.describe_account(AccountId="111111111111")["Account"]
    assert (account["State"], account.get("Status")) == ("ACTIVE", status)


def test_a_closed_account_has_the_state_closed_and_the_status_suspended(start):
    client, environ = start("--with-account-status")
    linked = environ["OCTO_SANDBOX_LINKED_1"]
    client.close_account(AccountId=linked)
    account = client.describe_account(AccountId=linked)["Account"]
    assert (account["State"], account["Status"]) == ("CLOSED", "SUSPENDED")
    with pytest.raises(ClientError) as refused:
        client.close_account(AccountId=linked)
    assert refused.value.response["Error"]["Code"] == "AccountAlreadyClosedException"
