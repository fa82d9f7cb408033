"""The module's resources by their addresses in it, and a report's fields.

``tests/unit/test_module_contract.py`` finds each of them in the module's HCL.
"""

from __future__ import annotations

from orchestrator.model.module_contract import octo_names

MODULE = "module.octo."  # the module's address in the root
# A role's name is unique in the account.
ROLES = {
    "aws_iam_role.api_access": octo_names.API_ROLE,
    "aws_iam_role.cur[0]": octo_names.CUR_ROLE,
    **{
        f'aws_iam_role.feature["{name}"]': name
        for name in (
            octo_names.SEARCHER_ROLE,
            octo_names.UPDATER_ROLE,
            octo_names.EXECUTOR_ROLE,
            octo_names.APPROVER_ROLE,
        )
    },
}
BOUNDARY = "aws_iam_policy.execution_boundary[0]"
BUCKET = "aws_s3_bucket.cur[0]"
REPORT = "aws_cur_report_definition.cur[0]"
STACKSET = "aws_cloudformation_stack_set.api_access[0]"
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


def managed_policy(address: str) -> str:
    """Return the name of the managed policy at an address, or attached at it; else empty."""
    if address == BOUNDARY:
        return octo_names.EXECUTION_BOUNDARY
    if address.startswith(("aws_iam_policy.", "aws_iam_role_policy_attachment.")):
        return address.partition('["')[2].removesuffix('"]').rpartition("/")[2]
    return ""
