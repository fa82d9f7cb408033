"""Compare a caller's permissions with those of the table, by IAM's simulation.

The simulation sees the caller's policies, its permissions boundary, and the organization's service
control policies as far as they have no conditions.

Source: IAM API Reference, SimulatePrincipalPolicy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchestrator.aws.iam import get_role, simulate
from orchestrator.aws.session import Aws
from orchestrator.model.permissions import Permission
from orchestrator.model.policy import Sample
from orchestrator.model.words import listed

# An assumed role's session, which IAM cannot simulate; its ARN lacks the role's path.
_SESSION = re.compile(r"arn:[\w-]+:sts::\d{12}:assumed-role/([^/]+)/.+")
_SHOWN = 10
_ANY_REGION = re.compile(r"arn:[\w-]+:\w+:\*:")


def denied(aws: Aws, caller_arn: str, wanted: Iterable[Permission]) -> dict[tuple[str, str], str]:
    """Return why the caller is denied actions on resources; what is allowed is left out.

    The root user is allowed everything.

    Returns:
        Why, by action and resource.

    Raises:
        ServiceError: the caller's role may not be read, or may not be simulated.
    """
    if caller_arn.endswith(":root"):
        return {}
    if (session := _SESSION.fullmatch(caller_arn)) and (role := get_role(aws, session[1])):
        caller_arn = role.arn
    found: dict[tuple[str, str], str] = {}
    for permission in wanted:
        context = tuple(sorted(permission.context.items()))
        # The simulation takes only resources of one region.
        for resource in (arn for arn in permission.resources if not _ANY_REGION.match(arn)):
            answer = simulate(aws, caller_arn, permission.actions, Sample(resource, context))
            found |= {(action, resource): why for action, why in answer.items()}
    return found


def in_words(missing: Mapping[tuple[str, str], str]) -> str:
    """List what a caller is denied: each action with its resource and why."""
    said = [f"{action} on {on} ({why})" for (action, on), why in sorted(missing.items())]
    return listed(said, _SHOWN)
