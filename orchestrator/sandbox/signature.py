"""Verify the signature of a request.

Source: IAM User Guide, "Create a signed AWS API request" (AWS Signature Version 4).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from datetime import datetime, timezone
from urllib.parse import quote, unquote

from moto.core.request import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=[^/,\s]+/(?P<scope>[^,\s]+),\s*"
    r"SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_UNRESERVED = "-_.~"
_PARAMETERS = ("Credential", "Signature", "SignedHeaders")


def lacking(request: Request) -> str:
    """Say what a request's signature lacks, as AWS does; "" if nothing."""
    header = request.headers.get("Authorization", "")
    found = [
        f"Authorization header requires '{name}' parameter."
        for name in _PARAMETERS
        if f"{name}=" not in header
    ]
    if not {"X-Amz-Date", "Date"} & {name.title() for name in dict(request.headers)}:
        found.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if not found:
        return ""
    digest = b64encode(hashlib.sha256(header.encode()).digest()).decode()
    return f"{' '.join(found)} (Hashed with SHA-256 and encoded with Base64) Authorization={digest}"


def signed_at(request: Request) -> datetime | None:
    """Get the time of a request's signature; None if its header is none of AWS's form."""
    try:
        given = datetime.strptime(request.headers.get("X-Amz-Date", ""), TIME)
    except ValueError:
        return None
    return given.replace(tzinfo=timezone.utc)


TIME = "%Y%m%dT%H%M%SZ"  # of X-Amz-Date, and in AWS's errors about it


def is_valid(request: Request, secret: str) -> bool:
    """Whether a request was signed with a secret."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        return False
    scope = found["scope"]
    canonical = _canonical(request, found["headers"], scope)
    text = "\n".join(
        (
            "AWS4-HMAC-SHA256",
            request.headers.get("X-Amz-Date", ""),
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(key.hex(), found["signature"])


def _canonical(request: Request, signed: str, scope: str) -> str:
    target = request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    if "://" in target:  # as a proxy is asked
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    if "/s3/" not in scope:  # other services encode the path a second time
        path = quote(path, safe=f"/{_UNRESERVED}")
    pairs = sorted(
        tuple(quote(unquote(part), safe=_UNRESERVED) for part in pair.partition("=")[::2])
        for pair in query.split("&")
        if pair
    )
    names = signed.split(";")
    headers = "".join(f"{name}:{_header(request, name)}\n" for name in names)
    payload = request.headers.get("X-Amz-Content-Sha256")
    return "\n".join(
        (
            request.method,
            path or "/",
            "&".join(f"{name}={value}" for name, value in pairs),
            headers,
            signed,
            payload or hashlib.sha256(request.get_data()).hexdigest(),
        )
    )


def _header(request: Request, name: str) -> str:
    return " ".join(",".join(request.headers.getlist(name)).split())
