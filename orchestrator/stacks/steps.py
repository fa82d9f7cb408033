"""The stacks of a registration, in the order in which a person deploys them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from orchestrator.errors import ConfigError
from orchestrator.model import resource_names
from orchestrator.model.account import AccountType
from orchestrator.stacks import documents, templates
from orchestrator.stacks.inputs import Inputs
from orchestrator.stacks.links import QuickCreate
from orchestrator.verify.model import Area

Step = Literal["api-access", "stackset", "cur"]
STEPS: tuple[Step, ...] = get_args(Step)
AREAS: dict[Step, Area] = {
    "api-access": Area.API_ACCESS,
    "stackset": Area.STACKSET,
    "cur": Area.CUR_S3,
}
LABELS: dict[Step, str] = {
    "api-access": "API access",
    "stackset": "API access in every linked account",
    "cur": "Cost and Usage Report and its bucket",
}


TRUSTED_ACCESS = (
    "First let CloudFormation into the organization: CloudFormation, StackSets, Enable trusted"
    " access."
)


@dataclass(frozen=True)
class Wanted:
    """A stack that a person is to deploy.

    Attributes:
        step: the step that it belongs to.
        template: the template's name.
        name: the stack's; a person may choose another one.
        region: where it must be deployed.
        parameters: what its template takes; the external id is among them.
        anchor: the physical id of its main resource, by which the stack is found.
    """

    step: Step
    template: templates.Name
    name: str
    region: str
    parameters: Mapping[str, str] = field(repr=False)
    anchor: str

    def link(self, template_url: str, partition: str) -> QuickCreate:
        """The link that opens CloudFormation with all of this filled in."""
        return QuickCreate(self.region, self.name, template_url, self.parameters, partition)


def steps_of(account_type: AccountType) -> tuple[Step, ...]:
    """The steps that an account of this type has."""
    return {
        "linked": ("api-access",),
        "standalone": ("api-access", "cur"),
        "payer": ("api-access", "stackset", "cur"),
    }[account_type]  # type: ignore[return-value]  # the literals above are steps


def check_step(step: Step, account_type: AccountType) -> None:
    """Makes sure that the account has the step.

    Raises:
        ConfigError: it has not.
    """
    if step not in steps_of(account_type):
        raise ConfigError(
            f"is not for a {account_type} account",
            where=step,
            hint="A linked account's billing data is its payer's."
            if step == "cur"
            else "Linked accounts are reached from the organization's management account.",
        )


def wanted(
    step: Step,
    inputs: Inputs,
    *,
    external_id: str,
    region: str,
    partition: str = "aws",
    targets: Sequence[str] = (),
) -> tuple[Wanted, ...]:
    """The stacks of a step, in order.

    Args:
        step: the step.
        inputs: what was asked for.
        external_id: as Octo shows it.
        region: where stacks go that may be anywhere.
        partition: decides where CUR lives.
        targets: the StackSet's OUs or root.
    """
    octo = {"ExternalId": external_id, "Principal": inputs.principal}
    if step == "api-access":
        parameters = {**octo, "TargetOrganizationId": ""}
        name = "AlphausAccountAccess"
        return (Wanted(step, "api-access", name, region, parameters, resource_names.API_ROLE),)
    if step == "stackset":
        parameters = {**octo, "TargetOrganizationId": ",".join(targets)}
        name = "AlphausLinkedAccountAccess"
        return (Wanted(step, "stackset", name, region, parameters, inputs.stackset_name),)
    return _cur(inputs, octo, documents.cur_region(partition))


def _cur(inputs: Inputs, octo: Mapping[str, str], report_region: str) -> tuple[Wanted, ...]:
    """One stack, or two where a new bucket is to be in another region than reports are."""
    bucket = inputs.cur_s3_bucket_name
    apart = inputs.bucket_is_new and inputs.cur_s3_bucket_region != report_region
    if inputs.cur_role_trust == "principal_only":
        octo = {name: value for name, value in octo.items() if name != "ExternalId"}
    parameters = {
        **octo,
        "CurS3BucketOption": "USE_EXISTING" if apart else inputs.cur_s3_bucket_option,
        "CurS3BucketName": bucket,
        "CurS3BucketRegion": inputs.cur_s3_bucket_region,
        "CurS3Prefix": inputs.cur_s3_prefix,
        "CurReportName": inputs.cur_report_name,
    }
    report = Wanted(
        "cur", "cur", "AlphausCurExport", report_region, parameters, resource_names.CUR_ROLE
    )
    if not apart:
        return (report,)
    region, own = inputs.cur_s3_bucket_region, {"CurS3BucketName": bucket}
    return (Wanted("cur", "cur-bucket", "AlphausCurBucket", region, own, bucket), report)
