"""cur_s3.report: the report definition is as octo.yaml and the module define it."""

from typing import Any

from orchestrator.aws.cur import get_report
from orchestrator.verify.cur import expected_cur, has_cur
from orchestrator.verify.model import Area, Check, Context, Finding, failed, passed


def _run(context: Context) -> Finding:
    cur = expected_cur(context)
    found = get_report(context.aws, cur.report_name)
    if found is None:
        return failed(
            f"The report {cur.report_name} does not exist.",
            "Run octo-tf apply: it creates the report.",
            report=cur.report_name,
        )
    fields: dict[str, Any] = {
        "TimeUnit": cur.time_unit,
        "Format": cur.format,
        "Compression": cur.compression,
        "AdditionalSchemaElements": cur.additional_schema_elements,
        "AdditionalArtifacts": cur.additional_artifacts,
        "RefreshClosedReports": cur.refresh_closed_reports,
        "ReportVersioning": cur.report_versioning,
        "S3Bucket": cur.s3_bucket_name,
        "S3Prefix": cur.s3_prefix,
        "S3Region": cur.s3_bucket_region,
    }
    different = {
        field: {"found": found.get(field), "wanted": value}
        for field, value in fields.items()
        if _plain(found.get(field)) != _plain(value)
    }
    if different:
        shown = "; ".join(
            f"{name} is {of['found']}, not {of['wanted']}" for name, of in different.items()
        )
        return failed(
            f"The report {cur.report_name} differs: {shown}.",
            "Run octo-tf apply: it restores the report, or says what that would destroy.",
            different=different,
        )
    return passed(
        f"{cur.report_name} is a {cur.time_unit.lower()} {cur.format} report to"
        f" {cur.s3_bucket_name}.",
        report=cur.report_name,
        bucket=cur.s3_bucket_name,
        prefix=cur.s3_prefix,
    )


def _plain(value: Any) -> Any:
    """Make values comparable: lists in any order; AWS omits empty lists."""
    return sorted(value) if isinstance(value, list) else [] if value is None else value


CHECK = Check(
    id="cur_s3.report",
    area=Area.CUR_S3,
    promise="The Cost and Usage Report is defined as the registration says.",
    permissions=("cur:DescribeReportDefinitions",),
    applies=has_cur,
    run=_run,
)
