"""Propose the settings by which an existing report, its bucket and the CUR role are adopted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.stated import Stated
from orchestrator.detection.compare import removed_settings
from orchestrator.model.differences import external_ids
from orchestrator.model.module_contract.addresses import REPORT_FIELDS
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import CUR_BUCKET, CUR_ROLE, cur_bucket
from orchestrator.model.observed import Bucket, Removal
from orchestrator.model.registration import Registration
from orchestrator.model.registration.module_rules import is_in_account_namespace

_CUR_SETTINGS = {key: f"cur_{name}" for key, name in REPORT_FIELDS.items()} | {
    "ReportName": "cur_report_name",
    "S3Bucket": "cur_s3_bucket_name",
    "S3Prefix": "cur_s3_prefix",
    "S3Region": "cur_s3_bucket_region",
}
_FORM = (
    *("cur_time_unit", "cur_format", "cur_compression", "cur_refresh_closed_reports"),
    "cur_report_versioning",
)


@dataclass
class ReportProposal:
    """How report, bucket and CUR role are adopted.

    Attributes:
        adopted: report and bucket, by kind and name, as far as they are adopted.
        removals: what adoption removes from the bucket; users must consent.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    adopted: list[str] = field(default_factory=list)
    removals: tuple[Removal, ...] = ()
    warnings: list[str] = field(default_factory=list)


def propose(found: Inventory, stated: Stated) -> ReportProposal:
    """Adopt the existing report, its bucket, and the trust of the CUR role.

    With ``cur_report_option: USE_EXISTING`` report and bucket stay as they are.
    """
    proposal = ReportProposal()
    settings = proposal.settings
    if (role := found.roles.get(CUR_ROLE)) and not external_ids(role):
        settings["cur_role_trust"] = "principal_only"
        proposal.warnings.append(
            f"The role {CUR_ROLE} trusts Octo without an external id. This is kept, because Octo"
            " may not send one; once Octo does, set cur_role_trust: external_id and apply."
        )
    if stated.get("cur_report_option") == "USE_EXISTING":
        settings["cur_report_option"] = "USE_EXISTING"
        if (name := stated.get("cur_report_name")) is not None:
            settings["cur_report_name"] = name
        proposal.warnings.append(
            "The report and its bucket are not adopted: Octo reads them as they are"
            " (cur_report_option: USE_EXISTING)."
        )
        return proposal
    report = _suitable_report(found, stated.get("cur_report_name"))
    if report is None:
        for name in ("cur_report_name", "cur_s3_bucket_name", "cur_s3_bucket_region"):
            if (value := stated.get(name)) is not None:
                settings[name] = value
        proposal.warnings.append(_new_report(found, stated, settings))
        own = cur_bucket(found.account.account_id)
        if bucket := found.buckets.get(settings.get("cur_s3_bucket_name", own)):
            _adopt_bucket(bucket, proposal)
        return proposal
    kept = {
        setting: sorted(report[key]) if isinstance(report[key], list) else report[key]
        for key, setting in _CUR_SETTINGS.items()
        if key in report
    }
    is_ours = report["ReportName"] in stated.managed
    in_its_bucket = {**kept, "cur_s3_bucket_option": "USE_EXISTING"}
    if not is_ours and (wrong := _wrong(found, in_its_bucket)):
        settings |= {"cur_report_option": "USE_EXISTING", "cur_report_name": report["ReportName"]}
        described = {name: kept[name] for name in _FORM if name in kept and name not in wrong}
        if not _wrong(found, settings | described):
            settings |= described  # a report that does not have them would not fit
        named = ", ".join(f"{name}: {kept[name]}" for name in sorted(wrong & {*kept}))
        proposal.warnings.append(
            f"The report {report['ReportName']} and its bucket are not adopted, because octo-tf"
            f" does not support its settings ({named or 'in combination'}): they stay as they are"
            " (cur_report_option: USE_EXISTING)."
        )
        return proposal
    settings |= kept
    proposal.adopted.append(f"report {report['ReportName']}")
    bucket = found.buckets.get(report["S3Bucket"])
    if bucket is not None and _is_for_octo(bucket, stated):
        settings["cur_s3_bucket_option"] = "CREATE_NEW"
        _adopt_bucket(bucket, proposal)
    else:
        settings["cur_s3_bucket_option"] = "USE_EXISTING"
        proposal.warnings.append(
            f"The bucket {report['S3Bucket']} and its policy stay as they are (USE_EXISTING); its"
            " report is adopted. If the bucket is for Octo alone, add"
            " --cur-s3-bucket-option CREATE_NEW."
        )
    return proposal


def _new_report(found: Inventory, stated: Stated, settings: dict[str, Any]) -> str:
    """Choose a name for the new report that no unsuitable report has; return what to say of it."""
    name = Inputs.cur_report_name
    if "cur_report_name" in settings or name not in found.reports:
        return "No existing report is suitable: a new one is created."
    why = (
        f"The report {name} is not suitable (it needs a bucket of this account, hourly or daily"
        " data, and resource ids)"
    )
    if stated.has_file:
        return f"{why}, and a new one cannot have its name: set cur_report_name to another name."
    others = (f"octo-{name}", *(f"octo-{name}-{number}" for number in range(2, 99)))
    free = next(other for other in others if other not in found.reports)
    settings["cur_report_name"] = free
    return f"{why}: it stays as it is, and a new one is created as {free}."


def _wrong(found: Inventory, settings: Mapping[str, Any]) -> set[str]:
    """Name the settings of a report that octo.yaml does not accept; ``""`` for a combination.

    AWS may add values that this version of octo-tf does not know.
    """
    others = {"account_id": found.account.account_id, "external_id": None}
    try:
        Registration.model_validate({**others, **settings})
    except ValidationError as error:
        return {str(part) for detail in error.errors() for part in detail["loc"][:1]} or {""}
    return set()


def _adopt_bucket(bucket: Bucket, proposal: ReportProposal) -> None:
    proposal.adopted.append(f"bucket {bucket.name}")
    proposal.removals = removed_settings(bucket)


def _is_for_octo(bucket: Bucket, stated: Stated) -> bool:
    """Tell whether a bucket is for Octo alone: as stated, else by octo-tf's state or its name."""
    named = stated.get("cur_s3_bucket_name")
    # Without a name, the flag means the bucket that was found: the note on a bucket that stays
    # advises to give it so.
    is_meant = (
        named is None and not stated.has_file and "cur_s3_bucket_option" in stated.registration
    )
    if named == bucket.name or is_meant:
        return bool(stated.get("cur_s3_bucket_option") != "USE_EXISTING")
    if is_in_account_namespace(bucket.name):
        return False  # the module cannot create a bucket of that name
    return bucket.name in stated.managed or bucket.name.startswith(CUR_BUCKET)


def _suitable_report(found: Inventory, wanted: str | None) -> Mapping[str, Any] | None:
    """Find the report of the wanted name, or else the most suitable one.

    Suitable: delivered to a bucket of the account, hourly or daily, with resource ids.
    """
    if wanted is not None and wanted in found.reports:
        return found.reports[wanted]
    suitable = [
        report
        for report in found.reports.values()
        if report["S3Bucket"] in found.buckets
        and report.get("TimeUnit") in ("HOURLY", "DAILY")
        and "RESOURCES" in report.get("AdditionalSchemaElements", [])
    ]
    # The default name first, then the finer time unit.
    return min(
        suitable,
        key=lambda r: (
            r["ReportName"] != Inputs.cur_report_name,
            r["TimeUnit"] != "HOURLY",
            r["ReportName"],
        ),
        default=None,
    )
