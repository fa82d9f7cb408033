"""The names by which Octo finds what is in AWS; the module has them as its defaults."""

from __future__ import annotations

from typing import Final

PRINCIPAL: Final = "131920598436"  # Octo's own AWS account
API_ROLE: Final = "AlphausAcctAccessRole"
CUR_ROLE: Final = "AlphausAcctAccessCurRole"
STACKSET: Final = "alphaus-api-access-stackset"


def cur_bucket(account_id: str) -> str:
    """The bucket that reports go to unless octo.yaml names one."""
    return f"alphaus-cur-export-{account_id}"
