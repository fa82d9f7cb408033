"""Policy documents: the module's own files, and what the module builds in HCL.

One source for templates (with CloudFormation's ``${...}`` for what is not known yet) and for what
the verifier expects (with values). Tests compare them with what Terraform makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator import assets

ROLE_SAYS = "Octo reads cost, inventory and organization data."
CUR_ROLE_SAYS = "Octo reads the Cost and Usage Report."
_READING_TIERS = ("read", "recommendations")  # `operations` has a role of its own


def text(document: Any) -> str:
    """JSON as Terraform's jsonencode writes it."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def api_access_policies(tiers: Sequence[str]) -> dict[str, Any]:
    """The inline policies of the API access role, by name."""
    return {f"octo-{tier}": _policy(f"{tier}.json") for tier in _READING_TIERS if tier in tiers}


def cur_policies(bucket_arn: str, prefix: str) -> dict[str, Any]:
    """The inline policies of the CUR role, by name."""
    return {"octo-cur-read": _policy("cur_read.json.tftpl", bucket_arn=bucket_arn, prefix=prefix)}


def trust(principal_arn: str, external_id: str | None) -> dict[str, Any]:
    """A role's trust: Octo's account, under the external id unless it is None."""
    statement: dict[str, Any] = {
        "Sid": "OctoUnderExternalId" if external_id else "OctoWithoutExternalId",
        "Effect": "Allow",
        "Principal": {"AWS": principal_arn},
        "Action": "sts:AssumeRole",
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def cur_region(partition: str) -> str:
    """Where CUR lives: in one region of each partition."""
    return "cn-northwest-1" if partition == "aws-cn" else "us-east-1"


def delivery_statements(
    partition: str, account_id: str, bucket: str, region: str
) -> list[dict[str, Any]]:
    """What the bucket's policy needs for AWS to deliver; ``region`` is CUR's, not the bucket's."""
    arn = f"arn:{partition}:s3:::{bucket}"
    common = {
        "Effect": "Allow",
        "Principal": {"Service": "billingreports.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:cur:{region}:{account_id}:definition/*"},
        },
    }
    looks = ["s3:GetBucketAcl", "s3:GetBucketPolicy"]
    return [
        {"Sid": "OctoTfCurDeliveryLooks", **common, "Action": looks, "Resource": arn},
        # Not limited to the prefix: AWS writes its test object at the bucket's root.
        {
            "Sid": "OctoTfCurDeliveryWrites",
            **common,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/*",
        },
    ]


def tls_only_statement(partition: str, bucket: str) -> dict[str, Any]:
    """Denies requests without TLS."""
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Sid": "OctoTfTlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def substituted(value: Any) -> Any:
    """The value with ``Fn::Sub`` around every text that holds ``${...}``."""
    if isinstance(value, Mapping):
        return {key: substituted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner) for inner in value]
    return {"Fn::Sub": value} if isinstance(value, str) and "${" in value else value


def _policy(file: str, **values: str) -> Any:
    content = (assets.MODULE / "policies" / file).read_text(encoding="utf-8")
    for name, value in values.items():
        content = content.replace(f"${{{name}}}", value)
    return json.loads(content)
