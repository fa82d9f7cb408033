"""cur_s3.report: the definition is the one that was asked for."""

from typing import Any

from orchestrator.verify.cur import definition, has_cur, wanted
from orchestrator.verify.model import Area, Check, Context, Finding, Status


def _run(context: Context) -> Finding:
    cur = wanted(context)
    found = definition(context)
    if found is None:
        return Finding(
            Status.FAIL,
            f"The report {cur.report_name} does not exist.",
            {"report": cur.report_name},
            "Run octo-tf apply: it makes the report.",
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
        told = "; ".join(
            f"{name} is {of['found']}, not {of['wanted']}" for name, of in different.items()
        )
        return Finding(
            Status.FAIL,
            f"The report {cur.report_name} is not as wanted: {told}.",
            {"different": different},
            "Run octo-tf apply: it changes the report back, or the guard says what would be lost.",
        )
    return Finding(
        Status.PASS,
        f"{cur.report_name} is {cur.time_unit.lower()} {cur.format} to {cur.s3_bucket_name}.",
        {"report": cur.report_name, "bucket": cur.s3_bucket_name, "prefix": cur.s3_prefix},
    )


def _plain(value: Any) -> Any:
    """Lists in any order; AWS leaves empty ones out."""
    return sorted(value) if isinstance(value, list) else [] if value is None else value


CHECK = Check(
    id="cur_s3.report",
    area=Area.CUR_S3,
    promise="The Cost and Usage Report is defined as asked for.",
    permissions=("cur:DescribeReportDefinitions",),
    applies=has_cur,
    run=_run,
)
