"""The policies of octo-tf policy: their scope, their size, their trust and their formats."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import hcl2
import jsonschema
import pytest

from orchestrator import cli
from orchestrator.errors import ConfigError
from orchestrator.model.permissions import STEPS, Scope, permissions, policies, size, trust
from orchestrator.model.permissions.policies import Permission
from orchestrator.model.permissions.table import TABLE
from orchestrator.model.registration import Registration
from tests.registered import MANY

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schemas/policy-v1.json").read_text())
ACCOUNT = "111122223333"
EVERYTHING: dict[str, Any] = {
    "features": ["cost", "recommendations", "container_cost", "execution"],
    "execution_actions": ["stop_ec2"],
    "enrolment": "organization",
    "use_stackset": True,
    "tags": {"team": "finops"},
    "provider_version": "~> 6.0",
    "backend": {
        "type": "s3",
        "bucket": "states",
        "key": "octo.tfstate",
        "region": "eu-west-1",
        "kms_key_id": "1234abcd-12ab-34cd-56ef-1234567890ab",
    },
}


def scope(kind: str = "payer", settings: dict[str, Any] | None = None, **options: Any) -> Scope:
    given = {"account_id": ACCOUNT, "external_id": "abc", **(settings or {})}
    return Scope(Registration.model_validate(given), kind, **options)


def printed(capsys, tmp_path, *arguments: str, **settings: Any) -> tuple[int, str, str]:
    """What octo-tf policy prints for settings, after its exit code."""
    config = tmp_path / "octo.yaml"
    config.write_text(json.dumps({"account_id": ACCOUNT, **settings}))
    code = cli.run(["policy", "--config", str(config), *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_no_action_is_a_wildcard_and_every_resource_is_named_where_the_action_has_one():
    star = {"ReadAccount", "FindStacks", "Enrol", "EnableServices", "EnableAccess"}
    star |= {"CreateStackSet"}
    found = permissions(
        scope(settings=EVERYTHING, enables_access=True, deletes_bucket=True, deletes_data=True),
        STEPS,
    )
    assert not [action for p in found for action in p.actions if "*" in action]
    assert {p.sid for p in found if "*" in p.resources} == star


def test_reading_commands_change_nothing_but_the_lock_of_the_state():
    reads = ("Get", "List", "Describe", "Simulate")
    found = permissions(scope(settings=EVERYTHING), ("plan", "verify"))
    changing = {
        (p.sid, action)
        for p in found
        for action in p.actions
        if not action.partition(":")[2].startswith(reads)
    }
    assert {sid for sid, _ in changing} == {"LockState", "StateKey"}


@pytest.mark.parametrize("kind", ["payer", "linked", "standalone"])
def test_every_policy_is_within_iam_s_size_and_nothing_is_lost_by_splitting(kind):
    wide = EVERYTHING if kind == "payer" else {**EVERYTHING, "use_stackset": False}
    long = {"cur_s3_bucket_name": "b" * 63, "cur_s3_prefix": "p" * 256}
    wanted = permissions(
        scope(
            kind,
            {**wide, **(long if kind != "linked" else {})},
            deletes_bucket=True,
            deletes_data=True,
            enables_access=True,
            released_stacks=tuple(f"a-stack-with-a-long-name-{n}" for n in range(40)),
            removed_roles=tuple(f"a-role-with-a-long-name-{n}" for n in range(40)),
        ),
        STEPS,
    )
    made = policies("octo-tf", wanted)
    assert all(size(document) <= 6144 for document in made.values())
    assert 1 < len(made) <= 10
    statements = [s for document in made.values() for s in document["Statement"]]
    granted = {
        (action, resource)
        for s in statements
        for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
        for resource in ([s["Resource"]] if isinstance(s["Resource"], str) else s["Resource"])
    }
    assert granted == {(a, r) for p in wanted for a in p.actions for r in p.resources}
    assert [s["Sid"] for s in statements] == [*dict.fromkeys(s["Sid"] for s in statements)]


def test_a_statement_that_exceeds_a_policy_is_split_by_its_resources():
    stacks = tuple(f"octo-{'x' * 100}-{number}" for number in range(150))
    wanted = permissions(scope("linked", released_stacks=stacks), ["adopt"])
    documents = policies("octo", wanted).values()
    assert all(size(document) <= 6_144 for document in documents)
    statements = [s for d in documents for s in d["Statement"] if "ReleaseStacks" in s["Sid"]]
    assert len({s["Sid"] for s in statements}) == len(statements) > 1
    (whole,) = (p for p in wanted if p.sid == "ReleaseStacks")
    assert {r for s in statements for r in s["Resource"]} == set(whole.resources)
    assert all(s["Action"] == list(whole.actions) for s in statements)


def test_an_existing_report_and_its_bucket_must_be_named(capsys, tmp_path):
    settings = {"account_type": "payer", "cur_report_option": "USE_EXISTING"}
    code, out, error = printed(capsys, tmp_path, "--format", "json", **settings)
    assert (code, out) == (64, "")
    assert "--cur-report-name NAME --cur-s3-bucket-name BUCKET" in error
    names = ("--cur-report-name", "hourly", "--cur-s3-bucket-name", "billing")
    code, out, _ = printed(capsys, tmp_path, *names, **settings)
    assert code == 0
    assert '"arn:aws:s3:::billing"' in out
    assert "s3:GetBucketLocation" in out
    assert "definition/hourly" in out
    assert "alphaus-cur-export" not in out


def test_every_entry_of_the_table_is_reached_by_some_options():
    cases = [
        scope(kind, {**settings, **boundary}, **options)
        for kind, settings in (
            ("payer", EVERYTHING),
            ("payer", {"additional_actions": [*MANY]}),
            ("payer", {"cur_s3_bucket_option": "USE_EXISTING", "cur_s3_bucket_name": "acme"}),
        )
        for boundary in ({}, {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/B"})
        for options in (
            {"bucket_key": "arn:aws:kms:us-east-1:1:key/k", "enables_access": True},
            {"deletes_bucket": True, "deletes_data": True, "ends_enrolments": True},
            {"released_stacks": ("s",), "removed_roles": ("r",)},
        )
    ]
    reached = {p.sid for one in cases for p in permissions(one, STEPS)}
    assert reached == {entry.sid for entry in TABLE}


def test_managed_policies_are_created_and_attached_only_where_additional_actions_need_them():
    arns = [f"arn:aws:iam::{ACCOUNT}:policy/OctoAdditional{n}" for n in (1, 2)]
    several = {"additional_actions": [*MANY], "features": ["cost", "recommendations"]}
    (created,) = actions_on(several, "iam:CreatePolicy")
    assert created.resources == tuple(arns)
    (attached,) = actions_on(several, "iam:AttachRolePolicy")
    assert attached.condition == {"ArnEquals": {"iam:PolicyARN": arns}}
    assert len(attached.resources) == 2
    for name in ("iam:CreatePolicy", "iam:AttachRolePolicy"):
        assert actions_on({"additional_actions": [*MANY[:3]]}, name) == []


def actions_on(settings: dict[str, Any], action: str) -> list[Permission]:
    return [p for p in permissions(scope(settings=settings), ("apply",)) if action in p.actions]


def test_the_owner_s_boundary_is_demanded_of_every_role():
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/Boundary"
    found = permissions(scope(settings={"permissions_boundary": boundary}), ("apply",))
    conditions = {p.sid: p.condition for p in found if "iam:CreateRole" in p.actions}
    assert conditions == {
        "CreateBoundedRoles": {"ArnEquals": {"iam:PermissionsBoundary": boundary}}
    }


def test_another_partition_has_its_own_arns():
    registration = {"region": "cn-north-1", "cur_s3_bucket_region": "cn-north-1"}
    found = permissions(scope("standalone", registration), STEPS)
    arns = {r for p in found for r in p.resources if r != "*"}
    assert {arn.split(":")[1] for arn in arns} == {"aws-cn"}
    assert f"arn:aws-cn:cur:cn-northwest-1:{ACCOUNT}:definition/curreport" in arns


def test_a_state_that_another_profile_reaches_is_not_in_the_account_s_policies():
    backend = {**EVERYTHING["backend"], "profile": "states"}
    sids = {p.sid for p in permissions(scope("linked", {"backend": backend}), STEPS)}
    assert not {"State", "StateBucket", "LockState", "StateKey"} & sids


def conditions(issuer: str, role: str, **options: Any) -> dict[str, Any]:
    document = trust(issuer, **options).document(role, account=ACCOUNT, partition="aws")
    (statement,) = document["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    return statement["Condition"]


def test_github_s_pull_requests_plan_and_its_environment_applies():
    key = "token.actions.githubusercontent.com"
    aud = {f"{key}:aud": "sts.amazonaws.com"}
    plan = ["repo:acme/payer:pull_request", "repo:acme/payer:ref:refs/heads/main"]
    assert conditions("github:acme/payer", "plan") == {"StringEquals": {**aud, f"{key}:sub": plan}}
    applies = conditions("github:acme/payer", "apply", environment="payer")
    sub = "repo:acme/payer:environment:payer"
    assert applies == {"StringEquals": {**aud, f"{key}:sub": sub}}


def test_gitlab_s_branches_plan_and_one_applies():
    sub = "project_path:acme/cloud/payer:ref_type:branch:ref"
    aud = {"gitlab.com:aud": "sts.amazonaws.com"}
    assert conditions("gitlab:acme/cloud/payer", "plan") == {
        "StringEquals": aud,
        "StringLike": {"gitlab.com:sub": f"{sub}:*"},
    }
    assert conditions("gitlab:acme/cloud/payer", "apply", branch="production") == {
        "StringEquals": {**aud, "gitlab.com:sub": f"{sub}:production"}
    }


def test_another_issuer_needs_its_subjects():
    subjects = {"plan": ("job:plan",), "apply": ("job:apply",)}
    found = conditions("https://ci.acme.example/oidc", "apply", subjects=subjects, audience="aws")
    assert found == {
        "StringEquals": {
            "ci.acme.example/oidc:aud": "aws",
            "ci.acme.example/oidc:sub": "job:apply",
        }
    }
    with pytest.raises(ConfigError, match="which tokens"):
        trust("https://ci.acme.example/oidc", subjects={"plan": ("job:plan",)})


@pytest.mark.parametrize(
    ("issuer", "options"),
    [
        ("github:acme", {}),
        ("github:acme/*", {}),
        ("http://ci.acme.example", {}),
        ("github:acme/payer", {"branch": "*"}),
        ("github:acme/payer", {"environment": "pro*"}),
        ("github:acme/payer", {"subjects": {"apply": ("repo:acme/*",)}}),
    ],
)
def test_a_trust_in_more_than_one_repository_is_refused(issuer, options):
    with pytest.raises(ConfigError):
        trust(issuer, **options)


def test_json_keeps_to_its_schema_and_stdout_has_nothing_else(capsys, tmp_path):
    code, out, err = printed(
        capsys, tmp_path, "--oidc", "github:acme/payer", **EVERYTHING, external_id_file="absent"
    )
    assert code == 0, err
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    names = [(role["name"], role["commands"]) for role in document["roles"]]
    assert names == [("octo-tf-plan", ["plan", "verify"]), ("octo-tf-apply", ["apply"])]
    assert "permissions_boundary" in err


def test_the_account_s_type_must_be_known(capsys, tmp_path):
    code, out, err = printed(capsys, tmp_path)
    assert (code, out) == (64, "")
    assert "--account-type" in err


def test_terraform_s_configuration_holds_the_same_documents(capsys, tmp_path):
    settings = {**EVERYTHING, "tags": {"odd": "x"}}
    _, as_json, _ = printed(capsys, tmp_path, "--oidc", "gitlab:a/b", **settings)
    code, out, err = printed(
        capsys, tmp_path, "--oidc", "gitlab:a/b", "--format", "terraform", **settings
    )
    assert code == 0, err
    parsed = hcl2.loads(out + "\n")
    kinds = [next(iter(block)).strip('"') for block in parsed["resource"]]
    wanted = [len(role["policies"]) for role in json.loads(as_json)["roles"]]
    assert kinds.count("aws_iam_policy") == kinds.count("aws_iam_role_policy_attachment")
    assert kinds.count("aws_iam_policy") == sum(wanted)
    assert kinds.count("aws_iam_role") == 2


def test_every_pair_of_commands_has_the_permissions_of_both():
    one = scope(settings=EVERYTHING)
    for pair in itertools.combinations(STEPS, 2):
        both = {(p.sid, a) for p in permissions(one, pair) for a in p.actions}
        each = {(p.sid, a) for step in pair for p in permissions(one, (step,)) for a in p.actions}
        assert both == each
