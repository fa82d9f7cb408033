"""IAM: MFA devices of users, beside what moto answers.

Source: IAM API Reference, GetMFADevice, ResyncMFADevice, DeleteVirtualMFADevice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"


def _enabled(call: Call) -> Iterator[tuple[str, Any]]:
    """Yield the user's name and the device, where a call's device is enabled."""
    serial = call.parameters["SerialNumber"]
    for user in iam(call.caller.account_id).users.values():
        if serial in user.mfa_devices:
            yield user.name, user.mfa_devices[serial]


def get_device(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetMFADevice: one that is enabled for a user."""
    name, device = _of_user(call)
    shown = {"SerialNumber": device.serial_number, "EnableDate": device.enable_date}
    return {"UserName": name, **shown}


def resync(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ResyncMFADevice: any codes of six digits are right."""
    _of_user(call)
    return {}


def enable(_state: SandboxState, call: Call) -> Any:
    """EnableMFADevice: a virtual device must exist; any codes of six digits are right."""
    serial = call.parameters["SerialNumber"]
    if serial.startswith("arn:") and serial not in iam(call.caller.account_id).virtual_mfa_devices:
        text = f"VirtualMFADevice with serial number {serial} doesn't exist."
        raise ServiceError("NoSuchEntity", text, 404)
    return TO_MOTO


def delete_virtual(_state: SandboxState, call: Call) -> Any:
    """DeleteVirtualMFADevice: one that is enabled for no user."""
    if any(_enabled(call)):
        raise ServiceError(
            "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.", 409
        )
    return TO_MOTO


def _of_user(call: Call) -> tuple[str, Any]:
    wanted, serial = call.parameters.get("UserName"), call.parameters["SerialNumber"]
    for name, device in _enabled(call):
        if wanted in (None, name):
            return name, device
    raise ServiceError("NoSuchEntity", f"MFA Device with serial number {serial} not found.", 404)


OPERATIONS: dict[str, Operation] = {
    "DeleteVirtualMFADevice": delete_virtual,
    "EnableMFADevice": enable,
    "GetMFADevice": get_device,
    "ResyncMFADevice": resync,
}
# Only CreateVirtualMFADevice shows the secret.
TEXTS = (
    (
        "ListVirtualMFADevices",
        r"<(Base32StringSeed|QRCodePNG)>.*?</\1>",
        "",
    ),
    (
        "DeactivateMFADevice",
        r"<Message>Device \S+ not found",
        "<Message>MFA Device invalid for user.",
    ),
)
