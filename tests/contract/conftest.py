"""A sandbox in this process; reports are delivered only when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

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
