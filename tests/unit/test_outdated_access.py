"""What Octo's new template asks for, sorted by what grants it; and how that is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.aws import s3
from orchestrator.errors import AwsError
from orchestrator.model.account import Account
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    CUR_ROLE,
    EXECUTOR_ROLE,
    SEARCHER_ROLE,
)
from orchestrator.model.observed import Role
from orchestrator.model.outdated_access import MissingActions, OutdatedAccess, compare
from orchestrator.octo import history
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from orchestrator.report.history import render_json, render_text

ACCOUNT = "111122223333"
LINKED = Account(ACCOUNT, "linked", f"arn:aws:iam::{ACCOUNT}:root", None)
STATUS = json.loads((Path(__file__).parents[2] / "docs/schemas/status-v1.json").read_text())


def role(name: str, *actions: str, resource: str = "*", **settings: Any) -> Role:
    statement = {"Effect": "Allow", "Action": [*actions], "Resource": resource}
    policy = {"Version": "2012-10-17", "Statement": [statement]} if actions else None
    return Role(name, "arn", inline={"octo": policy} if policy else {}, **settings)


def cost() -> Role:
    return Role(API_ROLE, "arn", inline=documents.of_features(API_ROLE, ["cost"]))


def remedies(asked: Role, granted: Role | None = None, *features: str) -> dict[str, str]:
    """The remedy of each missing action, with the feature behind a colon."""
    own = {granted.name: granted} if granted else {}
    found = compare(own, {asked.name: asked}, None, features)
    return {a: f"{m.remedy}:{m.feature}".rstrip(":") for m in found for a in m.actions}


@pytest.mark.parametrize(
    ("action", "remedy"),
    [
        ("freetier:GetFreeTierUsage", "additional_actions"),
        ("newservice:DescribeThings", "additional_actions"),  # newer than the table of actions
        ("newservice:MakeThing", "not_granted"),
        ("ec2:DescribeImages", "feature:recommendations"),
        ("iam:PutRolePolicy", "not_granted"),
        ("ec2:GetPasswordData", "not_granted"),
        ("ec2:DescribeInstanceAttribute", "not_granted"),  # its user data may hold secrets
    ],
)
def test_an_action_is_sorted_by_what_grants_it(action, remedy):
    assert remedies(role(API_ROLE, action), cost()) == {action: remedy}


def test_what_the_account_grants_is_not_missing():
    assert remedies(role(API_ROLE, "ce:GetCostAndUsage", "cur:Describe*"), cost()) == {}


def test_a_policy_that_was_changed_by_hand_is_restored_by_apply():
    assert remedies(role(API_ROLE, "ce:GetCostAndUsage"), role(API_ROLE, "iam:ListRoles")) == {
        "ce:GetCostAndUsage": "apply:cost"
    }


def test_a_role_that_is_not_there_comes_with_its_feature():
    asked = role(SEARCHER_ROLE, "ec2:DescribeVolumes")
    assert remedies(asked) == {"ec2:DescribeVolumes": "feature:recommendations"}
    assert remedies(role(EXECUTOR_ROLE, "ec2:StopInstances")) == {
        "ec2:StopInstances": "feature:execution"
    }


def test_a_role_that_octo_tf_does_not_know_needs_a_newer_one():
    assert remedies(role("OctoNewRole", "ce:GetTags")) == {"ce:GetTags": "upgrade"}


def test_an_action_on_more_resources_than_granted_is_left_out():
    own = role(CUR_ROLE, "s3:GetObject", resource="arn:aws:s3:::billing/*")
    assert remedies(role(CUR_ROLE, "s3:GetObject"), own) == {"s3:GetObject": "not_granted"}


def test_a_managed_policy_is_named_by_its_arn():
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    asked = role(EXECUTOR_ROLE, managed={admin: None})
    assert remedies(asked) == {admin: "not_granted"}


def test_new_is_what_the_earlier_template_did_not_ask_for():
    asked = role(API_ROLE, "freetier:GetFreeTierUsage", "invoicing:ListInvoiceSummaries")
    earlier = role(API_ROLE, "invoicing:*")
    found = compare({API_ROLE: cost()}, {API_ROLE: asked}, {API_ROLE: earlier}, ())
    assert {m.actions: m.is_new for m in found} == {
        ("freetier:GetFreeTierUsage",): True,
        ("invoicing:ListInvoiceSummaries",): False,
    }


def outdated(*missing: MissingActions, unread: str = "", known: bool = True) -> OutdatedAccess:
    url = "https://bucket.s3.amazonaws.com/octo-v2.yml"
    return OutdatedAccess("v2", "v1", url, missing if known else None, unread)


def shown(tmp_path: Path, found: OutdatedAccess | None, method: Any = "terraform") -> str:
    """The text of octo-tf status; its JSON is valid."""
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.note_verified(LINKED, "", {"api_access": "pass"}, method=method)
    ledger.note_registered(ACCOUNT, "", "linked", method=method)
    known = history.read(RegistrationService(ledger, None), ACCOUNT, outdated=found)
    assert known is not None
    jsonschema.validate(json.loads(render_json(known)), STATUS)
    return render_text(known)


def test_status_names_what_is_new_and_counts_the_rest(tmp_path):
    new = MissingActions(API_ROLE, ("freetier:GetFreeTierUsage",), "additional_actions")
    old = MissingActions(API_ROLE, ("iam:PutRolePolicy",), "not_granted", is_new=False)
    text = shown(tmp_path, outdated(new, old))
    assert "Outdated    Octo's template is v2; the account was registered with v1" in text
    assert f"new: {API_ROLE} lacks freetier:GetFreeTierUsage (additional_actions can" in text
    assert f"{API_ROLE}: 1 action (octo-tf does not grant it" in text
    assert "Add to additional_actions in octo.yaml: freetier:GetFreeTierUsage." in text
    assert "iam:PutRolePolicy" not in text


def test_where_nothing_new_is_missing_octo_is_asked_again(tmp_path):
    text = shown(tmp_path, outdated())
    assert "grant everything that it asks for" in text
    assert "Run octo-tf confirm" in text


def test_a_template_that_cannot_be_read_is_said(tmp_path):
    text = shown(tmp_path, outdated(unread="access denied", known=False))
    assert "What is missing is not known: access denied" in text


def test_a_stack_is_updated_not_deleted(tmp_path):
    text = shown(tmp_path, outdated(), "console")
    assert "Run octo-tf console update: it updates the stack in place" in text


def test_an_access_that_is_not_outdated_is_null_in_json(tmp_path):
    assert "Outdated" not in shown(tmp_path, None)


class Objects:
    """S3 without credentials: every object has the same content."""

    def __init__(self, content: bytes) -> None:
        self.content, self.asked, self.regions = content, [], []

    def unsigned_s3(self, region: str | None) -> Objects:
        self.regions.append(region)
        return self

    def get_object(self, **asked: str) -> Any:
        self.asked.append(asked)
        return {"Body": self}

    def read(self, limit: int) -> bytes:
        return self.content[:limit]


@pytest.mark.parametrize(
    ("url", "bucket", "key", "region"),
    [
        ("https://octo.s3.amazonaws.com/a/v2.yml", "octo", "a/v2.yml", None),
        ("https://octo.s3.eu-west-1.amazonaws.com/v2.yml", "octo", "v2.yml", "eu-west-1"),
        (
            "https://s3.us-gov-west-1.amazonaws.com/octo/v%202.yml",
            "octo",
            "v 2.yml",
            "us-gov-west-1",
        ),
        ("https://my.octo.s3-us-west-2.amazonaws.com/v2.yml", "my.octo", "v2.yml", "us-west-2"),
    ],
)
def test_a_template_is_read_from_s3_by_its_address(url, bucket, key, region):
    objects = Objects(b"Resources: {}")
    assert s3.read_public_template(objects, url) == "Resources: {}"
    assert (objects.asked, objects.regions) == ([{"Bucket": bucket, "Key": key}], [region])


@pytest.mark.parametrize(
    "url",
    [
        "http://octo.s3.amazonaws.com/v2.yml",
        "https://169.254.169.254/latest/meta-data",
        "https://octo.s3.amazonaws.com.example.com/v2.yml",
        "https://example.com/s3.amazonaws.com/v2.yml",
        "https://user@octo.s3.amazonaws.com/v2.yml",
        "https://octo.s3.amazonaws.com/",
        "https://s3.amazonaws.com/octo",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_other_address_is_read(url):
    objects = Objects(b"Resources: {}")
    with pytest.raises(AwsError, match="not one of S3 over HTTPS"):
        s3.read_public_template(objects, url)
    assert objects.asked == []


def test_no_more_is_read_than_cloudformation_takes():
    url = "https://octo.s3.amazonaws.com/v2.yml"
    assert len(s3.read_public_template(Objects(b"x" * 1_000_000), url)) == 1_000_000
    with pytest.raises(AwsError, match="more than 1000000 bytes"):
        s3.read_public_template(Objects(b"x" * 1_000_001), url)
    with pytest.raises(AwsError, match="no text"):
        s3.read_public_template(Objects(b"\xff\xfe"), url)
