"""Octo's own names, by which it finds what it needs in an account; another vendor has others.

With the policies in ``terraform/modules/octo/policies``, they are all that is Octo's in the module.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

PRINCIPAL: Final = "131920598436"  # Octo's own AWS account
API_ROLE: Final = "AlphausAcctAccessRole"
CUR_ROLE: Final = "AlphausAcctAccessCurRole"
SEARCHER_ROLE: Final = "OctoRecommendationSearcherRole"
UPDATER_ROLE: Final = "OctoSSMUpdaterRole"
EXECUTOR_ROLE: Final = "OctoChangeExecutorRole"
APPROVER_ROLE: Final = "OctoChangeTemplateApproverRole"
# From outside it is not known which of these roles the service reads by.
READING_ROLES: Final = (API_ROLE, SEARCHER_ROLE)
EXECUTION_BOUNDARY: Final = "OctoExecutionBoundary"  # a policy of ours
ADDITIONAL: Final = "octo-additional"  # the inline policy of additional_actions
MANAGED_ADDITIONAL: Final = "OctoAdditional"  # managed ones, numbered, where that is too long
STACKSET: Final = "alphaus-api-access-stackset"
CUR_BUCKET: Final = "alphaus-cur-export"  # the published module's; ours ends in the account id
# The published module's other role, a tag manager's; octo-tf has no use for it.
OTHER_ROLES: Final = ("CloudSaver-Role",)


class Area(str, Enum):
    """The areas whose status Octo shows for an account."""

    API_ACCESS = "api_access"
    CUR_S3 = "cur_s3"
    STACKSET = "stackset"

    @property
    def label(self) -> str:
        """Return the area's name as users read it."""
        return {"api_access": "API access", "cur_s3": "CUR and S3", "stackset": "StackSet"}[
            self.value
        ]


def cur_bucket(account_id: str) -> str:
    """Return the name of the bucket for reports, unless octo.yaml names one."""
    return f"{CUR_BUCKET}-{account_id}"


def linked_logical_id(name: str) -> str:
    """Return a role's or policy's logical id in a template; the API access role has its own."""
    return name.removeprefix("Octo")


def is_managed(policy: str) -> bool:
    """Tell whether a policy of a role is a managed policy, by its name."""
    return policy.startswith(MANAGED_ADDITIONAL)
