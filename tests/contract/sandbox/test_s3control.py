"""S3 Control as version 6 of the Terraform provider calls it: by botocore's own endpoint rules.

The calls go to ``<account id>.<host of the endpoint>`` and reach the sandbox as a proxy. Nothing of
botocore is replaced: what arrives here is what an SDK sends.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from orchestrator.terraform.binary import clean_environment

NAME = "tagged-bucket"
ARN = f"arn:aws:s3:::{NAME}"
TAGS = [{"Key": "team", "Value": "cloud"}, {"Key": "cost center", "Value": "a/b=c"}]


@pytest.fixture
def control(session, sandbox) -> Callable[..., Any]:
    """A client whose HTTP proxy is the sandbox."""
    config = Config(proxies={"http": sandbox.endpoint_url}, retries={"max_attempts": 1})
    return lambda profile: session(profile).client("s3control", config=config)


@pytest.fixture
def tagged(session) -> Iterator[str]:
    """The account of a bucket that was given its tags when it was created."""
    s3 = session("payer").client("s3")
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"Tags": TAGS})
    yield session("payer").client("sts").get_caller_identity()["Account"]
    s3.delete_bucket(Bucket=NAME)


def by_key(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_tags_given_at_creation_are_read_by_both_services(control, session, tagged):
    of_s3 = session("payer").client("s3").get_bucket_tagging(Bucket=NAME)["TagSet"]
    of_control = control("payer").list_tags_for_resource(AccountId=tagged, ResourceArn=ARN)["Tags"]
    assert by_key(of_s3) == by_key(of_control) == by_key(TAGS)


def test_tags_are_added_changed_and_removed(control, tagged):
    resource = {"AccountId": tagged, "ResourceArn": ARN}
    new = [{"Key": "team", "Value": "data"}, {"Key": "env", "Value": "test"}]
    control("payer").tag_resource(**resource, Tags=new)
    control("payer").untag_resource(**resource, TagKeys=["cost center", "no such"])
    listed = control("payer").list_tags_for_resource(**resource)["Tags"]
    assert by_key(listed) == {"team": "data", "env": "test"}


def test_the_request_names_the_account_in_its_host_and_its_whole_url(control, tagged):
    client, seen = control("payer"), []
    client.meta.events.register("before-send", lambda request, **_: seen.append(request))
    client.list_tags_for_resource(AccountId=tagged, ResourceArn=ARN)
    host, path = urlsplit(seen[0].url).netloc, urlsplit(seen[0].url).path
    assert host.startswith(f"{tagged}.127.0.0.1:")
    assert path.startswith("/v20180820/tags/arn")


def test_without_the_proxy_no_such_host_is_found(session, tagged):
    client = session("payer").client("s3control", config=Config(retries={"max_attempts": 0}))
    with pytest.raises(EndpointConnectionError):
        client.list_tags_for_resource(AccountId=tagged, ResourceArn=ARN)


def test_another_account_s_bucket_and_an_absent_one_are_refused(control, session, tagged):
    other = session("linked-1").client("sts").get_caller_identity()["Account"]
    refusals = (
        ("linked-1", other, ARN, "AccessDenied"),
        ("payer", other, ARN, "AccessDenied"),
        ("payer", tagged, "arn:aws:s3:::no-such-bucket", "NoSuchBucket"),
    )
    for profile, account, arn, code in refusals:
        with pytest.raises(ClientError) as caught:
            control(profile).list_tags_for_resource(AccountId=account, ResourceArn=arn)
        assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("granted", ["s3:PutBucketTagging", "s3:ListTagsForResource"])
def test_each_call_needs_its_own_permission(user, sandbox, tagged, granted):
    config = Config(proxies={"http": sandbox.endpoint_url})
    client = user("payer", granted).client("s3control", config=config)
    for action, call in (
        ("ListTagsForResource", lambda c: c.list_tags_for_resource),
        ("TagResource", lambda c: lambda **k: c.tag_resource(**k, Tags=TAGS)),
        ("UntagResource", lambda c: lambda **k: c.untag_resource(**k, TagKeys=["x"])),
    ):
        try:
            call(client)(AccountId=tagged, ResourceArn=ARN)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            assert f"s3:{action}" in str(error)
        else:
            assert granted == f"s3:{action}"


def test_creating_with_tags_needs_the_permission_to_tag(user):
    client = user("payer", "s3:CreateBucket").client("s3")
    with pytest.raises(ClientError, match="s3:TagResource"):
        client.create_bucket(Bucket="untagged", CreateBucketConfiguration={"Tags": TAGS})


def test_s3_calls_by_whole_urls_are_answered_too(session, sandbox, tagged):
    config = Config(proxies={"http": sandbox.endpoint_url})
    names = session("payer").client("s3", config=config).list_buckets()["Buckets"]
    assert NAME in [bucket["Name"] for bucket in names]


def test_the_proxy_forwards_nothing(sandbox):
    place = urlsplit(sandbox.endpoint_url)
    for method, target in (("GET", "http://example.com/"), ("CONNECT", "example.com:443")):
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        connection.request(method, target)
        assert connection.getresponse().status == 403
        connection.close()


def test_terraform_assumes_the_role_of_a_profile_at_the_sandbox(sandbox, tmp_path):
    environ = sandbox.environment(tmp_path)
    assert clean_environment(environ)["AWS_ENDPOINT_URL_STS"] == sandbox.endpoint_url
    elsewhere = clean_environment({**environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert "AWS_ENDPOINT_URL_STS" not in elsewhere


def test_terraform_has_the_proxy_only_for_the_sandbox_s_own_endpoint(sandbox, tmp_path):
    environ = {**sandbox.environment(tmp_path), "HTTP_PROXY": "http://proxy.example:3128"}
    assert clean_environment(environ)["HTTP_PROXY"] == sandbox.endpoint_url
    for endpoint in ("http://127.0.0.1:4566", "https://s3.example.com", ""):
        kept = clean_environment({**environ, "AWS_ENDPOINT_URL": endpoint})
        assert kept["HTTP_PROXY"] == "http://proxy.example:3128"
    away = "http://sandbox.example:5000"  # listening for other machines
    kept = clean_environment({**environ, "AWS_ENDPOINT_URL": away, "OCTO_SANDBOX_PROXY": away})
    assert kept["HTTP_PROXY"] == "http://proxy.example:3128"
