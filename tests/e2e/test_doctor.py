"""The doctor's list of permissions is enough for everything, and what is missing is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.aws.permissions import needed
from orchestrator.config.load import load

USER = "octo-tf-operator"


@pytest.fixture
def operator(sandbox):
    """A project whose credentials have the listed permissions and nothing else."""

    def make(profile: str, account_type: str, name: str, without: str = "", **settings):
        project = sandbox.project(profile, name, **settings)
        registration = load(project.folder / "octo.yaml", {}, {})
        actions = [a for a in needed(registration, account_type) if a != without]
        iam = sandbox.client(profile, "iam")
        user = f"{USER}-{name.replace(' ', '-')}"
        iam.create_user(UserName=user)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(
            UserName=user, PolicyName="octo-tf", PolicyDocument=json.dumps(document)
        )
        key = iam.create_access_key(UserName=user)["AccessKey"]
        credentials = Path(sandbox.environ["AWS_SHARED_CREDENTIALS_FILE"]).read_text()
        own = project.folder / "credentials"
        own.write_text(
            f"{credentials}\n[{user}]\naws_access_key_id = {key['AccessKeyId']}\n"
            f"aws_secret_access_key = {key['SecretAccessKey']}\n"
        )
        project.environ = {
            **project.environ,
            "AWS_SHARED_CREDENTIALS_FILE": str(own),
            "OCTO_TF_AWS_PROFILE": user,
        }
        return project

    return make


def lines(project) -> dict[str, dict[str, str]]:
    result = project("doctor", "--json")
    return {line["id"]: line for line in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize(
    ("profile", "account_type", "settings"),
    [
        (
            "linked-1",
            "linked",
            {
                "features": ["cost", "recommendations", "execution"],
                "execution_actions": ["stop_ec2"],
            },
        ),
        ("standalone", "standalone", {}),
    ],
)
def test_the_listed_permissions_are_enough(sandbox, operator, profile, account_type, settings):
    sandbox.idle_instance(profile)
    project = operator(profile, account_type, f"enough {profile}", **settings)
    found = lines(project)
    assert {name for name, line in found.items() if line["status"] == "problem"} == set(), found
    assert found["permissions"]["status"] == "ok"
    for arguments in (
        ("apply", "--yes", "--wait", "60s"),
        ("apply", "--yes", "--tag", "team=cloud"),
        ("verify", "--tag", "team=cloud"),
        ("destroy", "--yes", "--confirm-account", project.account_id),
    ):
        result = project(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_listed_permissions_are_enough_for_a_stackset(sandbox, operator):
    out = sandbox.account("linked-1")
    settings = {
        "use_stackset": True,
        "stackset_excluded_accounts": [out],
        **sandbox.existing_bucket("payer", "billing-of-the-payer"),
        "cur_s3_bucket_merge_policy": True,
    }
    project = operator("payer", "payer", "enough payer", **settings)
    assert lines(project)["permissions"]["status"] == "ok"
    member = sandbox.account("linked-2")
    for arguments in (
        ("apply", "--yes", "--wait", "60s", "--enable-trusted-access"),
        ("apply", "--yes", "--tag", "team=cloud"),
        ("stackset", "retry", "--yes", "--account", member),
        ("verify", "--tag", "team=cloud"),
        ("apply", "--yes", *(f"--stackset-excluded-account={a}" for a in (out, member))),
    ):
        result = project(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
    refused = project("apply", "--yes", "--no-use-stackset")
    named = [
        line.split(": ")[0].strip() for line in refused.stderr.splitlines() if "delete" in line
    ]
    assert refused.returncode == 5
    off = ("apply", "--yes", "--no-use-stackset")
    switched_off = project(*off, *(f"--allow-destroy={a}" for a in named if "stack_set" in a))
    assert switched_off.returncode == 0, switched_off.stderr


def test_a_missing_permission_is_named_before_anything_is_tried(operator):
    project = operator("linked-2", "linked", "missing", without="iam:PutRolePolicy")
    result = project("doctor")
    assert result.returncode == 1
    assert "✗ permissions" in result.stdout
    assert f"user/{USER}-missing: iam:PutRolePolicy (" in result.stdout


def test_a_wrong_account_is_a_problem_with_its_way_out(sandbox, operator):
    project = sandbox.project("linked-1", "wrong account")
    result = project("doctor", "--aws-profile", "linked-2")
    assert result.returncode == 1
    assert "✗ account" in result.stdout
    assert "--aws-profile" in result.stdout
