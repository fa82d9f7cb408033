"""What IAM says a principal may do (SimulatePrincipalPolicy), in calls of a size it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.aws.session import Aws

_BATCH = 50  # actions in a call


def not_allowed(aws: Aws, arn: str, actions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The evaluation of each action that ``arn`` is not allowed on all resources.

    Raises:
        botocore.exceptions.ClientError: there is no such principal, or it may not be simulated.
    """
    paginator = aws.client("iam").get_paginator("simulate_principal_policy")
    for start in range(0, len(actions), _BATCH):
        pages = paginator.paginate(PolicySourceArn=arn, ActionNames=actions[start : start + _BATCH])
        for page in pages:
            for result in page["EvaluationResults"]:
                if result["EvalDecision"] != "allowed":
                    yield result
