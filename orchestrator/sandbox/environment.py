"""Write the files and variables that point a shell at a sandbox."""

from __future__ import annotations

import configparser
import io
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from orchestrator.sandbox.octo.server import PREFIX, TOKEN_PATH
from orchestrator.sandbox.octo.state import OctoState
from orchestrator.sandbox.state import AccessKey

_REGION = "us-east-1"


def write_aws_files(
    folder: Path, endpoint_url: str, profiles: Mapping[str, tuple[str, AccessKey]]
) -> dict[str, str]:
    """Write AWS configuration and credentials files (0600); return the variables to set."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    credentials, config = configparser.ConfigParser(), configparser.ConfigParser()
    for name, (_, key) in profiles.items():
        credentials[name] = {"aws_access_key_id": key.key_id, "aws_secret_access_key": key.secret}
        config[f"profile {name}"] = {"region": _REGION}
    for name, content in (("credentials", credentials), ("config", config)):
        text = io.StringIO()
        content.write(text)
        _write_private(folder / name, text.getvalue())
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        # For octo-tf, which gives it to Terraform alone: services/s3control.py.
        "OCTO_SANDBOX_PROXY": endpoint_url,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_PROFILE": "payer",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "OCTO_TF_PRINCIPAL_PROFILE": "octo",
        **{
            "OCTO_SANDBOX_" + name.upper().replace("-", "_"): account_id
            for name, (account_id, _) in profiles.items()
        },
    }


def octo_variables(endpoint_url: str, state: OctoState) -> dict[str, str]:
    """Get the variables of a client of the sandbox's Octo."""
    return {
        "ALPHAUS_CLIENT_ID": state.client.client_id,
        "ALPHAUS_CLIENT_SECRET": state.client.secret,
        "ALPHAUS_AUTH_URL": f"{endpoint_url}{TOKEN_PATH}",
        "OCTO_TF_OCTO_ENDPOINT": f"{endpoint_url}{PREFIX}",
    }


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write a file to ``source`` (0600), which also unsets credentials of the shell."""
    lines = ["unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    _write_private(path, "\n".join(lines) + "\n")


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
