"""Secrets that this process has seen, and texts without them.

Errors, crash files and JSON pass through ``redact`` before they leave the process: whatever a
library puts into its message, a secret is not in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

REDACTED = "(redacted)"
_SHORTEST = 6  # characters; shorter texts are words that would be cut out everywhere
_secrets: set[str] = set()
_SECRET_NAME = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|EXTERNAL_ID|ACCESS_KEY|API_KEY", re.IGNORECASE
)
# A name says that its value is a place, not a secret.
_PLACE_NAME = re.compile(r"_(FILE|PATH|URL|URI|ENV|DIR)$", re.IGNORECASE)
_PATTERNS = (
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),  # access key ids
    re.compile(r"(?<=Bearer )[\w.~+/=-]{6,}"),
    re.compile(r"(?<=[?&]X-Amz-Security-Token=)[^&\s]+"),
    re.compile(r"(?<=[?&]X-Amz-Signature=)[^&\s]+"),
    re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)"),  # user and password of a proxy's URL
)


def keep_out(*secrets: str) -> None:
    """Keep texts out of everything that ``redact`` returns from now on."""
    _secrets.update(secret for secret in secrets if len(secret) >= _SHORTEST)


def stop_keeping_out(*secrets: str) -> None:
    """Forget secrets that nothing holds any more, such as the keys of a session that is over."""
    _secrets.difference_update(secrets)


def redact(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return a text without the secrets that were kept out, and those of the environment.

    Args:
        text: for a person or a file.
        environ: variables whose names say that they hold a secret are cut out too.
    """
    known = {
        *_secrets,
        *(
            value
            for name, value in environ.items()
            if len(value) >= _SHORTEST
            and _SECRET_NAME.search(name)
            and not _PLACE_NAME.search(name)
        ),
    }
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    for pattern in _PATTERNS:
        text = pattern.sub(REDACTED, text)
    return text
