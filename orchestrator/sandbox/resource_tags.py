"""The tags of the resource that a call is about, as condition keys.

Sources: Service Authorization Reference; S3 User Guide, "Using tags for attribute-based access
control": the tags of a bucket count once it is enabled for the bucket.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from moto.kms.models import kms_backends

from orchestrator.sandbox import lookup
from orchestrator.sandbox.encryption import find_key
from orchestrator.sandbox.request_context import (
    Context,
    holder,
    organization_of,
    tags_of_holder,
)
from orchestrator.sandbox.state import SandboxState, bucket_owner, iam, s3
from orchestrator.sandbox.wire import Call


def resource_tags(state: SandboxState, call: Call) -> Context:
    """Get the tags of the resource that a call is about, as condition keys."""
    tags = _TAGS[call.service](state, call) if call.service in _TAGS else {}
    context: Context = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    if call.service == "iam":
        context.update({f"iam:ResourceTag/{key}": value for key, value in tags.items()})
    if call.service in ("s3", "s3control"):
        context.update({f"s3:BucketTag/{key}": value for key, value in tags.items()})
        if call.uri.get("Key"):
            context.update(_of_object(call))
    return context


def _iam_tags(_state: SandboxState, call: Call) -> dict[str, str]:
    given, account_id = call.parameters, call.caller.account_id
    if call.operation.startswith("Create") and "PolicyArn" not in given:
        return {}
    for kind, name in (("role", given.get("RoleName")), ("user", given.get("UserName"))):
        if name:
            return tags_of_holder(account_id, holder(account_id, kind, name))
    policy = iam(account_id).managed_policies.get(given.get("PolicyArn"))
    return {key: str(tag["Value"]) for key, tag in (policy.tags if policy else {}).items()}


def _bucket_tags(state: SandboxState, call: Call) -> dict[str, str]:
    """The tags of a bucket, if they count in policies: only after PutBucketAbac."""
    bucket = call.uri.get("Bucket") or call.parameters.get("ResourceArn", "").rpartition(":::")[2]
    owner = bucket_owner(bucket) if bucket else None
    if owner is None or bucket not in buckets_with_abac(state):
        return {}
    backend = s3(owner)
    tags: dict[str, str] = backend.tagger.get_tag_dict_for_resource(backend.get_bucket(bucket).arn)
    return tags


def buckets_with_abac(state: SandboxState) -> set[str]:
    """Get the buckets whose tags count in policies."""
    return state.of_service("s3-abac", set[str])


def _of_object(call: Call) -> Context:
    owner = bucket_owner(call.uri["Bucket"])
    held = s3(owner).get_object(call.uri["Bucket"], call.uri["Key"]) if owner else None
    if owner is None or held is None:
        return {}
    tags = s3(owner).tagger.get_tag_dict_for_resource(held.arn)
    return {f"s3:ExistingObjectTag/{key}": value for key, value in tags.items()}


def _cloudformation_tags(state: SandboxState, call: Call) -> dict[str, str]:
    given, account_id = call.parameters, call.caller.account_id
    listed: list[dict[str, str]] = []
    if name := given.get("StackSetName"):
        own = state.stack_sets_of(account_id, call.region).get(re.sub(":.*", "", name))
        listed = (own.settings.get("Tags") or []) if own else []
    elif name := given.get("StackName"):
        found = [
            s for s in state.stacks.get((account_id, call.region), []) if name in (s.id, s.name)
        ]
        listed = found[-1].tags if found else []
    return {tag["Key"]: tag["Value"] for tag in listed}


def _cur_tags(state: SandboxState, call: Call) -> dict[str, str]:
    report = state.reports.get(call.caller.account_id, {}).get(
        call.parameters.get("ReportName", "")
    )
    return dict(report.tags) if report else {}


def _kms_tags(_state: SandboxState, call: Call) -> dict[str, str]:
    key_id = call.parameters.get("KeyId")
    key = find_key(key_id, call.caller.account_id, call.region) if key_id else None
    if key is None:
        return {}
    backend = kms_backends[key.account_id][key.region]
    tags: dict[str, str] = backend.tagger.get_tag_dict_for_resource(key.id)
    return tags


def _organization_tags(_state: SandboxState, call: Call) -> dict[str, str]:
    given = call.parameters
    own = organization_of(call.caller.account_id)
    names = ("AccountId", "OrganizationalUnitId", "ParentId", "PolicyId", "ResourceId", "TargetId")
    wanted = next((given[name] for name in names if name in given), None)
    if own is None or wanted is None:
        return {}
    found = next((one for one in (*own.ou, *own.policies) if one.id == wanted), None)
    found = found or lookup.member(own, wanted)
    return dict(found.tags) if found is not None else {}


_TAGS: dict[str, Callable[[SandboxState, Call], dict[str, str]]] = {
    "cloudformation": _cloudformation_tags,
    "cur": _cur_tags,
    "iam": _iam_tags,
    "kms": _kms_tags,
    "organizations": _organization_tags,
    "s3": _bucket_tags,
    "s3control": _bucket_tags,
}
