"""Build the module's outputs for resources that stacks create, so that the same checks verify them.

Tests compare them with Terraform's outputs for the same inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator import __version__
from orchestrator.model.account import AccountType
from orchestrator.model.module_contract import documents, features, octo_names
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.outputs import (
    ApiAccessOutput,
    CurOutput,
    FeatureRoleOutput,
    Outputs,
    RoleOutput,
    StackSetOutput,
)
from orchestrator.model.partition import cur_region
from orchestrator.stacks.templates import linked_template

# The outputs of the report that are its inputs, without ``cur_``.
_CUR_INPUTS = CurOutput.model_fields.keys() - {
    *("bucket_policy_management", "bucket_policy_statements", "role")
}


def expected(
    inputs: Inputs,
    account_type: AccountType,
    *,
    partition: str = "aws",
    region: str = "us-east-1",
    targets: Sequence[str] = (),
    stack_set_id: str = "",
    external_id_count: int = 1,
) -> Outputs:
    """Build the outputs.

    Args:
        account_type: a linked account has no report.
        partition: one of ``partition.PARTITIONS``, like ``aws-cn``.
        targets: the StackSet's OUs or root; empty without a StackSet.
        external_id_count: how many external ids the roles accept.
    """
    policies = documents.role_policies(
        inputs, inputs.features, partition=partition, account_id=inputs.account_id
    )
    role = _role(inputs, partition, octo_names.API_ROLE, policies.pop(octo_names.API_ROLE))
    return Outputs(
        account_id=inputs.account_id,
        account_type=account_type,
        partition=partition,
        module_version=__version__,
        api_access=ApiAccessOutput(
            **role.model_dump(),
            principal=inputs.principal,
            external_id_count=external_id_count,
            features=sorted(inputs.features),
            feature_roles=[
                FeatureRoleOutput(
                    **_role(inputs, partition, name, of_role).model_dump(),
                    trust=features.table().roles[name].trust,
                )
                for name, of_role in sorted(policies.items())
            ],
        ),
        cur=None if account_type == "linked" else _cur(inputs, partition),
        stackset=StackSetOutput(
            name=inputs.stackset_name,
            id=stack_set_id,
            region=region,
            role_name=octo_names.API_ROLE,
            template=linked_template(inputs, external_id_count),
            targets=sorted(targets),
            excluded_accounts=sorted(inputs.stackset_excluded_accounts),
            retain_stacks=inputs.stackset_retain_stacks,
        )
        if targets
        else None,
    )


def _role(inputs: Inputs, partition: str, name: str, policies: dict[str, object]) -> RoleOutput:
    arn = f"arn:{partition}:iam::{inputs.account_id}"
    texts = {policy: documents.text(document) for policy, document in policies.items()}
    return RoleOutput(
        role_name=name,
        role_arn=f"{arn}:role/{name}",
        inline_policies={n: text for n, text in texts.items() if not octo_names.is_managed(n)},
        managed_policies={
            f"{arn}:policy/{n}": text for n, text in texts.items() if octo_names.is_managed(n)
        },
        permissions_boundary=inputs.permissions_boundary,
    )


def _cur(inputs: Inputs, partition: str) -> CurOutput:
    bucket = inputs.cur_s3_bucket_name
    reading = documents.cur_policies(f"arn:{partition}:s3:::{bucket}", inputs.cur_s3_prefix)
    statements = documents.delivery_statements(
        partition, inputs.account_id, bucket, cur_region(partition)
    )
    managed = "merged" if inputs.cur_s3_bucket_merge_policy else "owner"
    values = {name: getattr(inputs, f"cur_{name}") for name in _CUR_INPUTS}
    values["additional_schema_elements"] = inputs.schema_elements
    lists = {name: sorted(value) for name, value in values.items() if isinstance(value, tuple)}
    return CurOutput(
        **{**values, **lists},
        bucket_policy_management="module" if inputs.bucket_is_new else managed,
        bucket_policy_statements=documents.text(statements),
        role=_role(inputs, partition, octo_names.CUR_ROLE, reading),
    )
