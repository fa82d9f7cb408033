"""The settings of the Cost and Usage Report, its bucket and the role that reads it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from orchestrator.model.module_contract import octo_names
from orchestrator.model.registration.field_types import Region, Section
from orchestrator.model.registration.module_rules import BucketName, Prefix, ReportName
from orchestrator.model.setting import Group, Setting

_cur = partial(Setting, group=Group.CUR)


class CurSettings(Section):
    """Inputs of the module about the Cost and Usage Report; linked accounts have none."""

    cur_report_option: Annotated[
        Literal["CREATE_NEW", "USE_EXISTING"] | None,
        _cur(
            "Whether to create the report, or to have Octo read an existing one as it is.",
            example="USE_EXISTING",
        ),
    ] = None
    cur_s3_bucket_option: Annotated[
        Literal["CREATE_NEW", "USE_EXISTING"] | None,
        _cur(
            "Whether to create the bucket or to use an existing one.",
            example="USE_EXISTING",
            common=True,
        ),
    ] = None
    cur_s3_bucket_name: Annotated[
        BucketName | None,
        _cur(
            "The bucket of the report.",
            example="my-billing-reports",
            default=f"{octo_names.CUR_BUCKET}-ACCOUNT_ID",
            common=True,
        ),
    ] = None
    cur_s3_bucket_region: Annotated[
        Region, _cur("The region of the bucket.", example="eu-west-1")
    ] = "us-east-1"
    cur_s3_bucket_merge_policy: Annotated[
        bool | None,
        _cur("Add what AWS needs to the policy of an existing bucket."),
    ] = None
    cur_s3_prefix: Annotated[Prefix | None, _cur("The prefix of the objects of the report.")] = None
    cur_report_name: Annotated[
        ReportName | None, _cur("The name of the report; a change replaces it.")
    ] = None
    cur_time_unit: Annotated[
        Literal["HOURLY", "DAILY", "MONTHLY"] | None,
        _cur("The time that a line of the report covers; a change replaces it."),
    ] = None
    cur_format: Annotated[
        Literal["textORcsv", "Parquet"] | None, _cur("The file format of the report.")
    ] = None
    cur_compression: Annotated[
        Literal["ZIP", "GZIP", "Parquet"] | None,
        _cur("The compression of the report; Parquet goes with its format."),
    ] = None
    cur_additional_schema_elements: Annotated[
        list[Literal["RESOURCES", "SPLIT_COST_ALLOCATION_DATA", "MANUAL_DISCOUNT_COMPATIBILITY"]]
        | None,
        _cur("Extra content of the report; a change replaces it."),
    ] = None
    cur_additional_artifacts: Annotated[
        list[Literal["ATHENA", "REDSHIFT", "QUICKSIGHT"]] | None,
        _cur("The integrations of the report; ATHENA goes alone."),
    ] = None
    cur_refresh_closed_reports: Annotated[
        bool | None,
        _cur("Refresh the reports of closed months when AWS corrects them."),
    ] = None
    cur_report_versioning: Annotated[
        Literal["CREATE_NEW_REPORT", "OVERWRITE_REPORT"] | None,
        _cur("What becomes of the last report; a change replaces the report."),
    ] = None
    cur_role_trust: Annotated[
        Literal["external_id", "principal_only"] | None,
        _cur(
            "How the CUR role trusts Octo: principal_only is weaker, for an Octo that sends no id."
        ),
    ] = None
