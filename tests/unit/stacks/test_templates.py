"""Our CloudFormation templates: from the module's policies, and as CloudFormation takes them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from cfnlint import ManualArgs, lint

from orchestrator import assets
from orchestrator.detection import stackset_template
from orchestrator.errors import ConfigError
from orchestrator.model.module_contract import documents, inputs
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import READING_ROLES
from orchestrator.model.policy import allowed
from orchestrator.stacks import links, steps, templates
from tests.registered import MANY

PLAIN = Inputs("111122223333", "alphaus-cur-export-111122223333")
FULL = dataclasses.replace(
    PLAIN,
    features=("cost", "recommendations", "container_cost", "ai_cost"),
    additional_actions=("rds:DescribeDBProxies",),
    permissions_boundary="arn:aws:iam::111122223333:policy/Boundary",
    tags={"team": "fin ops", "cost:center": "4/2"},
    stackset_excluded_accounts=("444455556666",),
    cur_format="Parquet",
    cur_compression="Parquet",
    cur_additional_artifacts=("ATHENA",),
    cur_role_trust="principal_only",
)

LARGE = dataclasses.replace(FULL, additional_actions=MANY)


def parsed(name: templates.Name, of: Inputs = PLAIN) -> dict[str, Any]:
    return dict(stackset_template.parse(templates.render(name, of)))


def policies(role: dict[str, Any]) -> dict[str, Any]:
    return {p["PolicyName"]: p["PolicyDocument"] for p in role["Properties"]["Policies"]}


def mistakes(text: str) -> list[str]:
    """What cfn-lint finds wrong or risky in us-east-1; the rest of its rules are advice."""
    found = lint(text, config=ManualArgs(regions=["us-east-1"]))
    return [str(match) for match in found if match.rule.id[0] in "EW"]


@pytest.mark.parametrize("of", [PLAIN, FULL, LARGE], ids=["plain", "full", "large"])
@pytest.mark.parametrize("name", templates.NAMES)
def test_cfn_lint_finds_nothing(name, of):
    assert mistakes(templates.render(name, of)) == []


def test_cfn_lint_does_find_mistakes_where_there_are_some():
    broken = templates.render("api-access", PLAIN).replace("RoleName:", "RolesName:")
    assert mistakes(broken)


@pytest.mark.parametrize("name", templates.NAMES)
def test_a_template_is_the_same_text_every_time_and_small_enough(name):
    text = templates.render(name, FULL)
    assert text == templates.render(name, FULL)
    assert len(text.encode()) < 51_200


def test_the_roles_policies_are_the_modules_files():
    made = policies(parsed("api-access", FULL)["Resources"]["ApiAccessRole"])
    for feature in ("cost", "recommendations"):
        file = assets.MODULE / "policies" / f"{feature}.json"
        assert made[f"octo-{feature}"] == json.loads(file.read_text())


def test_actions_beyond_the_limit_of_inline_policies_are_in_managed_policies_of_the_template():
    # A launch link names a template in S3, which may have 1 MB; the StackSet's body is inside.
    assert len(templates.render("api-access", LARGE).encode()) < 1_000_000
    deployed = stackset_template.parse(templates.linked_template(LARGE))
    for template in (parsed("api-access", LARGE), deployed):
        made = template["Resources"]
        managed = {i: r["Properties"] for i, r in made.items() if "ManagedPolicy" in r["Type"]}
        names = [one["ManagedPolicyName"] for one in managed.values()]
        assert names == ["OctoAdditional1", "OctoAdditional2"]
        granted = [a for one in managed.values() for a in allowed(one["PolicyDocument"])]
        assert sorted(granted) == sorted(MANY)
        roles = [r["Properties"] for r in made.values() if r["Type"] == "AWS::IAM::Role"]
        attached = {one["RoleName"]: one.get("ManagedPolicyArns") for one in roles}
        references = [{"Ref": logical_id} for logical_id in managed]
        assert attached == dict.fromkeys(READING_ROLES, references)


def test_a_template_of_linked_accounts_that_cloudformation_refuses_is_not_rendered():
    actions = tuple(f"rds:Describe{number:0>100}" for number in range(500))
    with pytest.raises(ConfigError, match="51,200"):
        templates.linked_template(dataclasses.replace(PLAIN, additional_actions=actions))


def test_hostile_tags_stay_values():
    tags = {"k": '"}] {{ x }} # : - ${AWS::Region}'}
    made = parsed("api-access", dataclasses.replace(PLAIN, tags=tags))
    role = made["Resources"]["ApiAccessRole"]
    assert role["Properties"]["Tags"] == [{"Key": "k", "Value": tags["k"]}]
    assert set(role["Properties"]) == {
        *("RoleName", "Description", "Tags", "AssumeRolePolicyDocument", "Policies"),
        "MaxSessionDuration",
    }


def test_parameters_are_named_as_octos_own_templates_name_them():
    assert set(parsed("api-access")["Parameters"]) == {
        *("ExternalId", "Principal", "TemplateVersion", "TargetOrganizationId")
    }
    assert set(parsed("cur")["Parameters"]) == {
        *("CurS3BucketOption", "CurS3BucketName", "CurS3BucketRegion", "CurS3Prefix"),
        *("CurReportName", "Principal", "ExternalId", "TemplateVersion"),
    }


def test_no_parameter_is_one_that_links_ignore():
    for name in templates.NAMES:
        assert not any(p.get("NoEcho") for p in parsed(name)["Parameters"].values())


def test_the_link_gives_only_parameters_that_the_template_has():
    for step in steps.STEPS:
        for of in (PLAIN, dataclasses.replace(PLAIN, cur_s3_bucket_region="eu-central-1")):
            for stack in steps.expected_stacks(step, of, external_ids=["id"], region="us-east-1"):
                assert stack.parameters.keys() <= parsed(stack.template)["Parameters"].keys()


def test_a_registration_overrides_the_defaults(registered):
    found = inputs.module_inputs(
        registered(cur_s3_prefix="other", features=["recommendations", "cost"])
    )
    assert (found.cur_s3_prefix, found.cur_report_name) == ("other", "curreport")
    assert found.features == ("cost", "recommendations")
    assert found.cur_s3_bucket_name == "alphaus-cur-export-111122223333"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"features": ["cost", "execution"], "execution_actions": ["stop_ec2"]}, "features"),
        (
            {
                "cur_s3_bucket_option": "USE_EXISTING",
                "cur_s3_bucket_name": "bucket",
                "cur_s3_bucket_merge_policy": True,
            },
            "cur_s3_bucket_merge_policy",
        ),
    ],
)
def test_what_only_terraform_makes_is_refused(registered, fields, where):
    with pytest.raises(ConfigError) as caught:
        inputs.console_inputs(registered(**fields))
    assert caught.value.where == where


# Links


def test_a_link_is_read_back_as_it_was_made():
    made = links.QuickCreate(
        "us-east-1",
        "AlphausAccountAccess",
        "https://bucket.s3.us-east-1.amazonaws.com/a b/t.yaml?versionId=1&x",
        {"ExternalId": "a+b=c,d.e@f:g/h-i", "Principal": "131920598436", "Blank": ""},
    )
    assert links.parse(made.url) == made
    assert made.url.startswith(
        "https://console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/create/review?"
        "templateURL=https%3A%2F%2Fbucket"
    )
    assert "param_ExternalId=a%2Bb%3Dc%2Cd.e%40f%3Ag%2Fh-i" in made.url


def test_a_links_repr_hides_the_external_id():
    made = links.QuickCreate("us-east-1", "s", "https://x", {"ExternalId": "secret-id"})
    assert "secret-id" not in repr(made)
    (stack,) = steps.expected_stacks(
        "api-access", PLAIN, external_ids=["secret-id"], region="us-east-1"
    )
    assert "secret-id" not in repr(stack)


@pytest.mark.parametrize("url", ["", "https://example.com/", links.create_page("us-east-1")])
def test_other_links_are_not_taken_for_ours(url):
    with pytest.raises(ValueError, match="not a quick-create link"):
        links.parse(url)


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        ("aws-eusc", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_each_partition_has_its_own_console(partition, host):
    assert f"https://{host}/" in links.create_page("region-1", partition)


@pytest.mark.parametrize("partition", ["aws-iso-b", "aws-new"])
def test_a_partition_whose_console_is_not_known_is_refused_by_its_name(partition):
    with pytest.raises(ConfigError, match=partition) as caught:
        links.create_page("region-1", partition)
    assert "octo-tf apply" in caught.value.hint


# Steps


def test_each_type_of_account_has_its_steps():
    assert steps.steps_of("linked") == ("api-access",)
    assert steps.steps_of("standalone") == ("api-access", "cur")
    assert steps.steps_of("payer") == ("api-access", "cur", "stackset")
    with pytest.raises(ConfigError, match="is not for a linked account"):
        steps.check_step("cur", "linked")


@pytest.mark.parametrize(
    ("changes", "stacks"),
    [
        ({}, [("cur", "us-east-1", "CREATE_NEW")]),
        (
            {"cur_s3_bucket_region": "eu-central-1"},
            [("cur-bucket", "eu-central-1", None), ("cur", "us-east-1", "USE_EXISTING")],
        ),
        (
            {"cur_s3_bucket_region": "eu-central-1", "cur_s3_bucket_option": "USE_EXISTING"},
            [("cur", "us-east-1", "USE_EXISTING")],
        ),
    ],
)
def test_a_new_bucket_in_another_region_has_a_stack_of_its_own(changes, stacks):
    found = steps.expected_stacks(
        "cur", dataclasses.replace(PLAIN, **changes), external_ids=["id"], region="eu-west-1"
    )
    assert [(s.template, s.region, s.parameters.get("CurS3BucketOption")) for s in found] == stacks


def test_the_external_id_is_in_no_template():
    for name in templates.NAMES:
        assert "external_id" not in templates.render(name, PLAIN)
    assert "ExternalId" in documents.text(documents.trust("arn", "x"))
