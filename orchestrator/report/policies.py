"""Show roles with their policies: as JSON, as Terraform resources, as a CloudFormation template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.model.permissions import PipelineRole

SCHEMA = "octo-tf/policy/v1"


def render_json(account_id: str, roles: Sequence[PipelineRole]) -> str:
    """Render roles for programs (docs/schemas/policy-v1.json)."""
    document = {
        "schema": SCHEMA,
        "account_id": account_id,
        "roles": [
            {
                "name": role.name,
                "commands": list(role.commands),
                "policies": [
                    {"name": name, "document": document} for name, document in role.policies.items()
                ],
                "trust": role.trust,
            }
            for role in roles
        ],
    }
    return json.dumps(document, indent=2)


def render_terraform(_account_id: str, roles: Sequence[PipelineRole]) -> str:
    """Render roles as resources of the AWS provider."""
    blocks = []
    for role in roles:
        for name, document in role.policies.items():
            blocks.append(
                f'resource "aws_iam_policy" "{_label(name)}" {{\n'
                f'  name   = "{name}"\n'
                f"  policy = {_expression(document)}\n}}"
            )
        if role.trust is None:
            continue
        blocks.append(
            f'resource "aws_iam_role" "{_label(role.name)}" {{\n'
            f'  name               = "{role.name}"\n'
            f"  assume_role_policy = {_expression(role.trust)}\n}}"
        )
        blocks += [
            f'resource "aws_iam_role_policy_attachment" "{_label(name)}" {{\n'
            f"  role       = aws_iam_role.{_label(role.name)}.name\n"
            f"  policy_arn = aws_iam_policy.{_label(name)}.arn\n}}"
            for name in role.policies
        ]
    return "\n\n".join(blocks)


def render_cloudformation(_account_id: str, roles: Sequence[PipelineRole]) -> str:
    """Render roles as a template; it needs CAPABILITY_NAMED_IAM."""
    resources: dict[str, Any] = {}
    for role in roles:
        for name, document in role.policies.items():
            resources[_logical_id(name, "Policy")] = {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": name, "PolicyDocument": document},
            }
        if role.trust is not None:
            resources[_logical_id(role.name, "Role")] = {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": role.name,
                    "AssumeRolePolicyDocument": role.trust,
                    "ManagedPolicyArns": [
                        {"Ref": _logical_id(name, "Policy")} for name in role.policies
                    ],
                },
            }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Roles for octo-tf's commands.",
        "Resources": resources,
    }
    return json.dumps(template, indent=2)


RENDERERS: dict[str, Callable[[str, Sequence[PipelineRole]], str]] = {
    "json": render_json,
    "terraform": render_terraform,
    "cloudformation": render_cloudformation,
}


def _expression(document: Mapping[str, Any]) -> str:
    """Write a document as an expression: JSON's values are HCL's, but for templates in texts."""
    text = json.dumps(document, indent=2).replace("${", "$${").replace("%{", "%%{")
    return "jsonencode(" + text.replace("\n", "\n  ") + ")"


def _label(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _logical_id(name: str, suffix: str) -> str:
    return "".join(word.title() for word in re.split(r"\W", name)) + suffix
