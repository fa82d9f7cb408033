"""Refuse settings that contradict or need each other, as the module's validations do.

Source and test: see ``module_rules``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.registration.module_rules import is_in_account_namespace

# By the module's table of features; a test compares them.
DELETING_ACTIONS = (
    "delete_ebs",
    "delete_load_balancer",
    "delete_rds",
    "release_address",
    "terminate_ec2",
)
_DEPENDING = (
    "cur_format",
    "cur_compression",
    "cur_report_option",
    "cur_report_versioning",
    "cur_s3_bucket_option",
)
_DEFAULTS = {name: getattr(Inputs, name) for name in _DEPENDING}


def check_combinations(settings: Mapping[str, Any]) -> None:
    """Refuse settings that contradict each other, or lack one that they need.

    Args:
        settings: values by field name; None stands for the module's default.

    Raises:
        PydanticCustomError: its context names the ``settings`` at fault.
    """

    def value(name: str) -> Any:
        given = settings.get(name)
        return _DEFAULTS.get(name) if given is None else given

    for names, valid in (*_of_the_bucket(value), *_of_the_report(value), *_of_access(value)):
        raise PydanticCustomError("combination", "{valid}", {"valid": valid, "settings": names})


# Each mistake below: the settings at fault, the one to show first; then what is valid.


def _of_the_bucket(value: Callable[[str], Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    option, name = value("cur_s3_bucket_option"), value("cur_s3_bucket_name")
    reads_report = value("cur_report_option") == "USE_EXISTING"
    if option == "USE_EXISTING" and name is None:
        yield (
            ("cur_s3_bucket_option",),
            "cur_s3_bucket_option: USE_EXISTING needs cur_s3_bucket_name, the bucket's name",
        )
    # The module's provider cannot create such a bucket.
    if option != "USE_EXISTING" and not reads_report and is_in_account_namespace(name or ""):
        yield (
            ("cur_s3_bucket_name",),
            "cur_s3_bucket_name: a bucket of the account's own namespace (-ACCOUNT_ID-REGION-an)"
            " cannot be created by octo-tf; create it yourself, and set cur_s3_bucket_option:"
            " USE_EXISTING",
        )
    if value("cur_s3_bucket_merge_policy") and option != "USE_EXISTING":
        yield (
            ("cur_s3_bucket_merge_policy",),
            "cur_s3_bucket_merge_policy: true needs cur_s3_bucket_option: USE_EXISTING; the policy"
            " of a new bucket is the module's own",
        )
    if value("cur_s3_bucket_merge_policy") and reads_report:
        yield (
            ("cur_s3_bucket_merge_policy",),
            "cur_s3_bucket_merge_policy: true cannot be combined with cur_report_option:"
            " USE_EXISTING: the bucket of an existing report is left as it is",
        )


def _of_the_report(value: Callable[[str], Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    is_parquet = value("cur_format") == "Parquet"
    artifacts = {*(value("cur_additional_artifacts") or ())}
    if is_parquet != (value("cur_compression") == "Parquet"):
        yield (
            ("cur_compression", "cur_format"),
            "cur_compression: Parquet and cur_format: Parquet go together: set both or neither",
        )
    if "ATHENA" in artifacts and artifacts != {"ATHENA"}:
        yield (
            ("cur_additional_artifacts",),
            "cur_additional_artifacts: ATHENA must be the only one",
        )
    overwrites = value("cur_report_versioning") == "OVERWRITE_REPORT"
    if "ATHENA" in artifacts and not (is_parquet and overwrites):
        yield (
            ("cur_additional_artifacts",),
            "cur_additional_artifacts: ATHENA needs cur_report_versioning: OVERWRITE_REPORT,"
            " cur_format: Parquet and cur_compression: Parquet",
        )
    if is_parquet and artifacts & {"REDSHIFT", "QUICKSIGHT"}:
        yield (
            ("cur_additional_artifacts",),
            "cur_additional_artifacts: REDSHIFT and QUICKSIGHT need cur_format: textORcsv",
        )


def _of_access(value: Callable[[str], Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    executes = "execution" in (value("features") or ())
    chosen = {*(value("execution_actions") or ())}
    additional = {*(value("additional_actions") or ())}
    if sum(len(action) + len('"",') for action in additional) >= 58_000:
        yield (
            ("additional_actions",),
            "additional_actions is too long: all actions together, with 3 extra characters for"
            " each, must stay below 58,000, since IAM attaches at most ten managed policies to a"
            " role",
        )
    if executes != bool(chosen):
        yield (
            ("execution_actions",),
            "execution_actions and the feature execution go together: name at least one action"
            " with it, and none without it",
        )
    if chosen & {*DELETING_ACTIONS} and not value("execution_may_delete"):
        yield (
            ("execution_actions",),
            f"execution_actions: {', '.join(DELETING_ACTIONS)} delete something, and need"
            " execution_may_delete: true as well",
        )
    if "execution" in (value("stackset_features") or ()) and not executes:
        yield (
            ("stackset_features",),
            "stackset_features may hold execution only if features does",
        )
    if value("use_stackset") and value("account_type") not in (None, "payer"):
        yield (
            ("use_stackset",),
            "use_stackset: true is for a payer (the management account); set it in the payer's"
            " octo.yaml",
        )
