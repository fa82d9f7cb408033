"""Where calls go, by botocore's own endpoint rules: a custom endpoint would hide the difference."""

from __future__ import annotations

import boto3
import pytest

from orchestrator.aws.session import Aws
from orchestrator.model.partition import cur_region, partition_of_region


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return lambda region: Aws(boto3.Session("key", "secret", region_name=region))


@pytest.mark.parametrize("fips", ["true", "false"])
def test_cur_has_no_fips_endpoint_and_is_called_at_its_only_one(aws, monkeypatch, fips):
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    client = aws("eu-west-1").client("cur", cur_region(partition_of_region("eu-west-1")))
    assert client.meta.endpoint_url == "https://cur.us-east-1.amazonaws.com"


@pytest.mark.parametrize("service", ["sts", "iam", "organizations", "cloudformation"])
def test_other_services_keep_the_fips_endpoint_that_the_user_asked_for(aws, monkeypatch, service):
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert f"{service}-fips." in aws("us-east-1").client(service).meta.endpoint_url
