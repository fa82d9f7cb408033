"""Build the policy documents of the module, for templates and for verification.

Templates pass CloudFormation's ``${...}`` for values that are not known yet. Tests compare the
documents with those that Terraform makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator import assets

ROLE_DESCRIPTION = "Octo reads cost, inventory and organization data."
CUR_ROLE_DESCRIPTION = "Octo reads the Cost and Usage Report."
_READING_TIERS = ("read", "recommendations")  # `operations` has a role of its own


def text(document: Any) -> str:
    """Write JSON as Terraform's jsonencode does."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def api_access_policies(tiers: Sequence[str]) -> dict[str, Any]:
    """Build the inline policies of the API access role, by name."""
    return {f"octo-{tier}": _policy(f"{tier}.json") for tier in _READING_TIERS if tier in tiers}


def cur_policies(bucket_arn: str, prefix: str) -> dict[str, Any]:
    """Build the inline policies of the CUR role, by name."""
    return {"octo-cur-read": _policy("cur_read.json.tftpl", bucket_arn=bucket_arn, prefix=prefix)}


def trust(principal_arn: str, external_id: str | None) -> dict[str, Any]:
    """Build a trust policy for Octo's account; it requires the external id unless that is None."""
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
    """Name the region of the CUR service, of which each partition has one."""
    return "cn-northwest-1" if partition == "aws-cn" else "us-east-1"


def delivery_statements(
    partition: str, account_id: str, bucket: str, region: str
) -> list[dict[str, Any]]:
    """Build the statements by which a bucket lets AWS deliver reports.

    ``region``: of the CUR service, not of the bucket.
    """
    arn = f"arn:{partition}:s3:::{bucket}"
    common = {
        "Effect": "Allow",
        "Principal": {"Service": "billingreports.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:cur:{region}:{account_id}:definition/*"},
        },
    }
    reads = ["s3:GetBucketAcl", "s3:GetBucketPolicy"]
    return [
        {"Sid": "OctoTfCurDeliveryLooks", **common, "Action": reads, "Resource": arn},
        # Not limited to the prefix: AWS writes its test object at the bucket's root.
        {
            "Sid": "OctoTfCurDeliveryWrites",
            **common,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/*",
        },
    ]


def tls_only_statement(partition: str, bucket: str) -> dict[str, Any]:
    """Build the statement that denies requests without TLS."""
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
    """Wrap every text that holds ``${...}`` in ``Fn::Sub``."""
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
