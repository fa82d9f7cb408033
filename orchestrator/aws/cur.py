"""Read Cost and Usage Report definitions; they are kept in one region per partition."""

from __future__ import annotations

from typing import Any

from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.model.partition import cur_region, partition_of_region


@fact
def list_reports(aws: Aws) -> list[dict[str, Any]]:
    """List the account's report definitions (CUR DescribeReportDefinitions)."""
    client = aws.client("cur", cur_region(partition_of_region(aws.region)))
    pages = client.get_paginator("describe_report_definitions").paginate()
    return [dict(found) for page in pages for found in page["ReportDefinitions"]]


def get_report(aws: Aws, name: str) -> dict[str, Any] | None:
    """Read one report's definition; None if there is none of that name."""
    return next((found for found in list_reports(aws) if found["ReportName"] == name), None)
