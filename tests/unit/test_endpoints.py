"""Where calls go, by botocore's own endpoint rules: a custom endpoint would hide the difference."""

from __future__ import annotations

import json

import boto3
import botocore.session
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


@pytest.mark.parametrize(
    "service",
    [
        *("cloudformation", "compute-optimizer", "cost-optimization-hub", "cur", "iam", "kms"),
        *("organizations", "s3", "sts", "support"),
    ],
)
def test_services_are_called_at_their_fips_endpoint_only_if_they_have_one(
    aws, monkeypatch, service
):
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    known = botocore.session.get_session().get_data("endpoints")["partitions"][0]["services"]
    has_one = '"fips"' in json.dumps(known[service])
    url = aws("us-east-1").client(service, "us-east-1").meta.endpoint_url
    assert (f"{service}-fips." in url) == has_one
