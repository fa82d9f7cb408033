"""Try harmless reads with an identity's own credentials, to see what it may really do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import xform_name

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.session import Aws

_PARAMETERS: dict[str, dict[str, Any]] = {"ec2": {"DryRun": True}, "support": {"language": "en"}}
# The APIs that one region has for all.
_REGIONS = {"cost-optimization-hub": "us-east-1", "support": "us-east-1"}


def may_read(aws: Aws, action: str) -> bool:
    """Tell whether a read is allowed, by calling it; EC2 is asked by ``DryRun``.

    An answer that refuses for another reason, such as a support plan without the service, allows.

    Args:
        aws: the identity.
        action: one of the table of features, like ``ec2:DescribeInstances``.
    """
    service, _, operation = action.partition(":")
    connect: Callable[..., Any] = aws.client
    client = connect(service, _REGIONS.get(service))
    try:
        getattr(client, xform_name(operation))(**_PARAMETERS.get(service, {}))
    except ServiceError as error:
        return not is_denied(error)
    return True
