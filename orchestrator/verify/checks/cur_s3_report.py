"""cur_s3.report: the report definition is as octo.yaml and the module define it.

An existing report is its owner's: it must only be one that Octo can read, where it was.
"""

from orchestrator.model.desired import Desired
from orchestrator.model.differences import report_differences
from orchestrator.model.existing_report import misfits
from orchestrator.model.observed import Observed
from orchestrator.verify.cur import missing_report, read_report
from orchestrator.verify.model import Check, Finding, failed, passed
from orchestrator.verify.remedy import Restore


def _judge(desired: Desired, observed: Observed) -> Finding:
    cur, found = desired.cur, observed.report
    is_ours = cur.report_option == "CREATE_NEW"
    if found is None:
        return failed(
            f"The report {cur.report_name} does not exist.",
            Restore("it creates the report") if is_ours else missing_report(),
            report=cur.report_name,
        )
    compare = report_differences if is_ours else misfits
    if different := compare(cur.definition, found):
        shown = "; ".join(f"{n} is {has}, not {wants}" for n, (has, wants) in different.items())
        return failed(
            f"The report {cur.report_name} differs: {shown}.",
            Restore("it restores the report, or says what that would destroy")
            if is_ours
            else "Change it back in AWS (Billing and Cost Management, Data Exports). If it is now"
            " delivered elsewhere, run octo-tf apply, so that Octo may read it there.",
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
    read=read_report,
    judge=_judge,
)
