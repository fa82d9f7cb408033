"""octo-tf policy: print the IAM policies that a run needs, and no more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context_loading import with_setting_flags
from orchestrator.cli.help import Command
from orchestrator.cli.option import option, together
from orchestrator.cli.shared_options import CONFIG, ENABLE_ACCESS, REGISTRATION
from orchestrator.errors import ConfigError

if TYPE_CHECKING:
    from orchestrator.model.permissions import Scope

_STEPS = ("plan", "verify", "apply", "upgrade", "destroy", "adopt", "backend")
_FORMATS = ("json", "terraform", "cloudformation")


class _Matching(click.types.StringParamType):
    """Accept only text that matches a form in full: other text could widen or break a policy."""

    def __init__(self, name: str, form: str) -> None:
        self.name, self._form = name, re.compile(form, re.ASCII)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the value as it is."""
        if not self._form.fullmatch(value):
            self.fail(f"{value!r} is no {self.name}", param, ctx)
        return value


_PREFIX = _Matching("beginning of a role's name", r"[\w+=,.@-]{1,58}")
_ROLE = _Matching("role's name", r"[\w+=,.@-]{1,64}")
_STACK = _Matching("stack's name", r"[A-Za-z][A-Za-z0-9-]{0,127}")
_KEY = _Matching("ARN of a KMS key", r"arn:[\w-]+:kms:[a-z0-9-]+:\d{12}:key/[\w-]+|")


def _subjects(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for role, separator, subject in (value.partition("=") for value in values):
        if role not in ("plan", "apply") or not separator:
            raise click.BadParameter("must be plan=SUBJECT or apply=SUBJECT")
        found[role] = (*found.get(role, ()), subject)
    return found


@click.command(cls=Command)
@together(
    CONFIG,
    REGISTRATION,
    ENABLE_ACCESS,
    option(
        "--for",
        "steps",
        type=click.Choice(_STEPS),
        multiple=True,
        default=("plan", "verify", "apply"),
        show_default="plan, verify, apply",
        help="A command that the policies are for. Repeat for several.",
    ),
    option(
        "--format",
        "form",
        type=click.Choice(_FORMATS),
        default="json",
        show_default=True,
        help="What is printed.",
    ),
    option(
        "--oidc",
        metavar="ISSUER",
        help="Who may assume the roles: github:ORG/REPO, gitlab:GROUP/PROJECT or an issuer's URL.",
    ),
    option(
        "--oidc-branch",
        metavar="NAME",
        default="main",
        show_default=True,
        help="The branch whose jobs may assume the role for apply.",
    ),
    option(
        "--oidc-environment",
        metavar="NAME",
        default="",
        help="GitHub's environment whose jobs may assume that role, in place of the branch.",
    ),
    option(
        "--oidc-audience",
        metavar="AUDIENCE",
        default="",
        show_default="sts.amazonaws.com",
        help="The audience of the tokens.",
    ),
    option(
        "--oidc-subject",
        "subjects",
        metavar="ROLE=SUBJECT",
        multiple=True,
        callback=_subjects,
        help="A subject of tokens for the role plan or apply. Repeat for several.",
    ),
    option(
        "--name",
        metavar="NAME",
        type=_PREFIX,
        default="octo-tf",
        show_default=True,
        help="The prefix of the names of roles and policies.",
    ),
    option(
        "--delete-bucket",
        "deletes_bucket",
        is_flag=True,
        help="For destroy: also allow it to delete the report's empty bucket.",
    ),
    option(
        "--delete-data",
        "deletes_data",
        is_flag=True,
        help="For destroy: also allow it to delete the bucket with its reports.",
    ),
    option(
        "--with-enrolments",
        "ends_enrolments",
        is_flag=True,
        help="For destroy: also allow it to end the enrolments that octo-tf made.",
    ),
    option(
        "--bucket-key",
        metavar="ARN",
        type=_KEY,
        default="",
        help="The KMS key that encrypts an existing bucket.",
    ),
    option(
        "--release-stack",
        "released_stacks",
        metavar="NAME",
        type=_STACK,
        multiple=True,
        help="For adopt: a stack to release. Repeat for several.",
    ),
    option(
        "--remove-role",
        "removed_roles",
        metavar="NAME",
        type=_ROLE,
        multiple=True,
        help="For adopt: a leftover role to delete. Repeat for several.",
    ),
)
@with_setting_flags
def command(
    config: Path,
    flags: dict[str, Any],
    steps: tuple[Any, ...],
    form: str,
    name: str,
    enable_access: bool,
    oidc: str | None,
    oidc_branch: str,
    oidc_environment: str,
    oidc_audience: str,
    subjects: dict[str, tuple[str, ...]],
    **options: Any,
) -> None:
    """Print the IAM policies that a run needs, and no more.

    They are for the options of octo.yaml, with resources by their ARNs. NAME-plan is for the
    commands that read (plan, verify), NAME-apply for those that change something. With --oidc the
    roles are printed too. Nothing is read from AWS.
    """
    from orchestrator.config.load import load
    from orchestrator.model.aws_cli import aws_line
    from orchestrator.model.partition import cur_region, partition_of_region
    from orchestrator.model.permissions import Scope, pipeline_roles, trust
    from orchestrator.report.policies import RENDERERS

    if oidc is None and (subjects or oidc_environment or oidc_audience):
        raise click.UsageError("--oidc-subject, --oidc-environment, --oidc-audience need --oidc")
    registration = load(
        config, flags, os.environ, octo_has_external_id=True, reads_external_id=False
    )
    if registration.account_type is None and not registration.use_stackset:
        raise ConfigError(
            "account_type is not set, and the permissions depend on it",
            where=str(config),
            hint="Add --account-type payer, linked or standalone.",
        )
    named = registration.cur_report_name and registration.cur_s3_bucket_name
    if registration.cur_report_option == "USE_EXISTING" and not named:
        shows = aws_line(
            *("cur", "describe-report-definitions"),
            profile=registration.credentials.cli_profile,
            region=cur_region(partition_of_region(registration.region)),
        )
        raise ConfigError(
            "the existing report and its bucket are not named, and the policies name them",
            where=str(config),
            hint=f"Add --cur-report-name NAME --cur-s3-bucket-name BUCKET; `{shows}` shows both.",
        )
    scope = Scope(
        registration,
        registration.account_type or "payer",
        enables_access=enable_access,
        **options,
    )
    trusted = (
        trust(
            oidc,
            branch=oidc_branch,
            environment=oidc_environment,
            audience=oidc_audience,
            subjects=subjects,
        )
        if oidc is not None
        else None
    )
    roles = pipeline_roles(scope, steps, name=name, trust=trusted)
    click.echo(RENDERERS[form](registration.account_id, roles))
    for note in _notes(scope, steps, trusts=trusted is not None):
        click.echo(note, err=True)


def _notes(scope: Scope, steps: tuple[str, ...], *, trusts: bool) -> Iterator[str]:
    """Say what the user has to know besides the policies."""
    if scope.unbounded_roles and not {"apply", "upgrade", "adopt"}.isdisjoint(steps):
        yield (
            "These policies let the caller grant Octo's roles any permission. Set"
            " permissions_boundary in octo.yaml to limit that: they then require the boundary."
        )
    if scope.registration.backend.type == "s3" and scope.backend is None:
        yield (
            "The state is reached by backend.profile, another caller: octo-tf policy --for backend"
            " --aws-profile with the same name prints what that caller needs."
        )
    if trusts:
        yield "The identity provider of the issuer must exist in the account."
