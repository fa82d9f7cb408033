"""Octo's credentials, by the names that the vendor's own command line gives them.

A client id and secret come from, in this order: a requested profile, the environment
(``ALPHAUS_CLIENT_ID``, ``ALPHAUS_CLIENT_SECRET``), the system's keyring, the profile ``default`` of
``~/.config/alphaus/config.toml``. Source of the names and of the file's form: the vendor's public
``bluectl`` (one TOML table for each profile, with ``client-id``, ``client-secret``, ``auth-url``).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import ConfigError
from orchestrator.files import read_regular
from orchestrator.redaction import keep_out

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AUTH_URL = "https://login.alphaus.cloud/ripple/access_token"
ENDPOINT = "https://api.alphaus.cloud/m/blue/cover"
KEYRING_SERVICE = "octo-tf"
_ID, _SECRET, _URL = "ALPHAUS_CLIENT_ID", "ALPHAUS_CLIENT_SECRET", "ALPHAUS_AUTH_URL"
_DEFAULT = "default"
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Credentials:
    """An API client of Octo.

    Attributes:
        source: where they were found, for messages.
    """

    client_id: str
    client_secret: str = field(repr=False)
    auth_url: str
    source: str

    def __post_init__(self) -> None:
        """Keep the secret out of errors."""
        keep_out(self.client_secret)


def find(
    environ: Mapping[str, str], *, profile: str | None = None, home: Path | None = None
) -> Credentials | None:
    """Find the credentials; None if there are none.

    Args:
        profile: a requested profile of the vendor's configuration file.
        home: the user's home folder; None: the system's.

    Raises:
        ConfigError: only one of id and secret is set, or the file is invalid, or has no such
            profile.
    """
    # Without a home, "~" stays: a folder that does not exist.
    folder = home or Path(os.path.expanduser("~"))  # noqa: PTH111
    file = folder / ".config" / "alphaus" / "config.toml"
    if profile is not None:
        return _of_profile(file, profile, environ, wanted=True)
    return _of_environment(environ) or _of_profile(file, _DEFAULT, environ, wanted=False)


def _of_environment(environ: Mapping[str, str]) -> Credentials | None:
    client_id, secret = environ.get(_ID), environ.get(_SECRET)
    url = environ.get(_URL) or AUTH_URL
    if client_id and secret:
        return Credentials(client_id, secret, url, "environment")
    if client_id and (stored := _of_keyring(client_id)):
        return Credentials(client_id, stored, url, "keyring")
    if client_id or secret:
        present, missing = (_ID, _SECRET) if client_id else (_SECRET, _ID)
        raise ConfigError(
            f"is set, but {missing} is not",
            where=present,
            hint="Set both, or neither; --no-octo works without Octo's API.",
        )
    return None


def _of_profile(
    file: Path, name: str, environ: Mapping[str, str], *, wanted: bool
) -> Credentials | None:
    section = _profile(file, name, wanted=wanted)
    if section is None:
        return None
    client_id = section.get("client-id", "")
    stored = _of_keyring(client_id) if client_id else None
    secret = stored or section.get("client-secret", "")
    if not client_id or not secret:
        missing = "client-secret" if client_id else "client-id"
        raise ConfigError(
            f"the profile {name} has no {missing}",
            where=str(file),
            hint=f"Add it, or store the secret: keyring set {KEYRING_SERVICE} CLIENT_ID.",
        )
    url = section.get("auth-url") or environ.get(_URL) or AUTH_URL
    source = "keyring" if stored else f"profile {name} of {file}"
    return Credentials(client_id, secret, url, source)


def _profile(file: Path, name: str, *, wanted: bool) -> dict[str, str] | None:
    try:
        document = tomllib.loads(read_regular(file, limit=_MAX_BYTES).decode())
    except FileNotFoundError:
        document = {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"cannot be read: {reason}",
            where=str(file),
            hint="Correct it, or set ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET.",
        ) from None
    except tomllib.TOMLDecodeError:
        # The parser's message may quote the line, which may hold the secret.
        raise ConfigError(
            "is not valid TOML",
            where=str(file),
            hint="Correct it: each profile is a table with client-id and client-secret.",
        ) from None
    section = document.get(name)
    if section is None and not wanted:
        return None
    if not isinstance(section, dict) or not all(isinstance(v, str) for v in section.values()):
        known = ", ".join(sorted(document)) or "none"
        raise ConfigError(
            f"has no profile {name}; it has: {known}",
            where=str(file),
            hint="Name another one with --octo-profile.",
        )
    return section


def _of_keyring(client_id: str) -> str | None:
    """Read the client's secret from the system's keyring, if the extra ``keyring`` is installed."""
    try:
        keyring = importlib.import_module("keyring")
    except ModuleNotFoundError:
        return None
    try:
        secret: str | None = keyring.get_password(KEYRING_SERVICE, client_id)
    except Exception:  # noqa: BLE001  (locked, or none here: backends raise errors of their own)
        return None
    return secret
