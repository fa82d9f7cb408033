"""STS: sessions of roles for pipelines, by a token of an OpenID Connect provider.

Source: STS API Reference, AssumeRoleWithWebIdentity; real error texts.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.sts import HOUR, ROLE_ARN, session_of, target_of
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "sts"


def assume_role_with_web_identity(state: SandboxState, call: Call) -> dict[str, Any]:
    """AssumeRoleWithWebIdentity: for pipelines, by a token of an identity provider.

    The token's signature is not verified: that would need the provider's keys.
    """
    arn, target = target_of(call)
    claims = _claims(call.parameters["WebIdentityToken"])
    issuer = str(claims.get("iss", "")).removeprefix("https://")
    account_id = ROLE_ARN.fullmatch(arn)[1]  # type: ignore[index]  # target_of has checked it
    providers = iam(account_id).open_id_providers.values()
    provider = next((p for p in providers if p.url.rstrip("/") == issuer.rstrip("/")), None)
    if provider is None:
        raise ServiceError(
            "InvalidIdentityToken",
            f"No OpenIDConnect provider found in your account for https://{issuer}",
        )
    now, expires = time.time(), float(claims.get("exp", 0))
    if expires < now:
        text = f"current date/time {now:.0f} must be before the expiration date/time{expires:.0f}"
        raise ServiceError("ExpiredTokenException", f"Token expired: {text}")
    audience = str(claims.get("aud", ""))
    if audience not in provider.client_id_list:
        raise ServiceError("InvalidIdentityToken", "Incorrect token audience")
    keys = ("aud", "sub", "amr", "azp", "email")
    context = {f"{issuer}:{key}": str(claims[key]) for key in keys if key in claims}
    request = AccessRequest(
        "sts:AssumeRoleWithWebIdentity", arn, context, {"Federated": [provider.arn]}
    )
    if target is None or (
        decide([parse_policy(target.assume_role_policy_document)], request, resource_policy=True)
        != "allowed"
    ):
        raise ServiceError(
            "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403
        )
    duration = int(call.parameters.get("DurationSeconds") or HOUR)
    return {
        **session_of(state, call, target, duration),
        "Provider": provider.arn,
        "Audience": audience,
        "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
    }


def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        claims: dict[str, Any] = json.loads(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        )
    except (IndexError, ValueError):
        raise ServiceError(
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an"
            " Access Token)",
        ) from None
    return claims


OPERATIONS: dict[str, Operation] = {
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
}
