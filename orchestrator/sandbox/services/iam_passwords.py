"""IAM: passwords of users, by the password policy of the account.

Source: IAM User Guide, "Set an account password policy for IAM users"; real error texts.
"""

from __future__ import annotations

import re
from typing import Any

from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
OPERATIONS: dict[str, Any] = {}
_DEFAULT_LENGTH = 8
# What a policy may ask for: its attribute in moto, a pattern, and what is said without it.
_REQUIRED = (
    ("require_uppercase_characters", "[A-Z]", "uppercase letter"),
    ("require_lowercase_characters", "[a-z]", "lowercase letter"),
    ("require_numbers", "[0-9]", "number"),
    ("require_symbols", "[^A-Za-z0-9]", "symbol"),
)


def check(_state: SandboxState, call: Call) -> None:
    """Refuse a password that the account's policy does not allow.

    Raises:
        ServiceError: PasswordPolicyViolation.
    """
    password = call.parameters.get("Password") or call.parameters.get("NewPassword")
    if not isinstance(password, str):
        return
    policy = iam(call.caller.account_id).account_password_policy
    shortest = policy.minimum_password_length if policy else _DEFAULT_LENGTH
    lacks = f"a minimum length of {shortest}" if len(password) < shortest else ""
    for required, pattern, what in _REQUIRED:
        if getattr(policy, required, False) and not re.search(pattern, password):
            lacks = lacks or f"at least one {what}"
    if lacks:
        raise ServiceError("PasswordPolicyViolation", f"Password should have {lacks}")


TEXTS = (("GetAccountPasswordPolicy", r"<MaxPasswordAge>0?</MaxPasswordAge>\s*", ""),)
