"""IAM: the public keys and certificates that are uploaded.

Source: IAM API Reference, UploadSSHPublicKey, UploadServerCertificate; real error texts.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from orchestrator.sandbox.iam_pagination import page
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_SHORTEST = 2048  # bits
_MOST_KEYS = 5
_OPENSSH = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH


def upload_ssh_key(_state: SandboxState, call: Call) -> Any:
    """UploadSSHPublicKey: of RSA, in the form of OpenSSH or PEM."""
    given = call.parameters
    user = iam(call.caller.account_id).users.get(given["UserName"])
    if user is None:
        return TO_MOTO
    body = given["SSHPublicKeyBody"]
    public = _ssh_key(body)
    if any(_ssh_key(held.ssh_public_key_body) == public for held in user.ssh_public_keys):
        text = f"The SSH public key is already associated with user {user.name}."
        raise ServiceError("DuplicateSSHPublicKey", text)
    if len(user.ssh_public_keys) >= _MOST_KEYS:
        text = f"Cannot exceed quota for SSHPublicKeysPerUser: {_MOST_KEYS}"
        raise ServiceError("LimitExceeded", text, 409)
    made = user.upload_ssh_public_key(body)
    blob = base64.b64decode(public.public_bytes(*_OPENSSH).split()[1])
    made.fingerprint = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    made.fingerprint = ":".join(made.fingerprint[at : at + 2] for at in range(0, 32, 2))
    shown = {
        "UserName": user.name,
        "SSHPublicKeyId": made.ssh_public_key_id,
        "Fingerprint": made.fingerprint,
        "SSHPublicKeyBody": body,
        "Status": made.status,
        "UploadDate": made.upload_date,
    }
    return {"SSHPublicKey": shown}


def _ssh_key(body: str) -> RSAPublicKey:
    is_pem = body.lstrip().startswith("-----BEGIN")
    load = serialization.load_pem_public_key if is_pem else serialization.load_ssh_public_key
    try:
        key = load(body.encode())
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < _SHORTEST:
        text = "The public key is malformed or otherwise invalid."
        raise ServiceError("InvalidPublicKey", text)
    return key


def upload_server_certificate(_state: SandboxState, call: Call) -> Any:
    """UploadServerCertificate: both in PEM, and the key is the certificate's."""
    given = call.parameters
    _check_free(call, given["ServerCertificateName"])
    try:
        certificate = x509.load_pem_x509_certificate(given["CertificateBody"].encode())
    except ValueError:
        text = "Unable to parse certificate. Please ensure the certificate is in PEM format."
        raise ServiceError("MalformedCertificate", text) from None
    try:
        key = serialization.load_pem_private_key(given["PrivateKey"].encode(), password=None)
    except (ValueError, TypeError):
        text = "Unable to parse key. Please ensure the private key is in PEM format."
        raise ServiceError("MalformedCertificate", text) from None
    if key.public_key() != certificate.public_key():
        text = "Public key certificate and private key doesn't match."
        raise ServiceError("KeyPairMismatch", text)
    held = iam(call.caller.account_id).upload_server_certificate(
        given["ServerCertificateName"],
        given["CertificateBody"],
        given["PrivateKey"],
        given.get("CertificateChain"),
        given.get("Path"),
    )
    held.upload_date = datetime.now(timezone.utc)
    held.tags = given.get("Tags", [])
    return {"ServerCertificateMetadata": _metadata(call, held), "Tags": held.tags or None}


def get_server_certificate(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetServerCertificate."""
    held = _server_certificate(call)
    shown = {
        "ServerCertificateMetadata": _metadata(call, held),
        "CertificateBody": held.cert_body,
        "CertificateChain": held.cert_chain,
        "Tags": held.tags or None,
    }
    return {"ServerCertificate": shown}


def list_server_certificates(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListServerCertificates, whose path begins with a prefix."""
    prefix = call.parameters.get("PathPrefix", "/")
    held = iam(call.caller.account_id).certificates.values()
    found = [_metadata(call, each) for each in held if each.path.startswith(prefix)]
    return page("ServerCertificateMetadataList", found, call)


def update_server_certificate(_state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateServerCertificate: another name, or another path."""
    held, given = _server_certificate(call), call.parameters
    name = given.get("NewServerCertificateName", held.cert_name)
    if name != held.cert_name:
        _check_free(call, name)
    held.cert_name, held.path = name, given.get("NewPath", held.path)
    return {}


def _check_free(call: Call, name: str) -> None:
    if any(held.cert_name == name for held in iam(call.caller.account_id).certificates.values()):
        text = f"The Server Certificate with name {name} already exists."
        raise ServiceError("EntityAlreadyExists", text, 409)


def _server_certificate(call: Call) -> Any:
    name = call.parameters["ServerCertificateName"]
    for held in iam(call.caller.account_id).certificates.values():
        if held.cert_name == name:
            return held
    text = f"The Server Certificate with name {name} cannot be found."
    raise ServiceError("NoSuchEntity", text, 404)


def _metadata(call: Call, certificate: Any) -> dict[str, Any]:
    held = iam(call.caller.account_id).certificates
    parsed = x509.load_pem_x509_certificate(certificate.cert_body.encode())
    unique = next(key for key, each in held.items() if each is certificate)
    return {
        "Path": certificate.path,
        "ServerCertificateName": certificate.cert_name,
        "ServerCertificateId": f"ASCA{unique[:17].upper()}",
        "Arn": certificate.arn,
        "UploadDate": certificate.upload_date,
        "Expiration": parsed.not_valid_after_utc,
    }


OPERATIONS: dict[str, Operation] = {
    "GetServerCertificate": get_server_certificate,
    "ListServerCertificates": list_server_certificates,
    "UpdateServerCertificate": update_server_certificate,
    "UploadServerCertificate": upload_server_certificate,
    "UploadSSHPublicKey": upload_ssh_key,
}
