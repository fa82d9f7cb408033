"""A sandbox in this process; reports are delivered only when a test asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import boto3
import pytest

from orchestrator.aws.session import Aws, connect
from orchestrator.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory) -> Iterator[Sandbox]:
    with Sandbox.start(linked=3, delivery="manual") as running:
        environment = running.environment(tmp_path_factory.mktemp("aws"))
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
                patch.delenv(name, raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setenv("OCTO_TF_OCTO", "false")  # tests of Octo's API name its client themselves
            yield running


@pytest.fixture(autouse=True)
def nothing_is_left(sandbox) -> Iterator[None]:
    """Every test leaves the sandbox as it was, so that none depends on the order of tests."""
    before = sandbox.contents
    yield
    after = sandbox.contents
    assert (after - before, before - after) == (set(), set()), "left behind, or taken away"


@pytest.fixture
def trusted_access(session) -> Iterator[None]:
    """CloudFormation's access to the payer's organization, for one test."""
    client = session("payer").client("cloudformation")
    client.activate_organizations_access()
    yield
    client.deactivate_organizations_access()


@pytest.fixture
def user(session) -> Iterator[Callable[..., boto3.Session]]:
    """Makes a user of a profile's account who may call some actions only: its session."""
    made = []

    def make(profile: str, *actions: str) -> boto3.Session:
        iam, name = session(profile).client("iam"), f"user-{len(made)}"
        iam.create_user(UserName=name)
        made.append((iam, name))
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = (key["AccessKeyId"], key["SecretAccessKey"])
        return boto3.Session(*keys, region_name="us-east-1")

    yield make
    for iam, name in made:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="some")
        iam.delete_user(UserName=name)


@pytest.fixture
def session(sandbox):
    """A boto3 session as the administrator of a profile's account."""

    def make(profile: str) -> boto3.Session:
        return boto3.Session(profile_name=profile)

    return make


@pytest.fixture
def aws(sandbox):
    """Our own client factory for a profile's account."""

    def make(profile: str) -> Aws:
        return connect(region="us-east-1", profile=profile)

    return make
