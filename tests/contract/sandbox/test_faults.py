"""The sandbox returns the errors that were ordered: to which callers, and how often."""

from __future__ import annotations

import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from orchestrator.sandbox import control
from tests.waiting import wait_until

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def client(sandbox):
    def make(service: str, profile: str = "payer"):
        return boto3.Session(profile_name=profile).client(service, config=ONCE)

    yield make
    control.clear_faults(sandbox.endpoint_url)


@pytest.fixture
def plant(sandbox, client):
    def add(**settings):
        return control.add_fault(sandbox.endpoint_url, settings)

    return add


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("Throttling", 400),
        ("ServiceUnavailable", 503),
        ("AccessDenied", 403),
        ("ExpiredToken", 403),
    ],
)
def test_an_error_is_answered_so_many_times(client, plant, error, status):
    plant(service="sts", action="GetCallerIdentity", error=error, times=2)
    sts = client("sts")
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            sts.get_caller_identity()
        assert caught.value.response["Error"]["Code"] == error
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert sts.get_caller_identity()["Account"] == "111111111111"


def test_a_fault_is_about_its_service_and_action_only(client, plant):
    plant(service="iam", action="List*", error="Throttling")
    client("sts").get_caller_identity()
    client("iam").get_user(UserName="administrator")
    with pytest.raises(ClientError):
        client("iam").list_roles()


def test_calls_before_it_go_well(client, plant):
    plant(service="sts", error="Throttling", after=1)
    sts = client("sts")
    sts.get_caller_identity()
    with pytest.raises(ClientError):
        sts.get_caller_identity()


def test_latency_makes_a_call_slow_and_lets_it_be_done(client, plant):
    plant(service="sts", latency=0.5, times=1)
    started = time.monotonic()
    client("sts").get_caller_identity()
    assert time.monotonic() - started >= 0.5


def test_a_dropped_connection_has_no_answer(client, plant):
    plant(service="sts", drop=True, times=1)
    with pytest.raises(ConnectionClosedError):
        client("sts").get_caller_identity()
    client("sts").get_caller_identity()


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "131920598436"}, "Action": "sts:AssumeRole"}
    ],
}


def test_a_lost_answer_leaves_what_was_done(client, plant):
    plant(service="iam", action="CreateRole", lose_answer=True, times=1)
    retrying = boto3.Session(profile_name="payer").client(
        "iam", config=Config(retries={"total_max_attempts": 2})
    )
    with pytest.raises(retrying.exceptions.EntityAlreadyExistsException):
        retrying.create_role(RoleName="Lost", AssumeRolePolicyDocument=json.dumps(TRUST))
    client("iam").delete_role(RoleName="Lost")


def test_an_answer_that_only_the_client_lost_is_given_again(client):
    """The machine's own losses look like no fault of AWS; another call is another call."""
    iam = client("iam")
    numbered = {"amz-sdk-invocation-id": "one"}

    def number(request, **_):
        for name, value in numbered.items():
            del request.headers[name]
            request.headers[name] = value

    iam.meta.events.register("before-send.iam.*", number)
    first = iam.create_role(RoleName="Again", AssumeRolePolicyDocument=json.dumps(TRUST))
    again = iam.create_role(RoleName="Again", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert again["Role"] == first["Role"]
    numbered["amz-sdk-invocation-id"] = "two"
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="Again", AssumeRolePolicyDocument=json.dumps(TRUST))
    client("iam").delete_role(RoleName="Again")


def test_a_fresh_role_stays_unknown_for_a_while(client, plant):
    plant(service="iam", action="CreateRole", unknown_for=5.0)
    iam = client("iam")
    iam.create_role(RoleName="Fresh", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="Fresh")

    def is_known() -> bool:
        try:
            return iam.get_role(RoleName="Fresh")["Role"]["RoleName"] == "Fresh"
        except iam.exceptions.NoSuchEntityException:
            return False

    wait_until(is_known, "the role is known")
    iam.delete_role(RoleName="Fresh")


def test_pages_of_one_are_followed_to_the_end(client, plant):
    whole = client("organizations").list_accounts()["Accounts"]
    plant(partial_pages=True)
    assert len(client("organizations").list_accounts()["Accounts"]) == 1
    pages = client("organizations").get_paginator("list_accounts").paginate()
    paged = [account["Id"] for page in pages for account in page["Accounts"]]
    assert paged == [account["Id"] for account in whole]


def test_faults_are_listed_with_how_often_they_happened(sandbox, client, plant):
    plant(service="sts", error="Throttling", times=1)
    with pytest.raises(ClientError):
        client("sts").get_caller_identity()
    (listed,) = control.faults(sandbox.endpoint_url)
    assert (listed["service"], listed["happened"]) == ("sts", 1)
    control.clear_faults(sandbox.endpoint_url)
    assert control.faults(sandbox.endpoint_url) == []


@pytest.mark.parametrize("settings", [{}, {"service": "sts"}, {"eror": "x"}])
def test_a_fault_that_says_nothing_is_refused(plant, settings):
    with pytest.raises(OSError, match="400"):
        plant(**settings)


def test_faults_come_from_a_file_too(sandbox, client, tmp_path):
    path = tmp_path / "faults.json"
    path.write_text('[{"service": "sts", "error": "Throttling"}]')
    sandbox.faults.load(path)
    with pytest.raises(ClientError):
        client("sts").get_caller_identity()
