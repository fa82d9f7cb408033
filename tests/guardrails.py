"""Organizations with guardrails: generated policies, what is predicted of them, what they do.

The policies are of the kinds that organizations have: a region deny, role names, demanded
boundaries and tags, protected names, allow lists, a perimeter by resource control policies; with
and without exemptions, by account and by place in the tree. The sandbox enforces them by an
evaluation of its own, so a mistake in the prediction, or in the list of the calls that a
deployment makes, shows as an account that fails and was not predicted, or the other way round.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import boto3
from botocore.exceptions import ClientError

from orchestrator.aws import control_policies, organizations
from orchestrator.aws.session import Aws
from orchestrator.model.control_policies import RESOURCE, SERVICE
from orchestrator.model.guardrail import Obstacle, Phase
from orchestrator.model.linked_calls import LinkedCalls
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import API_ROLE, PRINCIPAL
from orchestrator.stacks.templates import linked_template
from orchestrator.stackset.guardrails import Guardrails, evaluate

PAYER = "111111111111"
EXTERNAL_ID = "an-external-id"
STACKSET = "guarded"
EXECUTION = "arn:aws:iam::*:role/stacksets-exec-*"
BOUNDARY = f"arn:aws:iam::{PAYER}:policy/limits"
OWN_BOUNDARY = "arn:aws:iam::${aws:PrincipalAccount}:policy/limits"

Statement = dict[str, Any]


@dataclass
class Outcome:
    """What happened in an organization; each is a set of account ids."""

    deployed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # Octo's AssumeRole
    limited: set[str] = field(default_factory=set)  # Octo's DescribeOrganization


class Organization:
    """The sandbox's organization, to which policies and accounts are added.

    Args:
        payer: a session as the payer's administrator.
        octo: a session as Octo's principal.
        seed: decides everything that is generated.
    """

    def __init__(self, payer: boto3.Session, octo: boto3.Session, seed: int) -> None:
        self.payer, self.octo, self.seed = payer, octo, seed
        self.random = random.Random(seed)
        self.client = payer.client("organizations")
        self.cloudformation = payer.client("cloudformation")
        self.aws = Aws(payer)
        self.inputs = Inputs(
            account_id=PAYER,
            cur_s3_bucket_name="reports",
            stackset_name=STACKSET,
            features=self.random.choice([("cost",), ("cost", "recommendations")]),
            permissions_boundary=self.random.choice([None, BOUNDARY]),
            tags=self.random.choice([{}, {"owner": "finance"}, {"team": "x"}]),
            stackset_role_path=self.random.choice([None, None, "/octo/"]),
        )
        self.region = self.random.choice(["us-east-1", "us-east-1", "eu-central-1"])
        self.cloudformation = payer.client("cloudformation", region_name=self.region)

    def aws_root(self) -> str:
        """The id of the organization's root."""
        return str(self.client.list_roots()["Roots"][0]["Id"])

    def build(self) -> None:
        """Add accounts, and attach one to four policies somewhere."""
        root = self.aws_root()
        for kind in (SERVICE, RESOURCE):
            self.client.enable_policy_type(RootId=root, PolicyType=kind)
        for number in range(self.random.randint(0, 2)):
            name = f"more-{number}"
            self.client.create_account(AccountName=name, Email=f"{name}@example.com")
        tree = organizations.read(self.aws)
        members = [m for m in tree.members if m.account_id != PAYER]
        for member in members:
            if self.inputs.permissions_boundary:
                self._create_boundary(member.account_id)
            if self.random.random() < 0.3:
                place = self.random.choice([ou for ou in tree.parents if ou != member.ou])
                self.client.move_account(
                    AccountId=member.account_id,
                    SourceParentId=member.ou,
                    DestinationParentId=place,
                )
        places = [*tree.parents, *(m.account_id for m in members)]
        kinds: list[Callable[[], tuple[str, list[Statement]]]] = [
            *(self.region_deny, self.role_names, self.boundary, self.tags, self.protected),
            *(self.perimeter, self.perimeter, self.by_place, self.calls, self.via, self.by_tag),
        ]
        for number, make in enumerate(self.random.sample(kinds, self.random.randint(1, 4))):
            kind, statements = make()
            for place in self.random.sample(places, self.random.randint(1, 2)):
                self.attach(kind, f"guardrail-{number}", statements, place)
        if self.random.random() < 0.4:
            place = self.random.choice(places)
            self.attach(SERVICE, "allow-list", [self.allow_list()], place)
            self.client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=place)

    def _create_boundary(self, account_id: str) -> None:
        keys = self.payer.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole",
            RoleSessionName="test",
        )["Credentials"]
        session = session_of(keys)
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        session.client("iam").create_policy(
            PolicyName="limits", PolicyDocument=content([everything])
        )

    def attach(self, kind: str, name: str, statements: list[Statement], place: str) -> str:
        """Create a policy and attach it; the policy's id."""
        made = self.client.create_policy(
            Content=content(statements), Description="", Name=f"{name}-{place}", Type=kind
        )["Policy"]["PolicySummary"]["Id"]
        self.client.attach_policy(PolicyId=made, TargetId=place)
        return made

    def _exempted(self, *, always: Statement | None = None) -> Statement:
        """A Condition that exempts nobody, somebody, or the execution role."""
        key = self.random.choice(["aws:PrincipalArn", "aws:PrincipalARN"])
        other = "arn:aws:iam::*:role/AWSControlTowerExecution"
        exempting = self.random.choice(
            [
                {},
                {"ArnNotLike": {key: other}},
                {"ArnNotLike": {key: [other, EXECUTION]}},
                {"StringNotLike": {key: [EXECUTION]}},
                {"ForAnyValue:ArnNotLike": {key: [other]}},
            ]
        )
        merged: Statement = dict(always or {})
        for operator, keys in exempting.items():
            merged[operator] = {**merged.get(operator, {}), **keys}
        return merged

    def region_deny(self) -> tuple[str, list[Statement]]:
        allowed = self.random.choice(
            [["us-east-1", "eu-central-1"], ["eu-central-1"], "us-east-1", ["eu-west-1"]]
        )
        left_out = self.random.choice(
            [["iam:*", "organizations:*", "sts:*"], ["iam:*"], ["cloudformation:*", "s3:*"]]
        )
        denied = {"StringNotEquals": {"aws:RequestedRegion": allowed}}
        return SERVICE, [
            {
                "Sid": "Regions",
                "Effect": "Deny",
                "NotAction": left_out,
                "Resource": "*",
                "Condition": self._exempted(always=denied),
            }
        ]

    def role_names(self) -> tuple[str, list[Statement]]:
        names = self.random.choice(["Alphaus*", "app-*", "*Role"])
        return SERVICE, [
            {
                "Effect": "Deny",
                "Action": self.random.choice(["iam:CreateRole", ["iam:Create*", "iam:Put*"]]),
                "NotResource": f"arn:aws:iam::*:role/{names}",
                "Condition": self._exempted(),
            }
        ]

    def boundary(self) -> tuple[str, list[Statement]]:
        wanted = self.random.choice([BOUNDARY, OWN_BOUNDARY, "arn:aws:iam::*:policy/limits"])
        operator = "ArnNotLike" if "*" in wanted else "StringNotEquals"
        return SERVICE, [
            {
                "Sid": "Boundary",
                "Effect": "Deny",
                "Action": ["iam:CreateRole", "iam:PutRolePolicy"],
                "Resource": "*",
                "Condition": self._exempted(always={operator: {"iam:PermissionsBoundary": wanted}}),
            }
        ]

    def tags(self) -> tuple[str, list[Statement]]:
        demanded = self.random.choice(
            [
                {"Null": {"aws:RequestTag/owner": "true"}},
                {"StringNotEquals": {"aws:RequestTag/owner": ["finance", "it"]}},
                {"ForAllValues:StringNotEquals": {"aws:TagKeys": "owner"}},
            ]
        )
        return SERVICE, [
            {
                "Effect": "Deny",
                "Action": "iam:CreateRole",
                "Resource": "*",
                "Condition": self._exempted(always=demanded),
            }
        ]

    def protected(self) -> tuple[str, list[Statement]]:
        names = self.random.choice(["Alphaus*", "*Searcher*", "octo/*", "security-*"])
        return SERVICE, [
            {
                "Sid": "Protected",
                "Effect": "Deny",
                "Action": ["iam:*Role*"],
                "Resource": [f"arn:aws:iam::*:role/{names}", "arn:aws:iam::*:role/audit-*"],
                "Condition": self._exempted(),
            }
        ]

    def perimeter(self) -> tuple[str, list[Statement]]:
        own = self.client.describe_organization()["Organization"]["Id"]
        condition: Statement = {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": own},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        }
        exempted = self.random.choice([None, ["222222222222"], [PRINCIPAL], "arn"])
        if exempted == "arn":
            condition["ArnNotLikeIfExists"] = {"aws:PrincipalArn": f"arn:aws:iam::{PRINCIPAL}:*"}
        elif exempted:
            condition["StringNotEqualsIfExists"]["aws:PrincipalAccount"] = exempted
        return RESOURCE, [
            {
                "Sid": "Perimeter",
                "Effect": "Deny",
                "Principal": "*",
                "Action": self.random.choice(["sts:AssumeRole", ["sts:*", "s3:*"], "s3:*"]),
                "Resource": "*",
                "Condition": condition,
            }
        ]

    def by_place(self) -> tuple[str, list[Statement]]:
        tree = organizations.read(self.aws)
        member = self.random.choice([m for m in tree.members if m.account_id != PAYER])
        unit = self.random.choice([*tree.parents])
        condition = self.random.choice(
            [
                {"StringEquals": {"aws:PrincipalAccount": member.account_id}},
                {"StringLike": {"aws:PrincipalAccount": f"{member.account_id[:2]}*"}},
                {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"*/{unit}/*"}},
                {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": [f"*/{unit}/*"]}},
            ]
        )
        action = self.random.choice(["cloudformation:*", "iam:PutRolePolicy", "cloudformation:D*"])
        return SERVICE, [
            {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}
        ]

    def calls(self) -> tuple[str, list[Statement]]:
        action = self.random.choice(
            ["organizations:*", "organizations:Describe*", "organizations:DescribeOrganization"]
        )
        return SERVICE, [{"Effect": "Deny", "Action": action, "Resource": "*"}]

    def via(self) -> tuple[str, list[Statement]]:
        condition = self.random.choice(
            [
                {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}},
                {"Bool": {"aws:ViaAWSService": "false"}},
                {"StringEquals": {"aws:PrincipalType": "User"}},
            ]
        )
        return SERVICE, [
            {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": condition}
        ]

    def by_tag(self) -> tuple[str, list[Statement]]:
        condition = {"StringNotEquals": {"aws:PrincipalTag/team": "platform"}}
        return SERVICE, [
            {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*", "Condition": condition}
        ]

    def allow_list(self) -> Statement:
        actions = self.random.choice(
            [
                ["s3:*", "ec2:*"],
                ["cloudformation:*", "iam:*"],
                ["cloudformation:*", "iam:Get*", "iam:Create*", "organizations:*"],
                ["*"],
            ]
        )
        return {"Effect": "Allow", "Action": actions, "Resource": "*"}

    def predict(self) -> Guardrails:
        """What octo-tf predicts for every active account."""
        tree = organizations.read(self.aws)
        calls = LinkedCalls(self.inputs, "aws", self.region)
        wanted = [m.account_id for m in tree.members if m.active and m.account_id != PAYER]
        return evaluate(control_policies.read(self.aws), tree, calls, deployed_to=wanted)

    def deploy(self) -> Outcome:
        """Deploy the role to every account, assume it as Octo does, and call something."""
        root = self.aws_root()
        cloudformation, outcome = self.cloudformation, Outcome()
        cloudformation.activate_organizations_access()
        cloudformation.create_stack_set(
            StackSetName=STACKSET,
            TemplateBody=linked_template(self.inputs),
            Parameters=[
                {"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID},
                {"ParameterKey": "Principal", "ParameterValue": PRINCIPAL},
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
            PermissionModel="SERVICE_MANAGED",
            AutoDeployment={"Enabled": False},
            Tags=[{"Key": k, "Value": v} for k, v in self.inputs.tags.items()],
        )
        cloudformation.create_stack_instances(
            StackSetName=STACKSET,
            DeploymentTargets={"OrganizationalUnitIds": [root]},
            Regions=[self.region],
            OperationPreferences={
                "FailureTolerancePercentage": 100,
                "MaxConcurrentPercentage": 100,
                "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
            },
        )
        return self.observe(outcome)

    def observe(self, outcome: Outcome) -> Outcome:
        """Read every stack instance, and use the role where there is one."""
        instances = self.cloudformation.list_stack_instances(StackSetName=STACKSET)["Summaries"]
        for instance in instances:
            state = instance["StackInstanceStatus"]["DetailedStatus"]
            if state == "SUCCEEDED":
                outcome.deployed.add(instance["Account"])
            elif state != "SKIPPED_SUSPENDED_ACCOUNT":
                outcome.failed[instance["Account"]] = instance["StatusReason"]
        for account_id in outcome.deployed:
            self._use_role(account_id, outcome)
        return outcome

    def _use_role(self, account_id: str, outcome: Outcome) -> None:
        path = self.inputs.stackset_role_path or "/"
        try:
            keys = self.octo.client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{account_id}:role{path}{API_ROLE}",
                RoleSessionName="octo",
                ExternalId=EXTERNAL_ID,
            )["Credentials"]
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            outcome.refused.add(account_id)
            return
        try:
            session_of(keys).client("organizations").describe_organization()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            outcome.limited.add(account_id)

    def exempt(self, obstacle: Obstacle) -> None:
        """Change a policy as its obstacle's exemption says."""
        policy = obstacle.policies[0]
        statements = [*policy.document["Statement"]]
        if obstacle.number:
            statements[obstacle.number - 1] = obstacle.exemption
        else:
            statements.append(obstacle.exemption)
        self.client.update_policy(PolicyId=policy.policy_id, Content=content(statements))

    def exempt_all(self) -> Guardrails:
        """Add exemptions, to each policy one at a time, until nothing is denied any more."""
        for _ in range(8):
            predicted = self.predict()
            changed = set()
            for obstacle in predicted.obstacles:
                if (policy := obstacle.policies[0]) not in changed:
                    changed.add(policy)
                    self.exempt(obstacle)
            if not changed:
                break
        return predicted


def check_prediction(payer: boto3.Session, octo: boto3.Session, seed: int) -> None:
    """Compare what is predicted of a generated organization with what happens."""
    organization = Organization(payer, octo, seed)
    organization.build()
    predicted = organization.predict()
    differences = compare(predicted, organization.deploy())
    assert not differences, "\n".join(differences)


def check_exemptions(payer: boto3.Session, octo: boto3.Session, seed: int) -> None:
    """Add the exemptions that are proposed for a generated organization: nothing fails then."""
    organization = Organization(payer, octo, seed)
    organization.build()
    left = organization.exempt_all().obstacles
    assert not left, f"not ended by its exemption: {left}"
    after = organization.deploy()
    denied = {*after.failed.values(), *after.refused, *after.limited}
    assert not denied, f"denied in spite of the exemptions: {denied}"


def session_of(keys: Any) -> boto3.Session:
    """A session with the credentials of AssumeRole."""
    return boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
    )


def content(statements: list[Statement]) -> str:
    """A policy's text; a Condition without operators is left out."""
    shown = [{k: v for k, v in s.items() if k != "Condition" or v} for s in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": shown})


def compare(guardrails: Guardrails, outcome: Outcome) -> list[str]:
    """What differs between prediction and outcome; nothing if all was as predicted."""

    def predicted(phase: Phase, *, certain: bool, action: str = "") -> set[str]:
        return {
            account
            for one in guardrails.obstacles
            if one.phase is phase and one.certain is certain
            if not action or any(fnmatchcase(action, pattern) for pattern in one.actions)
            for account in one.accounts
        }

    used = outcome.deployed - outcome.refused
    asked = "organizations:DescribeOrganization"
    rows = (
        (Phase.DEPLOYMENT, "", set(outcome.failed), outcome.deployed | set(outcome.failed)),
        (Phase.ACCESS, "", outcome.refused, outcome.deployed),
        (Phase.CALLS, asked, outcome.limited, used),
    )
    found = []
    for phase, action, happened, tried in rows:
        certain = predicted(phase, certain=True, action=action) & tried
        possible = predicted(phase, certain=False, action=action) & tried
        found += [
            f"{phase.value} failed and was not predicted: {a}: {outcome.failed.get(a, '')}"
            for a in sorted(happened - certain - possible)
        ]
        found += [f"{phase.value} was predicted to fail: {a}" for a in sorted(certain - happened)]
    return found
