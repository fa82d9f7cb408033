"""Service-linked roles: made for an account by a service, or by CreateServiceLinkedRole.

Source: IAM User Guide, "Using service-linked roles", and the page of each service. The table's rows
are of roles that were recorded on AWS, but for 14 whose names were not looked up.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from orchestrator.sandbox.identity_policy import load_aws_managed
from orchestrator.sandbox.state import PARTITION, iam, role

PATH = "/aws-service-role/"
# Each line: a service without ".amazonaws.com", its role without "AWSServiceRoleFor", its policy.
_TABLE = Path(__file__).with_name("service_linked_roles.tsv")
_ROWS = [line.split("\t") for line in _TABLE.read_text().splitlines()]
NAMES = {f"{service}.amazonaws.com": f"AWSServiceRoleFor{name}" for service, name, _ in _ROWS}
_POLICIES = {f"{service}.amazonaws.com": policy for service, _, policy in _ROWS}
# The services that make theirs when an account enrols, by their signing names.
BY_ENROLMENT = {
    "compute-optimizer": "compute-optimizer.amazonaws.com",
    "cost-optimization-hub": "cost-optimization-hub.bcm.amazonaws.com",
}


def name_of(principal: str) -> str:
    """Get the name of a service's role; that of a service not in the table is made of its own."""
    service = principal.removesuffix(".amazonaws.com")
    parts = re.split(r"[.-]", service)
    return NAMES.get(principal) or "AWSServiceRoleFor" + "".join(p.capitalize() for p in parts)


def ensure(account_id: str, principal: str, suffix: str = "", description: str = "") -> Any:
    """Make a service's role in an account; what is there stays."""
    name = name_of(principal) + (f"_{suffix}" if suffix else "")
    held = role(account_id, name)
    if held is not None:
        return held
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": "sts:AssumeRole",
    }
    made = iam(account_id).create_role(
        name,
        json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        f"{PATH}{principal}/",
        permissions_boundary=None,
        description=description or None,
        tags=[],
        max_session_duration="3600",
        linked_service=principal,
    )
    arn = f"arn:{PARTITION}:iam::aws:policy{PATH}{_POLICIES.get(principal)}"
    load_aws_managed(account_id, arn)
    if arn in iam(account_id).managed_policies:  # moto does not have all of them
        iam(account_id).attach_role_policy(arn, name)
    return made
