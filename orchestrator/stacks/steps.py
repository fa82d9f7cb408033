"""The stacks of a registration, in the order in which the user deploys them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from orchestrator.errors import ConfigError
from orchestrator.model.account import AccountType
from orchestrator.model.module_contract import documents, octo_names
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.partition import cur_region
from orchestrator.stacks import templates
from orchestrator.stacks.links import QuickCreate
from orchestrator.verify.model import Area

Step = Literal["api-access", "cur", "stackset"]
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
    "First enable CloudFormation's access to the organization: in the console, CloudFormation,"
    " StackSets, Enable trusted access."
)


@dataclass(frozen=True)
class ExpectedStack:
    """A stack that the user is to deploy.

    Attributes:
        template: the template's name.
        name: the stack's; the user may choose another one.
        parameters: the template's parameters; the external id is among them.
        main_resource: the name of the resource by which the stack is found.
    """

    step: Step
    template: templates.Name
    name: str
    region: str
    parameters: Mapping[str, str] = field(repr=False)
    main_resource: str

    def link(self, template_url: str, partition: str) -> QuickCreate:
        """Build the link that opens CloudFormation with these values filled in."""
        return QuickCreate(self.region, self.name, template_url, self.parameters, partition)


def steps_of(account_type: AccountType) -> tuple[Step, ...]:
    """List the steps that an account of this type has."""
    return {
        "linked": ("api-access",),
        "standalone": ("api-access", "cur"),
        "payer": ("api-access", "cur", "stackset"),
    }[account_type]  # type: ignore[return-value]  # the literals above are steps


def check_step(step: Step, account_type: AccountType) -> None:
    """Make sure that an account of this type has the step.

    Raises:
        ConfigError: it does not.
    """
    if step not in steps_of(account_type):
        raise ConfigError(
            f"is not for a {account_type} account",
            where=step,
            hint="The report of a linked account is its payer's."
            if step == "cur"
            else "A StackSet is deployed from the organization's management account.",
        )


def expected_stacks(
    step: Step,
    inputs: Inputs,
    *,
    external_ids: Sequence[str],
    region: str,
    partition: str = "aws",
    targets: Sequence[str] = (),
) -> tuple[ExpectedStack, ...]:
    """List the stacks of a step, in order.

    Args:
        external_ids: those that the roles accept: Octo's, or two while Octo's is changed.
        region: of stacks that may be in any region.
        partition: decides the region of the CUR service.
    """
    names = documents.external_id_parameters(len(external_ids))
    octo = {**dict(zip(names, external_ids, strict=True)), "Principal": inputs.principal}
    if step == "api-access":
        parameters = {**octo, "TargetOrganizationId": ""}
        name = "AlphausAccountAccess"
        return (ExpectedStack(step, "api-access", name, region, parameters, octo_names.API_ROLE),)
    if step == "stackset":
        parameters = {**octo, "TargetOrganizationId": ",".join(targets)}
        name = "AlphausLinkedAccountAccess"
        return (ExpectedStack(step, "stackset", name, region, parameters, inputs.stackset_name),)
    return _cur(inputs, octo, cur_region(partition))


def _cur(inputs: Inputs, octo: Mapping[str, str], report_region: str) -> tuple[ExpectedStack, ...]:
    """List one stack, or two if a new bucket is in another region than the CUR service."""
    bucket = inputs.cur_s3_bucket_name
    apart = inputs.bucket_is_new and inputs.cur_s3_bucket_region != report_region
    if inputs.cur_role_trust == "principal_only":
        octo = {name: value for name, value in octo.items() if name == "Principal"}
    parameters = {
        **octo,
        "CurS3BucketOption": "USE_EXISTING" if apart else inputs.cur_s3_bucket_option,
        "CurS3BucketName": bucket,
        "CurS3BucketRegion": inputs.cur_s3_bucket_region,
        "CurS3Prefix": inputs.cur_s3_prefix,
        "CurReportName": inputs.cur_report_name,
    }
    report = ExpectedStack(
        "cur", "cur", "AlphausCurExport", report_region, parameters, octo_names.CUR_ROLE
    )
    if not apart:
        return (report,)
    region, own = inputs.cur_s3_bucket_region, {"CurS3BucketName": bucket}
    return (ExpectedStack("cur", "cur-bucket", "AlphausCurBucket", region, own, bucket), report)
