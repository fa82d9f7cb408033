"""The names by which Octo finds its resources in AWS: the module's defaults."""

from __future__ import annotations

from typing import Final

PRINCIPAL: Final = "131920598436"  # Octo's own AWS account
API_ROLE: Final = "AlphausAcctAccessRole"
CUR_ROLE: Final = "AlphausAcctAccessCurRole"
STACKSET: Final = "alphaus-api-access-stackset"
CUR_BUCKET: Final = "alphaus-cur-export"  # the published module's; ours ends in the account id


def cur_bucket(account_id: str) -> str:
    """Return the name of the bucket for reports, unless octo.yaml names one."""
    return f"{CUR_BUCKET}-{account_id}"
