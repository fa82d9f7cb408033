"""Service-linked roles: made for an account by a service, or by CreateServiceLinkedRole.

Source: IAM User Guide, "Using service-linked roles", and the page of each service.
"""

from __future__ import annotations

import json
from typing import Any

from orchestrator.sandbox.state import iam, role

NAMES = {
    "compute-optimizer.amazonaws.com": "AWSServiceRoleForComputeOptimizer",
    "cost-optimization-hub.bcm.amazonaws.com": "AWSServiceRoleForCostOptimizationHub",
    "trustedadvisor.amazonaws.com": "AWSServiceRoleForTrustedAdvisor",
}
# The services that make theirs when an account enrols, by their signing names.
BY_ENROLMENT = {
    "compute-optimizer": "compute-optimizer.amazonaws.com",
    "cost-optimization-hub": "cost-optimization-hub.bcm.amazonaws.com",
}


def ensure(account_id: str, principal: str) -> Any:
    """Make a service's role in an account; what is there stays."""
    name = NAMES[principal]
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": "sts:AssumeRole",
    }
    return role(account_id, name) or iam(account_id).create_role(
        name,
        json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        f"/aws-service-role/{principal}/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
        linked_service=principal,
    )
