"""AWS services that recommendations come from: who is enrolled in them, and by whom.

Sources: Cost Optimization Hub and Compute Optimizer User Guides, "Opting in" and "Using
service-linked roles"; Trusted Advisor User Guide, "Using service-linked roles".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

ServiceName = Literal["cost_optimization_hub", "compute_optimizer", "trusted_advisor"]


@dataclass(frozen=True)
class AwsService:
    """A service that an account enrols in.

    Attributes:
        label: its name in sentences.
        role: its service-linked role in each account, which enrolment creates.
        principal: its service principal, which assumes that role.
        has_enrolment: whether an account enrols; False if it only needs the role.
        ends_members: whether a payer can end the enrolment of its members.
    """

    label: str
    role: str
    principal: str
    has_enrolment: bool = True
    ends_members: bool = False


SERVICES: dict[ServiceName, AwsService] = {
    "cost_optimization_hub": AwsService(
        "Cost Optimization Hub",
        "AWSServiceRoleForCostOptimizationHub",
        "cost-optimization-hub.bcm.amazonaws.com",
        ends_members=True,
    ),
    # Its API refuses a payer that opts out together with its members.
    "compute_optimizer": AwsService(
        "Compute Optimizer",
        "AWSServiceRoleForComputeOptimizer",
        "compute-optimizer.amazonaws.com",
    ),
    "trusted_advisor": AwsService(
        "Trusted Advisor",
        "AWSServiceRoleForTrustedAdvisor",
        "trustedadvisor.amazonaws.com",
        has_enrolment=False,
    ),
}


@dataclass(frozen=True)
class Enrolment:
    """An account's enrolment in one service, as AWS has it.

    Attributes:
        active: whether the account is enrolled, or is being enrolled.
        has_role: whether the account has the service-linked role.
        members: the member accounts that are enrolled, as far as they were read.
        includes_members: whether the payer enrolled its members.
    """

    active: bool
    has_role: bool
    members: frozenset[str] = frozenset()
    includes_members: bool = False


class MadeEnrolment(BaseModel):
    """An enrolment that octo-tf made, so that exactly it can be ended.

    Attributes:
        at: when (ISO 8601, UTC).
        account: whether the account itself was not enrolled before.
        members: whether its members were enrolled with it.
        members_before: how many of them were enrolled before.
        role: whether the account had no service-linked role before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    account: bool = False
    members: bool = False
    members_before: int = 0
    role: bool = False
