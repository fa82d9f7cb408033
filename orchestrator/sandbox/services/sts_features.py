"""STS: SAML (not verified here), sessions of root users, and tokens for services outside AWS.

Source: STS API Reference, AssumeRoleWithSAML, AssumeRoot, GetWebIdentityToken; real error texts.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from orchestrator.sandbox import lookup
from orchestrator.sandbox.policy import Document
from orchestrator.sandbox.services import Operation, Permission
from orchestrator.sandbox.services.iam_account import features, outbound_issuer
from orchestrator.sandbox.services.sts import ROLE_ARN, keys_of, target_of
from orchestrator.sandbox.state import PARTITION, Caller, SandboxState, iam, organizations
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


def assume_root(state: SandboxState, call: Call) -> dict[str, Any]:
    """AssumeRoot: a session of a member's root user, limited by a task policy of AWS."""
    account_id, organization = _target_account(call), organizations(call.caller.account_id)
    task = call.parameters["TaskPolicyArn"].get("arn", "").rpartition("/root-task/")[2]
    if (
        organization.org is None
        or "RootSessions" not in features(state, organization.org.id)
        or lookup.member(organization, account_id) is None
        or account_id == call.caller.account_id
        or task not in _TASKS
    ):
        text = f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRoot on resource:"
        raise ServiceError("AccessDenied", f"{text} {_root_of(account_id)}", 403)
    policy: Document = {
        "Statement": [{"Effect": "Allow", "Action": [*_TASKS[task]], "Resource": "*"}]
    }
    identity = call.caller.session_context.get("aws:SourceIdentity")
    context = {"aws:SourceIdentity": identity} if identity else {}
    session = Caller(
        account_id, _root_of(account_id), "root", "", "/", (policy,), session_context=context
    )
    keys = keys_of(state, call, session, _LONGEST_ROOT_SESSION)
    return {"Credentials": keys, "SourceIdentity": identity}


_LONGEST_ROOT_SESSION = 900  # seconds
_AUDIT = (
    *("iam:GetAccessKeyLastUsed", "iam:GetAccountSummary", "iam:GetLoginProfile", "iam:GetUser"),
    *("iam:ListAccessKeys", "iam:ListMFADevices", "iam:ListSigningCertificates"),
)
# What a session may do, by the name of its task policy (AWS Managed Policy Reference).
_TASKS = {
    "IAMAuditRootUserCredentials": _AUDIT,
    "IAMCreateRootUserPassword": ("iam:CreateLoginProfile", "iam:GetLoginProfile"),
    "IAMDeleteRootUserCredentials": (
        *_AUDIT,
        *("iam:DeactivateMFADevice", "iam:DeleteAccessKey", "iam:DeleteLoginProfile"),
        *("iam:DeleteSigningCertificate", "iam:DeleteVirtualMFADevice", "iam:UpdateAccessKey"),
    ),
    "S3UnlockBucketPolicy": (
        *("s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:ListAllMyBuckets"),
        "s3:PutBucketPolicy",
    ),
    "SQSUnlockQueuePolicy": (
        *("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueues", "sqs:SetQueueAttributes"),
    ),
}


def _target_account(call: Call) -> str:
    target: str = call.parameters["TargetPrincipal"]
    return target.removesuffix(":root").rpartition(":")[2]


def _root_of(account_id: str) -> str:
    return f"arn:{PARTITION}:iam::{account_id}:root"


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield the permission of AssumeRoot: on the root user; the task policy is a condition key."""
    if call.operation == "AssumeRoot":
        context = {"sts:TaskPolicyArn": call.parameters["TaskPolicyArn"].get("arn", "")}
        yield Permission("sts:AssumeRoot", _root_of(_target_account(call)), context)


def get_web_identity_token(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetWebIdentityToken: a token that identifies the caller to services outside AWS."""
    caller, given = call.caller, call.parameters
    issuer = outbound_issuer(state, caller.account_id)
    if issuer is None:
        raise ServiceError(
            "OutboundWebIdentityFederationDisabledException",
            "Outbound web identity federation is disabled for this account.",
            403,
        )
    algorithm = given["SigningAlgorithm"]
    if algorithm not in _SIGNED:
        text = f"The signing algorithm {algorithm} is not supported."
        raise ServiceError("ValidationError", text)
    now = int(time.time())
    expires = now + int(given.get("DurationSeconds") or _TOKEN_SECONDS)
    about: dict[str, Any] = {
        "aws_account": caller.account_id,
        "source_region": call.region,
        "principal_id": caller.principal_arn,
    }
    if tags := given.get("Tags"):
        about["request_tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    claims = {
        "iss": issuer,
        "sub": caller.principal_arn,
        "aud": given["Audience"][0] if len(given["Audience"]) == 1 else given["Audience"],
        "iat": now,
        "exp": expires,
        "jti": str(uuid.uuid4()),
        "https://sts.amazonaws.com/": about,
    }
    return {
        "WebIdentityToken": _signed(claims, algorithm),
        "Expiration": datetime.fromtimestamp(expires, timezone.utc),
    }


_TOKEN_SECONDS = 300


def _by_rsa(signed: bytes) -> bytes:
    return rsa.generate_private_key(65537, 2048).sign(signed, padding.PKCS1v15(), hashes.SHA256())


def _by_curve(signed: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP384R1())
    numbers = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA384())))
    return b"".join(number.to_bytes(48, "big") for number in numbers)


_SIGNED = {"RS256": _by_rsa, "ES384": _by_curve}


def _signed(claims: dict[str, Any], algorithm: str) -> str:
    """Sign a token with a key that is then thrown away: nothing publishes the issuer's keys."""
    header = {"alg": algorithm, "kid": claims["jti"], "typ": "JWT"}
    parts = [_base64(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, _base64(_SIGNED[algorithm](".".join(parts).encode()))])


def _base64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


OPERATIONS: dict[str, Operation] = {
    "AssumeRoleWithSAML": assume_role_with_saml,
    "AssumeRoot": assume_root,
    "GetWebIdentityToken": get_web_identity_token,
}
