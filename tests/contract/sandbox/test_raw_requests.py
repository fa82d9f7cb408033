"""Requests that no SDK sends are refused as AWS does: not signed, badly timed, malformed.

Sources: IAM User Guide, "Troubleshoot signed requests for AWS APIs"; S3 API Reference, "Error
responses"; answers that users quote (smithy-lang, aws-sdk-js #254, kinesis: 400; STS: 403).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import boto3
import botocore.auth
import pytest
import requests
from botocore.awsrequest import AWSRequest

STS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
STS_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
ROOTS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "AWSOrganizationsV20161128.ListRoots",
}


def code_of(response: requests.Response) -> str:
    """Get the code of an error in XML or JSON."""
    found = re.search(r"<Code>(\w+)</Code>|\"__type\": \"(\w+)\"", response.text)
    return (found[1] or found[2]) if found else ""


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        ("POST", "/", STS, STS_BODY, 403, "MissingAuthenticationToken"),
        ("POST", "/", ROOTS, "{}", 400, "MissingAuthenticationTokenException"),
        ("GET", "/no-such-bucket-of-anybody", {}, "", 404, "NoSuchBucket"),
        (
            "POST",
            "/getContactInformation",
            {"Content-Type": "application/json"},
            "{}",
            403,
            "MissingAuthenticationTokenException",
        ),
        ("POST", "/", {**STS, "Authorization": "Basic eA=="}, STS_BODY, 400, "IncompleteSignature"),
    ],
)
def test_a_request_without_a_signature_is_refused_in_its_protocol(
    sandbox, method, path, headers, body, status, code
):
    url = sandbox.endpoint_url + path
    response = requests.request(method, url, headers=headers, data=body, timeout=60)
    assert (response.status_code, code_of(response)) == (status, code)


@pytest.mark.parametrize(
    ("service", "headers", "body", "status", "code", "text"),
    [
        ("sts", STS, STS_BODY, 403, "SignatureDoesNotMatch", r"Signature expired.* - 15 min\.\)"),
        ("organizations", ROOTS, "{}", 400, "InvalidSignatureException", r".* - 5 min\.\)"),
        ("s3", {}, "x", 403, "RequestTimeTooSkewed", "too large.*<ServerTime>"),
    ],
)
def test_a_signature_of_an_hour_ago_has_expired(
    sandbox, monkeypatch, service, headers, body, status, code, text
):
    method, path = ("PUT", "/bucket/key") if service == "s3" else ("POST", "/")
    ago = timedelta(hours=-1)
    response = signed(sandbox, monkeypatch, service, headers, body, ago, method, path)
    assert (response.status_code, code_of(response)) == (status, code)
    assert re.search(text, response.text)


def test_a_signature_of_the_future_is_not_yet_current(sandbox, monkeypatch):
    response = signed(sandbox, monkeypatch, "organizations", ROOTS, "{}", timedelta(hours=1))
    assert "Signature not yet current" in response.text


def test_a_signature_of_four_minutes_ago_is_accepted(sandbox, monkeypatch):
    response = signed(sandbox, monkeypatch, "organizations", ROOTS, "{}", timedelta(minutes=-4))
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/raw-requests?versioning", "<nope", 400, "MalformedXML"),
        ("PATCH", "/raw-requests", "", 405, "MethodNotAllowed"),
        ("POST", "/", "", 405, "MethodNotAllowed"),
    ],
)
def test_s3_refuses_a_malformed_body_and_an_unknown_method(
    sandbox, session, monkeypatch, method, path, body, status, code
):
    client = session("payer").client("s3")
    client.create_bucket(Bucket="raw-requests")
    response = signed(sandbox, monkeypatch, "s3", {}, body, timedelta(), method, path)
    client.delete_bucket(Bucket="raw-requests")
    assert (response.status_code, code_of(response)) == (status, code)


def signed(
    sandbox, monkeypatch, service, headers, body, ago, method="POST", path="/"
) -> requests.Response:
    """Send a request that was signed at another time."""
    credentials = boto3.Session(profile_name="payer").get_credentials().get_frozen_credentials()
    request = AWSRequest(method, sandbox.endpoint_url + path, headers, body)
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda: datetime.now(timezone.utc) + ago
    )
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    kind(credentials, service, "us-east-1").add_auth(request)
    sent = request.prepare()
    return requests.request(sent.method, sent.url, headers=sent.headers, data=body, timeout=60)
