"""Extend moto's IAM entities: AWS's form of unique ids, how often a policy is a boundary.

Source: IAM User Guide, "IAM identifiers", "Understanding unique ID prefixes".
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from moto.iam.models import Group, InstanceProfile, ManagedPolicy, User

from orchestrator.sandbox.state import iam

_PREFIXES = {User: "AIDA", Group: "AGPA", InstanceProfile: "AIPA", ManagedPolicy: "ANPA"}
_RANDOM = 17  # letters and digits after the prefix


def install() -> None:
    """Change moto's classes in this process; idempotent."""
    if hasattr(ManagedPolicy, "permissions_boundary_usage_count"):
        return
    for entity, prefix in _PREFIXES.items():
        entity.__init__ = _with_id(entity.__init__, prefix)
    ManagedPolicy.permissions_boundary_usage_count = property(_bounded)


def _with_id(init: Any, prefix: str) -> Any:
    @wraps(init)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        # Of moto's own id: its random numbers, which others have their ids of, stay in sequence.
        self.id = prefix + self.id.upper()[-_RANDOM:]

    return made


def _bounded(policy: Any) -> int:
    own = iam(policy.account_id)
    holders = [*own.roles.values(), *own.users.values()]
    return sum(getattr(h, "permissions_boundary_arn", None) == policy.arn for h in holders)
