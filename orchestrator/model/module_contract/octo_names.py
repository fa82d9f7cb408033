"""Octo's own names, by which it finds what it needs in an account; another vendor has others.

With the policies in ``terraform/modules/octo/policies``, they are all that is Octo's in the module.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

PRINCIPAL: Final = "131920598436"  # Octo's own AWS account
API_ROLE: Final = "AlphausAcctAccessRole"
CUR_ROLE: Final = "AlphausAcctAccessCurRole"
OPERATIONS_ROLE: Final = "AlphausAcctAccessOperationsRole"
AUTOMATION_ROLE: Final = "AlphausOctoAutomationRole"
# The inline policies that each role may have, without their documents.
POLICIES: Final = {
    API_ROLE: ("octo-read", "octo-recommendations"),
    CUR_ROLE: ("octo-cur-read",),
    OPERATIONS_ROLE: ("octo-operations",),
    AUTOMATION_ROLE: ("octo-automation",),
}
STACKSET: Final = "alphaus-api-access-stackset"
CUR_BUCKET: Final = "alphaus-cur-export"  # the published module's; ours ends in the account id
# The published module's other roles; octo-tf has no use for them.
OTHER_ROLES: Final = (
    "OctoSSMUpdaterRole",
    "OctoChangeExecutorRole",
    "OctoChangeTemplateApproverRole",
    "CloudSaver-Role",
)


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
