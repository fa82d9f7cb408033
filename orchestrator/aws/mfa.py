"""Profiles that ask for an MFA code: it is typed once, and its session serves Terraform too.

Like the AWS CLI, the session is kept in ``~/.aws/cli/cache`` (0600) while it is valid: a code that
was typed for one program serves the next as well. Terraform itself cannot ask
(https://registry.terraform.io/providers/hashicorp/aws/latest/docs#assume-role-configuration).
"""

from __future__ import annotations

import getpass
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.utils import JSONFileCache

from orchestrator.errors import AwsError
from orchestrator.files import read_regular, write_atomically
from orchestrator.model.aws_cli import aws_line
from orchestrator.redaction import keep_out

if TYPE_CHECKING:
    import botocore.session

_CACHE = Path("~/.aws/cli/cache")
_SESSION = "OCTO_TF_AWS_SESSION"  # the variable that holds Terraform's session
_ROLE_KEYS = {
    *("role_arn", "source_profile", "credential_source", "mfa_serial"),
    *("external_id", "role_session_name", "duration_seconds", "credential_process"),
}
_LARGEST = 1_000_000  # bytes of an AWS configuration file


def asks_code(core: botocore.session.Session) -> bool:
    """Tell whether the session's profile, or one that it builds on, asks for an MFA code.

    Only the configuration is read: the profile may yet be unused.
    """
    profiles = core.full_config.get("profiles", {})
    name, seen = core.profile or "default", set[str]()
    while name in profiles and name not in seen:
        seen.add(name)
        if {"role_arn", "mfa_serial"} <= profiles[name].keys():
            return True
        name = profiles[name].get("source_profile", "")
    return False


def prepare(core: botocore.session.Session, on_question: Callable[[str], None]) -> None:
    """Make botocore ask for the MFA code once, and only on a terminal.

    Args:
        core: before its credentials are used.
        on_question: called with the question before it is shown.
    """
    name = core.profile or "default"

    def ask(question: str) -> str:
        if not sys.stdin.isatty():
            raise AwsError(
                "the profile needs an MFA code, and there is no terminal to ask for it",
                where=f"AWS profile {name}",
                hint=f"Run `{aws_line('sts', 'get-caller-identity', profile=name)}` on a terminal"
                " first: the session that it leaves in ~/.aws/cli/cache is used while it is valid."
                " A pipeline needs a profile without MFA, such as one of IAM Identity Center or of"
                " a role.",
            )
        on_question(question)
        return getpass.getpass(question)

    provider = core.get_component("credential_provider").get_provider("assume-role")
    provider.cache = JSONFileCache(str(_CACHE.expanduser()))
    provider._prompter = ask


def environment(
    core: botocore.session.Session, folder: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that give Terraform the session of a profile with MFA; else none.

    They name a copy of the AWS configuration in which the profile takes its keys from a variable:
    Terraform then finds them under the profile's name, and all else as before. No key is written.

    Args:
        core: the session, which has its code.

    Raises:
        OSError: the configuration cannot be read, or the copy not be written.
    """
    if not asks_code(core):
        return {}
    credentials: Any = core.get_credentials()
    if credentials is None or credentials.method != "assume-role":
        return {}  # keys of the environment win over a profile that it names
    keys = credentials.get_frozen_credentials()
    keep_out(keys.secret_key, keys.token)
    session = {
        "Version": 1,
        "AccessKeyId": keys.access_key,
        "SecretAccessKey": keys.secret_key,
        "SessionToken": keys.token,
    }
    source = Path(environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    text = read_regular(source, limit=_LARGEST).decode()
    copy = folder / "aws-config"
    write_atomically(copy, with_process(text, core.profile or "default").encode())
    return {_SESSION: json.dumps(session), "AWS_CONFIG_FILE": str(copy)}


def with_process(text: str, profile: str) -> str:
    """Return an AWS configuration in which a profile takes its keys from the variable."""
    lines, is_inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            is_inside = _section(line) == profile
            lines.append(line)
            if is_inside:
                lines.append(f"credential_process = printenv {_SESSION}")
        elif not (is_inside and line.partition("=")[0].strip().lower() in _ROLE_KEYS):
            lines.append(line)
    return "\n".join([*lines, ""])


def _section(line: str) -> str:
    words = shlex.split(line.strip().partition("]")[0].removeprefix("["))
    return words[-1] if words == ["default"] or words[:1] == ["profile"] else ""
