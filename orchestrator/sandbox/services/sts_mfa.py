"""STS: a call with MFA needs the serial number of a device of the user, and a code.

The sandbox's devices have no clock: any code of six digits is right. Source: STS API Reference,
AssumeRole, GetSessionToken; real error texts.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "sts"
OPERATIONS: dict[str, Any] = {}


def check(_state: SandboxState, call: Call) -> None:
    """Refuse half of the two parameters, and a device that is not the calling user's.

    Raises:
        ServiceError: AccessDenied.
    """
    serial, code = (call.parameters.get(name) for name in ("SerialNumber", "TokenCode"))
    if serial is None and code is None:
        return
    if serial is None or code is None:
        text = "must provide both MFA serial number and one time pass code."
    elif serial not in _devices(call):
        text = (
            "unable to validate MFA code.  Please verify your MFA serial number is valid and"
            " associated with this user."
        )
    else:
        return
    raise ServiceError("AccessDenied", f"MultiFactorAuthentication failed, {text}", 403)


def _devices(call: Call) -> Any:
    user = iam(call.caller.account_id).users.get(call.caller.name)
    return user.mfa_devices if user is not None and call.caller.kind == "user" else ()
