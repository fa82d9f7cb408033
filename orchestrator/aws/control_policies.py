"""Read an organization's control policies: each once, with the places that it is attached to.

AWS's own policies, which allow everything, are attached to every place unless somebody detached
them, and a place always has a policy. So their attachments, of which there are as many as accounts,
are asked for only where another policy is attached.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.aws.errors import denied_action, is_denied
from orchestrator.aws.facts import fact
from orchestrator.aws.organizations import enabled_policy_types
from orchestrator.aws.session import Aws
from orchestrator.model.control_policies import (
    DEFAULTS,
    KINDS,
    SERVICE,
    ControlPolicies,
    ControlPolicy,
    Kind,
)
from orchestrator.model.policy import document

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

_PARALLEL = 10  # Organizations throttles at about as many calls in a burst


@fact
def read(aws: Aws) -> ControlPolicies:
    """Read every service and resource control policy, and where it is attached.

    What the caller may not read is left out; ``denied`` then names the permission.

    Sources: ListRoots, ListPolicies, DescribePolicy, ListTargetsForPolicy, ListPoliciesForTarget.
    """
    client, enabled = aws.client("organizations"), enabled_policy_types(aws)
    policies: dict[str, ControlPolicy] = {}
    attached: dict[tuple[Kind, str], tuple[str, ...]] = {}
    denied: set[str] = set()
    for kind in (kind for kind in KINDS if kind in enabled):
        try:
            found, places = _of_kind(client, kind)
        except ClientError as error:
            if not is_denied(error):
                raise
            denied.add(denied_action(error) or f"organizations:{error.operation_name}")
            continue
        policies |= found
        attached |= {(kind, place): ids for place, ids in places.items()}
    return ControlPolicies(enabled, policies, attached, tuple(sorted(denied)))


def _of_kind(
    client: OrganizationsClient, kind: Kind
) -> tuple[dict[str, ControlPolicy], dict[str, tuple[str, ...]]]:
    listed = [
        (policy["Id"], policy["Name"])
        for page in client.get_paginator("list_policies").paginate(Filter=kind)
        for policy in page["Policies"]
        if policy["Id"] != DEFAULTS[kind]
    ]
    ids = [policy_id for policy_id, _ in listed]
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        documents = pool.map(lambda one: _document(client, one), ids)
        targets = pool.map(lambda one: _targets(client, one), ids)
        policies = {
            policy_id: ControlPolicy(policy_id, name, kind, content)
            for (policy_id, name), content in zip(listed, documents, strict=True)
        }
        places: dict[str, list[str]] = {}
        for policy_id, of_policy in zip(ids, targets, strict=True):
            for place in of_policy:
                places.setdefault(place, []).append(policy_id)
        keep = _with_default(pool, client, kind, places) if kind == SERVICE else set(places)
    return policies, {
        place: tuple(sorted(own) + ([DEFAULTS[kind]] if place in keep else []))
        for place, own in places.items()
    }


def _with_default(
    pool: ThreadPoolExecutor, client: OrganizationsClient, kind: Kind, places: Iterable[str]
) -> set[str]:
    """Tell which places have AWS's own policy, too; of RCPs, which cannot lose it, all have."""

    def has(place: str) -> bool:
        pages = client.get_paginator("list_policies_for_target").paginate(
            TargetId=place, Filter=kind
        )
        return any(p["Id"] == DEFAULTS[kind] for page in pages for p in page["Policies"])

    wanted = list(places)
    return {p for p, kept in zip(wanted, pool.map(has, wanted), strict=True) if kept}


def _document(client: OrganizationsClient, policy_id: str) -> dict[str, object]:
    return document(client.describe_policy(PolicyId=policy_id)["Policy"]["Content"])


def _targets(client: OrganizationsClient, policy_id: str) -> list[str]:
    paginator = client.get_paginator("list_targets_for_policy")
    return [
        target["TargetId"]
        for page in paginator.paginate(PolicyId=policy_id)
        for target in page["Targets"]
    ]
