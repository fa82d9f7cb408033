"""Trust policies for pipelines: jobs of one repository, by tokens of an OpenID Connect issuer.

Sources: GitHub Docs, "Configuring OpenID Connect in Amazon Web Services"; GitLab Docs, "Configure
OpenID Connect in AWS to retrieve temporary credentials"; IAM User Guide, "Create a role for OpenID
Connect federation": without a condition on the subject any repository could assume the role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import ConfigError

AUDIENCE = "sts.amazonaws.com"
_GITHUB = "token.actions.githubusercontent.com"
_GITLAB = "gitlab.com"
_FORM = re.compile(r"(github|gitlab):([\w.-]+(?:/[\w.-]+)+)")
_ISSUER = re.compile(r"https://([\w.-]+(?::\d+)?(?:/[\w./-]*)?)")
_SUBJECT = re.compile(r"[^\s*?]+")


@dataclass(frozen=True)
class Trust:
    """Which jobs may assume the roles.

    Attributes:
        issuer: the issuer's URL without ``https://``.
        audience: the ``aud`` of its tokens.
        subjects: the ``sub`` of tokens by role, ``plan`` and ``apply``; each may end in ``*``.
    """

    issuer: str
    audience: str
    subjects: Mapping[str, tuple[str, ...]]

    def document(self, role: str, *, account: str, partition: str) -> dict[str, Any]:
        """Return the trust policy of a role: ``plan`` or ``apply``."""
        subjects = self.subjects[role]
        exact = [subject for subject in subjects if not subject.endswith("*")]
        operator = "StringEquals" if exact == [*subjects] else "StringLike"
        audience = {f"{self.issuer}:aud": self.audience}
        subject = {f"{self.issuer}:sub": subjects[0] if len(subjects) == 1 else [*subjects]}
        condition = {"StringEquals": audience, operator: subject}
        if operator == "StringEquals":
            condition = {operator: {**audience, **subject}}
        provider = f"arn:{partition}:iam::{account}:oidc-provider/{self.issuer}"
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Pipeline",
                    "Effect": "Allow",
                    "Principal": {"Federated": provider},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": condition,
                }
            ],
        }


def trust(
    issuer: str,
    *,
    branch: str = "main",
    environment: str = "",
    audience: str = "",
    subjects: Mapping[str, tuple[str, ...]] | None = None,
) -> Trust:
    """Return the trust in a repository's jobs, or in subjects of another issuer.

    Args:
        issuer: ``github:ORG/REPO``, ``gitlab:GROUP/PROJECT``, or an issuer's ``https://`` URL.
        branch: the branch whose jobs apply.
        environment: GitHub's environment of the jobs that apply, in place of the branch.
        audience: the tokens' audience, where it is another one than usual.
        subjects: the tokens' subjects by role; needed for an issuer's URL.

    Raises:
        ConfigError: the issuer is none of these, or its subjects are missing or too wide.
    """
    given = dict(subjects or {})
    _check("--oidc-branch", branch)
    _check("--oidc-environment", *([environment] if environment else []))
    _check("--oidc-subject", *(subject for values in given.values() for subject in values))
    if match := _FORM.fullmatch(issuer):
        kind, repository = match.groups()
        if kind == "github":
            known, found = _GITHUB, _of_github(repository, branch, environment)
        else:
            known, found = _GITLAB, _of_gitlab(repository, branch)
        return Trust(known, audience or AUDIENCE, {**found, **given})
    if (url := _ISSUER.fullmatch(issuer)) is None:
        raise ConfigError(
            f"{issuer} is neither github:ORG/REPO, gitlab:GROUP/PROJECT nor an https:// URL",
            where="--oidc",
            hint="Example: --oidc github:example/payer",
        )
    if missing := [role for role in ("plan", "apply") if not given.get(role)]:
        raise ConfigError(
            f"which tokens of {issuer} may assume the role {missing[0]} is not said",
            where="--oidc-subject",
            hint=f"Add --oidc-subject {missing[0]}=SUBJECT, with the sub of your jobs' tokens.",
        )
    return Trust(url[1].rstrip("/"), audience or AUDIENCE, given)


def _check(option: str, *values: str) -> None:
    for value in values:
        if not _SUBJECT.fullmatch(value):
            raise ConfigError(
                f"{value!r} may stand for more than one: it has a wildcard or a space",
                where=option,
                hint="Name exactly one, as the tokens of your jobs have it.",
            )


def _of_github(repository: str, branch: str, environment: str) -> dict[str, tuple[str, ...]]:
    own = f"repo:{repository}"
    on_branch = f"{own}:ref:refs/heads/{branch}"
    applies = f"{own}:environment:{environment}" if environment else on_branch
    return {"plan": (f"{own}:pull_request", on_branch), "apply": (applies,)}


def _of_gitlab(project: str, branch: str) -> dict[str, tuple[str, ...]]:
    """GitLab's merge requests run on their source branch: a plan may come from any branch."""
    own = f"project_path:{project}:ref_type:branch:ref"
    return {"plan": (f"{own}:*",), "apply": (f"{own}:{branch}",)}
