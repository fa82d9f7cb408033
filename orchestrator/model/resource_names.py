"""The names by which Octo finds what is in AWS; the module has them as its defaults."""

from __future__ import annotations

from typing import Final

PRINCIPAL: Final = "131920598436"  # Octo's own AWS account
API_ROLE: Final = "AlphausAcctAccessRole"
CUR_ROLE: Final = "AlphausAcctAccessCurRole"
STACKSET: Final = "alphaus-api-access-stackset"
CUR_BUCKET: Final = "alphaus-cur-export"  # the published module's; ours goes on with the account


def cur_bucket(account_id: str) -> str:
    """The bucket that reports go to unless octo.yaml names one."""
    return f"{CUR_BUCKET}-{account_id}"
