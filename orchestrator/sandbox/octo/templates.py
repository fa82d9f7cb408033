"""Octo's own CloudFormation template, in two versions, in a public bucket of Octo's account.

Made after the service's public description of its API access template: parameters, roles, what
each role is for, the StackSet that ``TargetOrganizationId`` makes, and that the API access role may
update its own policies and its own stack. The exact text of the live template, and how the service
finds out that an account is ``outdated``, are not public: here it compares what the role allows
with what the newest version adds to it.
"""

from __future__ import annotations

import json
from typing import Any

from orchestrator.sandbox.organization import OCTO
from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.state import SandboxState, bucket_owner, identity_policies, s3

BUCKET = "alphaus-cloudformation-templates"
STACK = "AlphausAccountAccess"
VERSIONS = ("v1", "v2")
ROLE, SEARCHER = "AlphausAcctAccessRole", "OctoRecommendationSearcherRole"
# What each version adds to the API access role: version 1 is what a registration begins with.
ADDED = {"v1": (), "v2": ("freetier:GetFreeTierUsage", "invoicing:ListInvoiceSummaries")}
_READS = (
    *("ce:*", "cur:Describe*", "savingsplans:Describe*", "pricing:*", "budgets:ViewBudget"),
    *("budgets:Describe*", "billingconductor:List*", "bcm-data-exports:Get*"),
    *("bcm-data-exports:List*", "cloudformation:BatchDescribe*", "cloudformation:Describe*"),
    *("cloudformation:Get*", "cloudformation:List*", "cloudwatch:Get*", "cloudwatch:List*"),
    *("ec2:Describe*", "elasticache:Describe*", "es:Describe*", "memorydb:Describe*"),
    *("rds:Describe*", "redshift:Describe*", "organizations:Describe*", "organizations:List*"),
    *("iam:ListAccountAliases", "iam:ListRoles"),
)
_SEARCHES = (
    *("compute-optimizer:Get*", "cost-optimization-hub:Get*", "cost-optimization-hub:List*"),
    *("support:Describe*", "trustedadvisor:Describe*", "cloudwatch:Get*", "cloudwatch:List*"),
    *("ec2:Describe*", "rds:Describe*", "lambda:List*", "redshift:Describe*", "s3:GetBucket*"),
    *("s3:ListAllMyBuckets", "route53:List*", "backup:List*", "cloudtrail:LookupEvents"),
)


def url(version: str) -> str:
    """Return where a version of the template is; the version is in the file's name."""
    return f"https://{BUCKET}.s3.amazonaws.com/{_key(version)}"


def publish(state: SandboxState) -> None:
    """Put every version into the public bucket."""
    own = s3(OCTO)
    own.create_bucket(BUCKET, "us-east-1")
    for version in VERSIONS:
        own.put_object(BUCKET, _key(version), text(version).encode())
    state.bucket_policies[BUCKET] = json.dumps(
        _policy(_allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*") | {"Principal": "*"})
    )


def public_object(state: SandboxState, path: str) -> bytes | None:
    """Return an object that everybody may read, by its path; None if there is none."""
    bucket, _, key = path.lstrip("/").partition("/")
    owner, policy = bucket_owner(bucket), state.bucket_policies.get(bucket)
    if owner is None or policy is None:
        return None
    reading = AccessRequest("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {}, {"AWS": []})
    if decide([parse_policy(policy)], reading, resource_policy=True) != "allowed":
        return None
    found = s3(owner).get_object(bucket, key)
    return None if found is None else bytes(found.value)


def satisfies(account_id: str, version: str) -> bool:
    """Tell whether the API access role of an account allows what a version adds to it."""
    policies, boundary = identity_policies(account_id, "role", ROLE)
    layers = [policies, boundary] if boundary else [policies]
    asked = [AccessRequest(action, "*") for action in ADDED[version]]
    return all(decide(layer, request) == "allowed" for layer in layers for request in asked)


def text(version: str) -> str:
    """Return a version of the template (JSON)."""
    parameters = {
        "Principal": {"Type": "String", "Default": OCTO, "AllowedPattern": "^[0-9]*$"},
        "ExternalId": {"Type": "String"},
    }
    linked = {"Parameters": parameters, "Resources": _roles(version, updates=False)}
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Alphaus account access ({version})",
        "Parameters": {
            **parameters,
            "TemplateVersion": {"Type": "String", "Default": version},
            "TargetOrganizationId": {"Type": "String", "Default": ""},
        },
        "Conditions": {
            "HasTarget": {"Fn::Not": [{"Fn::Equals": [{"Ref": "TargetOrganizationId"}, ""]}]}
        },
        "Resources": {
            **_roles(version, updates=True),
            "AlphausOrgStackset": {
                "Type": "AWS::CloudFormation::StackSet",
                "Condition": "HasTarget",
                "Properties": {
                    "StackSetName": "AlphausOrgStackset",
                    "PermissionModel": "SERVICE_MANAGED",
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
                    "Parameters": [
                        {"ParameterKey": name, "ParameterValue": {"Ref": name}}
                        for name in parameters
                    ],
                    "StackInstancesGroup": [
                        {
                            "Regions": [{"Ref": "AWS::Region"}],
                            "DeploymentTargets": {
                                "OrganizationalUnitIds": [{"Ref": "TargetOrganizationId"}]
                            },
                        }
                    ],
                    "TemplateBody": json.dumps(linked),
                },
            },
        },
    }
    return json.dumps(document, indent=1)


def _roles(version: str, *, updates: bool) -> dict[str, Any]:
    """The roles; ``updates``: whether the API access role may update them and its stack."""
    policies = [_inline("octo-api-access", _allow([*_READS, *ADDED[version]], "*"))]
    if updates:
        own = [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{ROLE}"}]
        own.append({"Fn::Sub": own[0]["Fn::Sub"].replace(ROLE, SEARCHER)})
        policies.append(
            _inline(
                "octo-template-upgrade",
                _allow(["iam:PutRolePolicy", "iam:GetRole", "iam:GetRolePolicy"], own),
                _allow("cloudformation:UpdateStack", {"Ref": "AWS::StackId"}),
                _allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"),
            )
        )
    return {
        "AlphausAcctAccessRole": _role(ROLE, policies),
        "OctoRecommendationSearcherRole": _role(
            SEARCHER, [_inline("octo-recommendations", _allow(_SEARCHES, "*"))]
        ),
    }


def _role(name: str, policies: list[dict[str, Any]]) -> dict[str, Any]:
    octo = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${Principal}:root"}}
    trust = {
        "Effect": "Allow",
        "Principal": octo,
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "MaxSessionDuration": 43200,
            "AssumeRolePolicyDocument": _policy(trust),
            "Policies": policies,
        },
    }


def _inline(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": _policy(*statements)}


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def _allow(actions: Any, resources: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _key(version: str) -> str:
    return f"alphaus-accountaccess-{version}.yml"
