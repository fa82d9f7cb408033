"""Build the policy documents of the module, for templates and for verification.

Templates pass CloudFormation's ``${...}`` for values that are not known yet. Tests compare the
documents with those that Terraform makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from orchestrator import assets
from orchestrator.files import read_regular
from orchestrator.model.module_contract.features import Table, Trust, table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import (
    ADDITIONAL,
    CUR_ROLE,
    EXECUTOR_ROLE,
    MANAGED_ADDITIONAL,
    READING_ROLES,
)

# Characters: IAM's limit of all inline policies of a role, and how many of a list of actions the
# module puts into a managed policy, which has at most 6,144.
# Source: IAM User Guide, "IAM and AWS STS quotas".
_MOST_INLINE, _PART = 10_240, 5_800


def text(document: Any) -> str:
    """Write JSON as Terraform's jsonencode does."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def role_policies(
    inputs: Inputs,
    features: Sequence[str],
    *,
    partition: str,
    account_id: str,
    module: Path = assets.MODULE,
) -> dict[str, dict[str, Any]]:
    """Build the policies of each role that the features need, but the CUR role's.

    They are inline policies; additional actions beyond IAM's limit for those are in managed ones
    (``octo_names.is_managed``), which the roles share.

    Args:
        inputs: the module's inputs, for execution and for additional actions.
        features: those of the account itself, or of linked accounts.
        partition: as ARNs have it, or ``${AWS::Partition}``.
        account_id: the account's, or ``${AWS::AccountId}``.
        module: the module's folder.
    """
    known = table(module)
    found: dict[str, dict[str, Any]] = {}
    for role in known.roles:
        if role == CUR_ROLE:
            continue
        where = {"partition": partition, "account_id": account_id}
        policies = of_features(role, features, module=module, **where)
        if policies and role == EXECUTOR_ROLE:
            for policy in policies.values():
                policy["Statement"] += execution_statements(inputs, partition, account_id, known)
        if policies:
            found[role] = policies
    reading = [found[role] for role in READING_ROLES if role in found]
    additional = _additional_policies(sorted({*inputs.additional_actions}), reading)
    for policies in reading:
        policies |= additional
    return found


def _additional_policies(
    actions: list[str], reading: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Build the policies of additional actions, for roles with these policies of features."""

    def policy(part: list[str]) -> dict[str, Any]:
        statement = _allow("AdditionalReads", part, "*")
        return {"Version": "2012-10-17", "Statement": [statement]}

    inline = {ADDITIONAL: policy(actions)} if actions else {}
    sizes = [sum(len(text(p)) for p in {**own, **inline}.values()) for own in reading]
    if not actions or max(sizes, default=0) <= _MOST_INLINE:
        return inline
    parts: dict[int, list[str]] = {}
    ends = accumulate(len(action) + len('"",') for action in actions)
    for action, end in zip(actions, ends, strict=True):
        parts.setdefault(end // _PART, []).append(action)
    return {f"{MANAGED_ADDITIONAL}{n + 1}": policy(part) for n, part in parts.items()}


def execution_statements(
    inputs: Inputs, partition: str, account_id: str, known: Table | None = None
) -> list[dict[str, Any]]:
    """Build what the executor may do: the chosen actions, on resources with the tag, if any."""
    actions = (known or table()).execution_actions
    chosen = sorted(inputs.execution_actions)
    reads = sorted({read for name in chosen for read in actions[name].reads})
    statements = [_allow("Look", reads, "*")]
    for name in chosen:
        for number, change in enumerate(actions[name].changes):
            arns = [
                f"arn:{partition}:{a.replace('{account}', account_id)}" for a in change.resources
            ]
            statement = _allow(f"{action_sid(name)}{number}", list(change.actions), arns)
            for key, value in inputs.execution_tag.items():
                if change.tagged:
                    statement["Condition"] = {"StringEquals": {f"aws:ResourceTag/{key}": value}}
            statements.append(statement)
    return statements


def action_sid(name: str) -> str:
    """Return how the Sids of an execution action begin: ``stop_ec2`` → ``StopEc2``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def cur_policies(bucket_arn: str, prefix: str, *, module: Path = assets.MODULE) -> dict[str, Any]:
    """Build the inline policies of the CUR role, by name."""
    return of_features(CUR_ROLE, ["cost"], module=module, bucket_arn=bucket_arn, prefix=prefix)


def execution_boundary(
    partition: str, account_id: str, *, module: Path = assets.MODULE
) -> dict[str, Any]:
    """Build the policy that bounds the roles of execution, unless octo.yaml names another."""
    file = module / "policies/execution_boundary.json.tftpl"
    found: dict[str, Any] = _policy(file, partition=partition, account_id=account_id)
    return found


def role_trust(
    kind: Trust, principal_arn: str, *external_ids: str, partition: str, account_id: str
) -> dict[str, Any]:
    """Build the trust policy of a role by the kind that the table of features gives it."""
    if kind == "external_id":
        return trust(principal_arn, *external_ids)
    by_ssm = kind == "systems_manager"
    root = {"AWS": f"arn:{partition}:iam::{account_id}:root"}
    statement: dict[str, Any] = {
        "Sid": "SystemsManagerOfThisAccount" if by_ssm else "PeopleOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "ssm.amazonaws.com"} if by_ssm else root,
        "Action": "sts:AssumeRole",
    }
    if by_ssm:
        execution = f"arn:{partition}:ssm:*:{account_id}:automation-execution/*"
        statement["Condition"] = {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": execution},
        }
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(principal_arn: str, *external_ids: str) -> dict[str, Any]:
    """Build a trust policy for Octo's account.

    It accepts any one of the external ids; without ids it requires none.
    """
    statement: dict[str, Any] = {
        "Sid": "OctoUnderExternalId" if external_ids else "OctoWithoutExternalId",
        "Effect": "Allow",
        "Principal": {"AWS": principal_arn},
        "Action": "sts:AssumeRole",
    }
    if external_ids:
        one_of = external_ids[0] if len(external_ids) == 1 else list(external_ids)
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": one_of}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def external_id_parameters(count: int) -> tuple[str, ...]:
    """Name a template's parameters for external ids: ``ExternalId``, ``ExternalId2``, ..."""
    return ("ExternalId", *(f"ExternalId{number}" for number in range(2, count + 1)))


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


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def of_features(
    role: str, features: Sequence[str], *, module: Path = assets.MODULE, **values: str
) -> dict[str, Any]:
    """Build the inline policies that features give a role, by name."""
    return {
        name: _policy(module / "policies" / file, **values)
        for feature in features
        for name, file in table(module).features[feature].roles.get(role, {}).items()
    }


def _policy(file: Path, **values: str) -> Any:
    content = read_regular(file).decode()
    for name, value in values.items():
        content = content.replace(f"${{{name}}}", value)
    return json.loads(content)
