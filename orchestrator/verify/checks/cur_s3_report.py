"""cur_s3.report: the report definition is as octo.yaml and the module define it."""

from orchestrator.aws.cur import get_report
from orchestrator.model.differences import report_differences
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import Restore


def _run(context: Context) -> Finding:
    cur = context.cur
    found = get_report(context.aws, cur.report_name)
    if found is None:
        return failed(
            f"The report {cur.report_name} does not exist.",
            Restore("it creates the report"),
            report=cur.report_name,
        )
    if different := report_differences(cur.definition, found):
        shown = "; ".join(f"{n} is {has}, not {wants}" for n, (has, wants) in different.items())
        return failed(
            f"The report {cur.report_name} differs: {shown}.",
            Restore("it restores the report, or says what that would destroy"),
            different={n: {"found": h, "wanted": w} for n, (h, w) in different.items()},
        )
    return passed(
        f"{cur.report_name} is a {cur.time_unit.lower()} {cur.format} report to"
        f" {cur.s3_bucket_name}.",
        report=cur.report_name,
        bucket=cur.s3_bucket_name,
        prefix=cur.s3_prefix,
    )


CHECK = Check(
    id="cur_s3.report",
    promise="The Cost and Usage Report is defined as the registration says.",
    permissions=("cur:DescribeReportDefinitions",),
    run=_run,
)
