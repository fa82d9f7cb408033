"""What an account should have, in the shapes of what is observed.

Made from the module's outputs, which Terraform's state holds and ``stacks/expected.py`` builds for
stacks, and from the external ids of the registration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.model.external_ids import NO_ROTATION, Acceptance
from orchestrator.model.module_contract import documents, features
from orchestrator.model.module_contract.octo_names import ADDITIONAL, API_ROLE, Area
from orchestrator.model.module_contract.outputs import (
    CurOutput,
    FeatureRoleOutput,
    Outputs,
    RoleOutput,
    StackSetOutput,
)
from orchestrator.model.observed import Role
from orchestrator.model.partition import cur_region
from orchestrator.model.policy import document
from orchestrator.model.report_delivery import ReportDelivery
from orchestrator.model.stackset import StackSet


@dataclass(frozen=True)
class Desired:
    """What an account should have.

    Attributes:
        external_id: the id that Octo presents; a secret, never put into a finding.
        acceptance: the external ids of a rotation; without one, ``external_id`` stands alone.
        profile: the AWS CLI profile for the account; None for the environment's credentials.
    """

    outputs: Outputs
    external_id: str = field(repr=False)
    acceptance: Acceptance = NO_ROTATION
    profile: str | None = None

    @property
    def external_ids(self) -> tuple[str, ...]:
        """The external ids that the roles accept; each is a secret."""
        return self.acceptance.accepted(self.external_id)

    @property
    def roles(self) -> Mapping[str, Role]:
        """The roles by name, the API access role first."""
        access, cur = self.outputs.api_access, self.outputs.cur
        outputs = [access, *([cur.role] if cur else []), *access.feature_roles]
        return {output.role_name: self._role(output) for output in outputs}

    def of_feature(self, feature: str) -> list[Role]:
        """List the roles that a feature reads or acts by, each with that feature's policies alone.

        The role that reads the report is a check of its own.
        """
        # A role of one feature has its policies alone; the API access role has those of all.
        api, own = self.roles[API_ROLE], features.own_policies(feature, API_ROLE)
        inline = {name: policy for name, policy in api.inline.items() if name in own}
        managed = api.managed if ADDITIONAL in own else {}
        others = [self.roles[role.role_name] for role in self.outputs.api_access.feature_roles]
        needed = features.table().features[feature].roles
        return [
            role
            for role in (replace(api, inline=inline, managed=managed), *others)
            if role.name in needed
        ]

    @property
    def cur(self) -> CurOutput:
        """The report and its bucket; only for accounts that have them."""
        if self.outputs.cur is None:
            raise LookupError("this account has no report")
        return self.outputs.cur

    @property
    def delivery(self) -> ReportDelivery:
        """The delivery of the report; only for accounts that have one."""
        return ReportDelivery(
            account_id=self.outputs.account_id,
            partition=self.outputs.partition,
            report=self.cur.report_name,
            prefix=self.cur.s3_prefix,
            bucket=self.cur.s3_bucket_name,
            region=self.cur.s3_bucket_region,
            cur_region=cur_region(self.outputs.partition),
        )

    @property
    def stackset(self) -> StackSetOutput:
        """The StackSet, and whom it is for; only for accounts that have one."""
        if self.outputs.stackset is None:
            raise LookupError("the registration has no StackSet")
        return self.outputs.stackset

    @property
    def stack_set(self) -> StackSet:
        """The StackSet as CloudFormation is to have it, without its instances."""
        names = documents.external_id_parameters(len(self.external_ids))
        principal = {"Principal": self.outputs.api_access.principal}
        return StackSet(
            self.stackset.name,
            template=self.stackset.template,
            parameters={**principal, **dict(zip(names, self.external_ids, strict=True))},
            targets=tuple(self.stackset.targets),
            capabilities=("CAPABILITY_NAMED_IAM",),
        )

    def has(self, area: str) -> bool:
        """Tell whether the registration has an area, or the account a feature."""
        if area in (Area.CUR_S3, Area.STACKSET):
            of_area = {Area.CUR_S3: self.outputs.cur, Area.STACKSET: self.outputs.stackset}
            return of_area[Area(area)] is not None
        return area == Area.API_ACCESS or area in self.outputs.api_access.features

    def _role(self, output: RoleOutput) -> Role:
        partition, cur = self.outputs.partition, self.outputs.cur
        trusted = documents.role_trust(
            output.trust if isinstance(output, FeatureRoleOutput) else "external_id",
            principal := f"arn:{partition}:iam::{self.outputs.api_access.principal}:root",
            *self.external_ids,
            partition=partition,
            account_id=self.outputs.account_id,
        )
        if cur and output is cur.role and cur.role_trust == "principal_only":
            trusted = documents.trust(principal)
        return Role(
            output.role_name,
            output.role_arn,
            trust=trusted,
            inline={name: document(text) for name, text in output.inline_policies.items()},
            managed={arn: document(text) for arn, text in output.managed_policies.items()},
            boundary=output.permissions_boundary,
        )
