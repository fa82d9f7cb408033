"""Extend moto's IAM entities: unique ids in AWS's form, and what managed policies are used for.

Source: IAM User Guide, "IAM identifiers", "Understanding unique ID prefixes"; IAM API Reference,
Policy, ListPolicyVersions, GetAccountAuthorizationDetails.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from moto.core.serialize import never_return, return_if_not_empty
from moto.iam.models import Group, IAMBackend, InstanceProfile, ManagedPolicy, User
from moto.iam.responses import IamResponse

from orchestrator.sandbox.state import iam

_PREFIXES = {User: "AIDA", Group: "AGPA", InstanceProfile: "AIPA", ManagedPolicy: "ANPA"}
_DETAILS = "GetAccountAuthorizationDetailsResponse"
_SHOWN = {
    f"{_DETAILS}.Policies.ManagedPolicyDetail.Description": return_if_not_empty,
    "GetGroupResponse.Users.User.Tags": never_return,
    "ListVirtualMFADevicesResponse.VirtualMFADevices.VirtualMFADevice.Tags": never_return,
    "UpdateRoleDescriptionResponse.Role.Tags": return_if_not_empty,
}
_RANDOM = 17  # letters and digits after the prefix


def install() -> None:
    """Change moto's classes in this process; idempotent."""
    if hasattr(ManagedPolicy, "permissions_boundary_usage_count"):
        return
    for entity, prefix in _PREFIXES.items():
        entity.__init__ = _with_id(entity.__init__, prefix)
    ManagedPolicy.permissions_boundary_usage_count = property(_bounded)
    # What GetAccountAuthorizationDetails calls them.
    ManagedPolicy.policy_name = property(lambda policy: policy.name)
    ManagedPolicy.policy_id = property(lambda policy: policy.id)
    IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER |= _SHOWN
    IAMBackend.create_policy_version = _newest_first(IAMBackend.create_policy_version)
    IAMBackend.get_account_authorization_details = _used_policies(
        IAMBackend.get_account_authorization_details
    )


def _with_id(init: Any, prefix: str) -> Any:
    @wraps(init)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        # Of moto's own id: its random numbers, which others have their ids of, stay in sequence.
        self.id = prefix + self.id.upper()[-_RANDOM:]

    return made


def _newest_first(create: Any) -> Any:
    """A policy was updated when its newest version was created, which lists begin with."""

    @wraps(create)
    def created(self: Any, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
        made = create(self, policy_arn, *args, **kwargs)
        policy = self.managed_policies[policy_arn]
        policy.versions.sort(key=lambda version: -int(version.version_id[1:]))
        policy.update_date = made.create_date
        return made

    return created


def _used_policies(details: Any) -> Any:
    """AWS's own policies are listed where they are used; moto counts them as the customer's."""

    @wraps(details)
    def listed(self: Any, policy_filter: list[str]) -> Any:
        own = [p for p in self.managed_policies.values() if ":aws:policy/" not in p.arn]
        of_aws = [p for p in self.managed_policies.values() if p not in own]
        used = [p for p in of_aws if p.attachment_count or p.permissions_boundary_usage_count]
        policies = {"LocalManagedPolicy": own, "AWSManagedPolicy": used}
        wanted = policy_filter or policies
        found: dict[str, Any] = details(self, policy_filter)
        return {
            **found,
            "managed_policies": [p for kind in policies if kind in wanted for p in policies[kind]],
        }

    return listed


def _bounded(policy: Any) -> int:
    own = iam(policy.account_id)
    holders = [*own.roles.values(), *own.users.values()]
    return sum(getattr(h, "permissions_boundary_arn", None) == policy.arn for h in holders)
