"""STS: what nobody has set up in the sandbox: SAML, sessions of root users, tokens for outside.

Source: STS API Reference, AssumeRoleWithSAML, AssumeRoot, GetWebIdentityToken; real error texts.
"""

from __future__ import annotations

import base64
from typing import Any
from xml.etree import ElementTree

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.sts import ROLE_ARN, target_of
from orchestrator.sandbox.state import PARTITION, SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "sts"


def assume_role_with_saml(_state: SandboxState, call: Call) -> dict[str, Any]:
    """AssumeRoleWithSAML: the sandbox cannot verify an assertion, and so accepts none."""
    target_of(call)  # checks the role's ARN
    provider = call.parameters["PrincipalArn"]
    account_id = ROLE_ARN.fullmatch(call.parameters["RoleArn"])[1]  # type: ignore[index]
    try:
        ElementTree.fromstring(base64.b64decode(call.parameters["SAMLAssertion"]))  # noqa: S314
    except (ValueError, ElementTree.ParseError):
        text = "Invalid base64 SAMLResponse"
    else:
        known = provider in [held.arn for held in iam(account_id).saml_providers.values()]
        text = "Response signature invalid" if known else "Specified provider doesn't exist"
    raise ServiceError("InvalidIdentityToken", text)


def assume_root(_state: SandboxState, call: Call) -> dict[str, Any]:
    """AssumeRoot: the organization has not switched on sessions of root users."""
    account_id = call.parameters["TargetPrincipal"].removesuffix(":root").rpartition(":")[2]
    raise ServiceError(
        "AccessDenied",
        f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRoot on resource:"
        f" arn:{PARTITION}:iam::{account_id}:root",
        403,
    )


def get_web_identity_token(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """GetWebIdentityToken: the account has not switched on tokens for services outside AWS."""
    raise ServiceError(
        "OutboundWebIdentityFederationDisabledException",
        "Outbound web identity federation is disabled for this account.",
        403,
    )


OPERATIONS: dict[str, Operation] = {
    "AssumeRoleWithSAML": assume_role_with_saml,
    "AssumeRoot": assume_root,
    "GetWebIdentityToken": get_web_identity_token,
}
