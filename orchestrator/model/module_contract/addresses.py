"""The module's resources by their addresses in it, and a report's fields.

``tests/unit/test_module_contract.py`` finds each of them in the module's HCL.
"""

from __future__ import annotations

import re

from orchestrator.model.module_contract import octo_names

MODULE = "module.octo."  # the module's address in the root
# The modules that it consists of.
API_ACCESS = "module.api_access."
CUR_EXPORT = "module.cur_export[0]."
LINKED_ACCOUNTS = "module.linked_accounts[0]."
# A role's name is unique in the account.
ROLES = {
    f"{API_ACCESS}aws_iam_role.api_access": octo_names.API_ROLE,
    f"{CUR_EXPORT}aws_iam_role.cur": octo_names.CUR_ROLE,
    **{
        f'{API_ACCESS}aws_iam_role.feature["{name}"]': name
        for name in (
            octo_names.SEARCHER_ROLE,
            octo_names.UPDATER_ROLE,
            octo_names.EXECUTOR_ROLE,
            octo_names.APPROVER_ROLE,
        )
    },
}
BOUNDARY = f"{API_ACCESS}aws_iam_policy.execution_boundary[0]"
BUCKET = f"{CUR_EXPORT}aws_s3_bucket.cur[0]"
MERGED_POLICY = f"{CUR_EXPORT}aws_s3_bucket_policy.merged[0]"
REPORT = f"{CUR_EXPORT}aws_cur_report_definition.cur[0]"
STACKSET = f"{LINKED_ACCOUNTS}aws_cloudformation_stack_set.api_access"
# A report's fields in the CUR API, and their names in the provider.
REPORT_FIELDS = {
    "TimeUnit": "time_unit",
    "Format": "format",
    "Compression": "compression",
    "AdditionalSchemaElements": "additional_schema_elements",
    "AdditionalArtifacts": "additional_artifacts",
    "S3Bucket": "s3_bucket",
    "S3Prefix": "s3_prefix",
    "S3Region": "s3_region",
    "RefreshClosedReports": "refresh_closed_reports",
    "ReportVersioning": "report_versioning",
}
_MODULES = re.compile(r"^(module\.\w+(\[[^\]]*\])?\.)+")
_RESOURCE = re.compile(r"module\.octo\.module\.(\w+)(?:\[0\])?\.(\w+)\.(\w+)(?:\[.+\])?")


def in_its_module(address: str) -> str:
    """Return an address without the modules that lead to it."""
    return _MODULES.sub("", address)


def managed_policy(address: str) -> str:
    """Return the name of the managed policy at an address, or attached at it; else empty."""
    if address == BOUNDARY:
        return octo_names.EXECUTION_BOUNDARY
    resource = in_its_module(address)
    if resource.startswith(("aws_iam_policy.", "aws_iam_role_policy_attachment.")):
        return resource.partition('["')[2].removesuffix('"]').rpartition("/")[2]
    return ""


def block_of(address: str) -> tuple[str, str, str] | None:
    """Return where a resource of the module is declared: folder in the module, type and name.

    None if the address in the root is not that of a resource of the module.
    """
    found = _RESOURCE.fullmatch(address)
    return (f"modules/{found[1].replace('_', '-')}", found[2], found[3]) if found else None
