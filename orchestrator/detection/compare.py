"""Compare an existing resource with the planned one: differences and removals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.detection import stackset_template
from orchestrator.detection.permissions import removals
from orchestrator.model.differences import (
    Part,
    accepts_external_id,
    report_differences,
    role_differences,
)
from orchestrator.model.module_contract import octo_names
from orchestrator.model.module_contract.addresses import (
    BUCKET,
    CUR_EXPORT,
    REPORT,
    REPORT_FIELDS,
    STACKSET,
    in_its_module,
    managed_policy,
)
from orchestrator.model.module_contract.octo_names import MANAGED_ADDITIONAL
from orchestrator.model.observed import Bucket, ManagedPolicy, Removal, Role
from orchestrator.model.policy import as_list, document, equivalent, statements
from orchestrator.model.stackset import StackSet
from orchestrator.model.words import counted

_DELIVERY = ("billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com")
# A report is what the CUR API describes.
Existing = Role | ManagedPolicy | Bucket | StackSet | Mapping[str, Any]


@dataclass(frozen=True)
class PlannedStackSet:
    """What the plan would make of a StackSet.

    Attributes:
        role_id: the logical id of Octo's role in the planned template.
        retain: whether an account that leaves the targets keeps its role.
        external_id: a secret; None if it is not known yet.
        policies: the names of the role's planned inline policies.
        role_path: the role's path, if the planned template states one.
        others: the other planned resources, as ``logical id (type)``.
    """

    role_id: str
    retain: bool
    external_id: str | None = field(repr=False)
    policies: frozenset[str]
    role_path: str | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Comparison:
    """An existing resource beside the one that the plan would create.

    Attributes:
        resource: its kind and name, like ``role AlphausAcctAccessRole``.
        address: its Terraform address in the module.
        imports: import ids by address, for the resource and for its parts (policies, settings).
        differences: how it differs from the planned one, in words.
        removals: what importing and applying would remove from it.
        obstacle: why it cannot be imported at all, or empty.
    """

    resource: str
    physical_id: str
    address: str
    imports: Mapping[str, str]
    differences: tuple[str, ...] = ()
    removals: tuple[Removal, ...] = ()
    obstacle: str = ""


def compare(
    address: str,
    existing: Existing,
    created: set[str],
    planned: Mapping[str, Mapping[str, Any]],
) -> Comparison:
    """Compare a role, policy, bucket, StackSet or report with what the plan would create.

    Args:
        address: in the module.
        existing: what AWS has; a report as the CUR API describes it.
        created: the addresses that the plan would create.
        planned: the planned values by address.
    """
    if isinstance(existing, Role):
        return compare_role(address, existing, created, planned)
    if isinstance(existing, ManagedPolicy):
        return compare_policy(address, existing, planned[address])
    if isinstance(existing, Bucket):
        return compare_bucket(existing, created)
    if isinstance(existing, StackSet):
        return compare_stack_set(existing, _planned_stack_set(planned[STACKSET]))
    return compare_report(existing, planned[REPORT])


def compare_role(
    address: str, role: Role, created: set[str], planned: Mapping[str, Mapping[str, Any]]
) -> Comparison:
    """Compare a role with the planned one of its name."""
    wanted = planned[address]
    policies = {
        a: values
        for a, values in planned.items()
        if in_its_module(a).startswith("aws_iam_role_policy.") and values.get("role") == role.name
    }
    by_name = {arn.rpartition("/")[2]: arn for arn in role.managed}
    attached = {
        a: by_name[name]
        for a, values in planned.items()
        if in_its_module(a).startswith("aws_iam_role_policy_attachment.")
        if values.get("role") == role.name
        if (name := managed_policy(a)) in by_name
    }
    desired = replace(
        role,
        description=wanted.get("description") or "",
        trust=document(wanted.get("assume_role_policy") or "{}"),
        inline={str(v["name"]): document(v["policy"]) for v in policies.values() if "policy" in v},
        managed={arn: role.managed[arn] for arn in attached.values()},
    )
    found = role_differences(desired, role)
    parts = {difference.part for difference in found}
    trusted = ", ".join(d.name for d in found if d.part is Part.PRINCIPAL)
    whom = {Part.TRUST: f" (it trusts {trusted})" if trusted else ""}
    ids = {address: role.name}
    ids |= {
        a: f"{role.name}:{values['name']}"
        for a, values in policies.items()
        if a in created and values["name"] in role.inline
    }
    ids |= {a: f"{role.name}/{arn}" for a, arn in attached.items() if a in created}
    return Comparison(
        f"role {role.name}",
        role.name,
        address,
        ids,
        tuple(
            f"its {part.value} differs{whom.get(part, '')}"
            for part in (Part.TRUST, Part.DESCRIPTION)
            if part in parts
        ),
        removals(f"role {role.name}", desired, role),
        path_obstacle(role),
    )


def compare_policy(address: str, policy: ManagedPolicy, wanted: Mapping[str, Any]) -> Comparison:
    """Compare a managed policy with the planned one of its name."""
    is_same = equivalent(document(wanted.get("policy") or "{}"), policy.document)
    return Comparison(
        f"policy {policy.arn.rpartition('/')[2]}",
        policy.arn,
        address,
        {address: policy.arn},
        () if is_same else ("its document differs",),
    )


def path_obstacle(role: Role) -> str:
    """Return why a role under a path cannot be imported, or empty."""
    if role.path == "/":
        return ""
    return f"its path is {role.path}, which IAM cannot change, and Octo assumes it without a path"


def compare_bucket(bucket: Bucket, created: set[str]) -> Comparison:
    """Compare a bucket with the planned one, and list the settings to import with it."""
    ids = {BUCKET: bucket.name}
    ids |= {
        address: bucket.name
        for kind in sorted(bucket.settings)
        if (address := f"{CUR_EXPORT}{kind}.cur[0]") in created
    }
    differences = () if bucket.empty else ("it holds objects",)
    return Comparison(
        f"bucket {bucket.name}", bucket.name, BUCKET, ids, differences, removed_settings(bucket)
    )


def removed_settings(bucket: Bucket) -> tuple[Removal, ...]:
    """List what an import removes: policy statements, lifecycle rules, notifications, KMS key."""
    removed = []
    for statement in statements(bucket.policy or {}):
        named = statement.get("Principal", {})
        service = as_list(named.get("Service", "")) if isinstance(named, dict) else []
        tls = statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        if not set(service) & set(_DELIVERY) and not tls:
            sid = statement.get("Sid") or "without a Sid"
            removed.append((f"policy statement {sid}", "what it allows or denies no longer holds"))
    removed += [
        (f"lifecycle rule {rule}", "objects no longer follow it")
        for rule in bucket.lifecycle_rules
        if rule != "expire-old-versions"
    ]
    if bucket.notifications:
        removed.append(
            (
                counted(bucket.notifications, "notification"),
                "only EventBridge is notified of events",
            )
        )
    if bucket.encryption.algorithm != "AES256":
        key = f" with {bucket.encryption.key}" if bucket.encryption.key else ""
        what = f"encryption {bucket.encryption.algorithm}{key}"
        removed.append((what, "new objects are encrypted with S3's own keys (AES256)"))
    return tuple(Removal(f"bucket {bucket.name}", what, why) for what, why in removed)


def compare_report(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> Comparison:
    """Compare a report definition with the planned one of its name."""
    name = str(existing["ReportName"])
    desired = {field: wanted.get(attribute) for field, attribute in REPORT_FIELDS.items()}
    differences = tuple(
        f"its {REPORT_FIELDS[field]} is {observed or 'not set'}"
        for field, (observed, _) in report_differences(desired, existing).items()
    )
    return Comparison(f"report {name}", name, REPORT, {REPORT: name}, differences)


def as_octos(role: Role, policies: Collection[str]) -> Role:
    """Return the role after an import: it trusts Octo alone and keeps only the named policies.

    Those of additional actions are numbered: their name stands for all of them.
    """

    def is_kept(name: str) -> bool:
        return name in policies or (octo_names.is_managed(name) and MANAGED_ADDITIONAL in policies)

    trust = {"Statement": [{"Principal": {"AWS": octo_names.PRINCIPAL}}]}
    inline = {name: text for name, text in role.inline.items() if is_kept(name)}
    managed = {arn: p for arn, p in role.managed.items() if is_kept(arn.rpartition("/")[2])}
    return replace(role, trust=trust, inline=inline, managed=managed)


def compare_stack_set(stack_set: StackSet, wanted: PlannedStackSet) -> Comparison:
    """Compare a StackSet with the planned one, whose template must update its stacks in place."""
    resource = f"StackSet {stack_set.name}"
    content = stack_set.deployed_content
    removed: tuple[Removal, ...] = ()
    if content and (role := content.role):
        removed = removals(resource, as_octos(role, wanted.policies), role)
    return Comparison(
        resource,
        stack_set.stack_set_id,
        STACKSET,
        {STACKSET: stack_set.name},
        (),
        removed,
        _immutable(stack_set, wanted)
        or (_not_updatable(stack_set, wanted) if stack_set.instances else ""),
    )


def _planned_stack_set(planned: Mapping[str, Any]) -> PlannedStackSet:
    parameters = planned.get("parameters") or {}
    content = stackset_template.read(str(planned.get("template_body") or ""), parameters, "aws")
    automatic: Mapping[str, Any] = next(iter(planned.get("auto_deployment") or []), {})
    return PlannedStackSet(
        content.logical_id if content else "",
        bool(automatic.get("retain_stacks_on_account_removal")),
        parameters.get("ExternalId"),
        frozenset(content.role.inline) if content and content.role else frozenset(),
        content.role_path if content else None,
        frozenset(content.others) if content else frozenset(),
    )


def _immutable(stack_set: StackSet, wanted: PlannedStackSet) -> str:
    """Return which setting of the StackSet differs and cannot be changed in place, or empty."""
    if not stack_set.service_managed:
        return "its permissions are self-managed, which cannot be changed"
    if not stack_set.auto_deployment:
        return "its automatic deployment is off, and a change would replace it"
    if stack_set.retain_on_removal != wanted.retain:
        return (
            f"accounts that leave it {'keep' if stack_set.retain_on_removal else 'lose'} their"
            " role, against stackset_retain_on_account_removal, and a change would replace it"
        )
    return ""


def _not_updatable(stack_set: StackSet, wanted: PlannedStackSet) -> str:
    """Return why the existing stacks could not be updated in place, or empty."""
    content = stack_set.deployed_content
    have = counted(len(stack_set.instances), "account has its stack", "accounts have its stack")
    if content is None or content.role is None:
        return (
            f"{have}, which creates no role {octo_names.API_ROLE} as far as its template can be"
            " read"
        )
    if content.logical_id != wanted.role_id:
        return (
            f"{have}, whose role has another logical id ({content.logical_id}, see"
            " stackset_role_logical_id): CloudFormation could not update it"
        )
    if content.role.path != "/":
        return (
            f"{have}, whose role has a path: a change would replace the role, and Octo assumes it"
            " without a path"
        )
    if content.role_path != wanted.role_path:
        return (
            f"{have}, whose template {'states' if content.role_path else 'does not state'} the"
            " role's path (see stackset_role_path): CloudFormation would replace it"
        )
    if lost := [other for other in content.others if other not in wanted.others]:
        return f"{have}, and these resources of it would be deleted: {', '.join(lost)}"
    if stack_set.regions != (stack_set.region,):
        return (
            f"its stacks are in {', '.join(stack_set.regions)}; octo-tf's would be in"
            f" {stack_set.region}, with a role of the same name"
        )
    # CloudFormation answers **** for a NoEcho parameter, which as a pattern admits every id.
    if wanted.external_id and not accepts_external_id(content.role, wanted.external_id):
        return f"{have}, whose role requires another external id: Octo would lose access"
    return ""
