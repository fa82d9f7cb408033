"""The module's inputs for a registration, with the module's own defaults.

A test compares the defaults with ``terraform/modules/octo/variables.tf``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, Protocol

from orchestrator.errors import ConfigError
from orchestrator.model.module_contract import octo_names
from orchestrator.model.module_contract.features import schema_elements

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Inputs:
    """The module's inputs, without the external id.

    ``cur_s3_bucket_name`` is resolved, since the module's default contains the account id.
    """

    account_id: str
    cur_s3_bucket_name: str
    principal: str = octo_names.PRINCIPAL
    features: tuple[str, ...] = ("cost",)
    execution_actions: tuple[str, ...] = ()
    execution_may_delete: bool = False
    execution_tag: Mapping[str, str] = field(default_factory=dict)
    additional_actions: tuple[str, ...] = ()
    max_session_duration: int = 43200
    permissions_boundary: str | None = None
    cur_additional_artifacts: tuple[str, ...] = ()
    cur_additional_schema_elements: tuple[str, ...] = ("RESOURCES",)
    cur_compression: str = "ZIP"
    cur_format: str = "textORcsv"
    cur_refresh_closed_reports: bool = True
    cur_report_name: str = "curreport"
    cur_report_option: Literal["CREATE_NEW", "USE_EXISTING"] = "CREATE_NEW"
    cur_report_versioning: str = "OVERWRITE_REPORT"
    cur_role_trust: Literal["external_id", "principal_only"] = "external_id"
    cur_s3_bucket_merge_policy: bool = False
    cur_s3_bucket_option: Literal["CREATE_NEW", "USE_EXISTING"] = "CREATE_NEW"
    cur_s3_bucket_region: str = DEFAULT_REGION
    cur_s3_prefix: str = "pre"
    cur_time_unit: str = "HOURLY"
    stackset_name: str = octo_names.STACKSET
    stackset_excluded_accounts: tuple[str, ...] = ()
    stackset_failure_tolerance_percentage: int = 10
    stackset_features: tuple[str, ...] | None = None
    stackset_max_concurrent_percentage: int = 100
    stackset_retain_on_account_removal: bool = True
    stackset_retain_stacks: bool = True
    stackset_role_logical_id: str = "ApiAccessRole"
    stackset_role_path: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def linked_features(self) -> tuple[str, ...]:
        """The features of linked accounts, which have execution only by name."""
        if self.stackset_features is not None:
            return self.stackset_features
        return tuple(name for name in self.features if name != "execution")

    @property
    def schema_elements(self) -> tuple[str, ...]:
        """The report's schema elements, sorted: those asked for, and those of the features."""
        needed = schema_elements(self.features)
        return tuple(sorted({*self.cur_additional_schema_elements, *needed}))

    @property
    def bucket_is_new(self) -> bool:
        """Tell whether the bucket is created, not an existing one."""
        return self.cur_s3_bucket_option == "CREATE_NEW"


class _Registration(Protocol):
    """A registration: its settings have the inputs' names; None leaves the module's default."""

    @property
    def account_id(self) -> str: ...


def module_inputs(registration: _Registration) -> Inputs:
    """Return a registration's inputs, with the module's defaults for what it omits."""
    given = {
        name: getattr(registration, name)
        for name in (f.name for f in fields(Inputs))
        if getattr(registration, name) is not None
    }
    given.setdefault("cur_s3_bucket_name", octo_names.cur_bucket(registration.account_id))
    # Sets of the module; its outputs have them sorted.
    as_sets = {name: tuple(sorted(set(v))) for name, v in given.items() if isinstance(v, list)}
    return Inputs(**{**given, **as_sets})


def console_inputs(registration: _Registration) -> Inputs:
    """Return the inputs of a registration by stacks.

    Raises:
        ConfigError: octo.yaml has a setting that only Terraform supports.
    """
    found = module_inputs(registration)
    if "execution" in found.features:
        raise ConfigError(
            "the feature execution is supported with Terraform only",
            where="features",
            hint="Remove it from features and stackset_features, or use octo-tf apply.",
        )
    if found.cur_s3_bucket_merge_policy:
        raise ConfigError(
            "is supported with Terraform only: a stack would replace the bucket's policy",
            where="cur_s3_bucket_merge_policy",
            hint="Remove it: octo-tf console check cur shows the statements to add.",
        )
    return found
