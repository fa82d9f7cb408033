"""Which existing report Octo can read, and what is said of those that it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.load import load
from orchestrator.errors import Refused
from orchestrator.model.existing_report import choose, using
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.registration import Registration

ACCOUNT = "111122223333"


def registration(**settings: Any) -> Registration:
    given = {"account_id": ACCOUNT, "external_id": "some-id", "cur_report_option": "USE_EXISTING"}
    return load(Path("none.yaml"), {**given, **settings}, {})


def report(name: str = "acme", **changes: Any) -> dict[str, Any]:
    return {
        "ReportName": name,
        "TimeUnit": "HOURLY",
        "Format": "textORcsv",
        "Compression": "ZIP",
        "AdditionalSchemaElements": ["RESOURCES"],
        "S3Bucket": "billing-of-acme",
        "S3Prefix": "finance/cur",
        "S3Region": "eu-central-1",
        "RefreshClosedReports": True,
        "ReportVersioning": "OVERWRITE_REPORT",
        **changes,
    }


def refusal(wanted: Registration, *reports: dict[str, Any]) -> str:
    with pytest.raises(Refused) as caught:
        choose(wanted, reports)
    return f"{caught.value}\n{caught.value.hint}"


def test_the_only_report_that_fits_is_found_among_others():
    daily, split = report("daily", TimeUnit="DAILY"), ["RESOURCES", "SPLIT_COST_ALLOCATION_DATA"]
    fitting = report("hourly", AdditionalSchemaElements=split, AdditionalArtifacts=["REDSHIFT"])
    assert choose(registration(), [daily, fitting]) == fitting


def test_of_several_that_fit_one_must_be_named():
    two = [report("one"), report("two")]
    assert "one, two" in refusal(registration(), *two)
    assert choose(registration(cur_report_name="two"), two) == two[1]


def test_a_name_that_no_report_has_is_refused_with_those_that_there_are():
    said = refusal(registration(cur_report_name="other"), report("one"), report("two"))
    assert "no report other: it has one, two" in said
    assert "it has none" in refusal(registration(cur_report_name="other"))


def test_an_account_without_reports_is_advised_to_create_one():
    said = refusal(registration())
    assert "the account has no report" in said
    assert "cur_report_option: CREATE_NEW" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TimeUnit": "DAILY"}, "its time unit is DAILY, not HOURLY"),
        ({"AdditionalSchemaElements": []}, "its content is nothing, not RESOURCES"),
        ({"Format": "Parquet"}, "its format is Parquet, not textORcsv"),
        ({"Compression": "GZIP"}, "its compression is GZIP, not ZIP"),
        (
            {"ReportVersioning": "CREATE_NEW_REPORT"},
            "its versioning is CREATE_NEW_REPORT, not OVERWRITE_REPORT",
        ),
        ({"RefreshClosedReports": False}, "its refresh of closed months is off, not on"),
        ({"S3Prefix": ""}, "its prefix is empty, not one with no slash at either end"),
        ({"S3Prefix": "/cur"}, "its prefix is /cur, not one with no slash at either end"),
    ],
)
def test_what_does_not_fit_is_said(change, said):
    assert said in refusal(registration(), report(**change))


def test_only_what_aws_can_change_is_advised_to_be_changed():
    assert "Change the report in AWS" in refusal(registration(), report(Compression="GZIP"))
    said = refusal(registration(), report(TimeUnit="DAILY", Compression="GZIP"))
    assert "Change the report" not in said
    assert "describe it with cur_compression, cur_time_unit" in said


def test_a_report_as_octo_yaml_describes_it_fits():
    parquet = {"cur_format": "Parquet", "cur_compression": "Parquet"}
    found = report(Format="Parquet", Compression="Parquet", AdditionalArtifacts=["ATHENA"])
    assert choose(registration(**parquet), [found]) == found


def test_content_that_a_feature_needs_is_demanded():
    said = refusal(registration(features=["cost", "container_cost"]), report())
    assert "its content is RESOURCES, not RESOURCES and SPLIT_COST_ALLOCATION_DATA" in said


def test_a_place_that_octo_yaml_names_must_be_the_reports():
    assert "its bucket is billing-of-acme, not other" in refusal(
        registration(cur_s3_bucket_name="other-bucket"), report()
    )
    assert "its prefix is finance/cur, not pre" in refusal(
        registration(cur_s3_prefix="pre"), report()
    )
    assert choose(registration(cur_s3_bucket_region="eu-central-1"), [report()])


def test_the_inputs_take_name_and_place_from_the_report():
    inputs = using(module_inputs(registration()), report())
    assert (inputs.cur_report_name, inputs.cur_s3_bucket_name) == ("acme", "billing-of-acme")
    assert (inputs.cur_s3_prefix, inputs.cur_s3_bucket_region) == ("finance/cur", "eu-central-1")
    assert not inputs.bucket_is_new
