"""The outputs of ``terraform/modules/octo``, typed.

The shapes mirror ``terraform/modules/octo/outputs.tf``; none of them holds the external id. What
only another version of the module has is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator import __version__
from orchestrator.errors import EngineError
from orchestrator.model.account import AccountType
from orchestrator.model.module_contract.addresses import REPORT_FIELDS
from orchestrator.model.module_contract.features import Trust

# The root's own output: the inputs of the module as they were applied, without secrets.
APPLIED_INPUTS = "applied_inputs"


class _Output(BaseModel):
    # Outputs that only newer versions of the module have are ignored.
    model_config = ConfigDict(frozen=True, extra="ignore")


class RoleOutput(_Output):
    """An IAM role as the module defines it.

    ``inline_policies`` maps each inline policy's name to its document (JSON text), and
    ``managed_policies`` each attached managed policy's ARN.
    """

    role_name: str
    role_arn: str
    inline_policies: dict[str, str]
    managed_policies: dict[str, str] = {}
    permissions_boundary: str | None


class FeatureRoleOutput(RoleOutput):
    """A further role that a feature needs, and who may assume it."""

    trust: Trust


class ApiAccessOutput(RoleOutput):
    """The API access role, the features of the account, and the further roles that they need.

    ``external_id_count``: how many external ids the roles accept; two while Octo's is changed.
    """

    principal: str
    external_id_count: int = 1
    features: list[str]
    feature_roles: list[FeatureRoleOutput]


class CurOutput(_Output):
    """The Cost and Usage Report, its bucket and the role that reads it.

    ``bucket_policy_statements`` is JSON text: the list of statements that the bucket's policy
    needs. ``bucket_policy_management`` says who manages that policy: the module alone (a new
    bucket), the module by merging into the owner's policy, or the bucket's owner. Of an existing
    report (``report_option``), the definition says what it must be.
    """

    report_name: str
    report_option: Literal["CREATE_NEW", "USE_EXISTING"] = "CREATE_NEW"
    time_unit: str
    format: str
    compression: str
    additional_schema_elements: list[str]
    additional_artifacts: list[str]
    refresh_closed_reports: bool
    report_versioning: str
    s3_prefix: str
    s3_bucket_name: str
    s3_bucket_region: str
    s3_bucket_option: Literal["CREATE_NEW", "USE_EXISTING"]
    bucket_policy_management: Literal["module", "merged", "owner"]
    bucket_policy_statements: str
    role: RoleOutput
    role_trust: Literal["external_id", "principal_only"]

    @property
    def definition(self) -> dict[str, object]:
        """The report's definition, by the fields of the CUR API that the module sets."""
        s3 = {"S3Bucket": self.s3_bucket_name, "S3Region": self.s3_bucket_region}
        return {
            field: s3[field] if field in s3 else getattr(self, attribute)
            for field, attribute in REPORT_FIELDS.items()
        }


class StackSetOutput(_Output):
    """The StackSet: what it deploys (``template``, JSON text) and where.

    ``targets`` are OU ids or the root's; ``region`` is that of the StackSet and its stacks.
    """

    name: str
    id: str
    region: str
    role_name: str
    template: str
    targets: list[str]
    excluded_accounts: list[str]
    retain_stacks: bool


class Outputs(_Output):
    """All outputs of ``module.octo``; the state does not have those that are null."""

    account_id: str
    account_type: AccountType
    partition: str
    api_access: ApiAccessOutput
    cur: CurOutput | None = None
    stackset: StackSetOutput | None = None
    module_version: str


def parse_outputs(values: Mapping[str, object], account_id: str) -> Outputs:
    """Parse the outputs of the last apply.

    Raises:
        EngineError: there was no apply, or by an incompatible version of the module.
    """
    if not values:
        raise EngineError(
            "nothing has been applied to this account yet",
            where=account_id,
            hint="Run octo-tf apply, or octo-tf console check if links of octo-tf console made it.",
        )
    try:
        return Outputs.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        raise EngineError(
            f"the state's output {'.'.join(map(str, detail['loc']))} is not as this version of"
            f" octo-tf expects: {detail['msg']}",
            where=account_id,
            hint="Run octo-tf apply: it updates the outputs, which version"
            f" {values.get('module_version', '(unknown)')} of the module wrote; this is octo-tf"
            f" {__version__}.",
        ) from None
