"""A thing that AWS has against the one that the module would make: what differs, what would go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.detection import removals, stackset_template
from orchestrator.detection.existing import Bucket, Loss, Role, StackSet
from orchestrator.model import resource_names
from orchestrator.verify.policy_document import as_list, document, same, statements

# The module's resources whose names AWS gives once, by address. The rest hangs on these.
ROLES = {
    "aws_iam_role.api_access": resource_names.API_ROLE,
    "aws_iam_role.cur[0]": resource_names.CUR_ROLE,
    "aws_iam_role.operations[0]": "AlphausAcctAccessOperationsRole",
    "aws_iam_role.automation[0]": "AlphausOctoAutomationRole",
}
# The inline policies that the module gives them.
POLICIES = {
    resource_names.API_ROLE: ("octo-read", "octo-recommendations"),
    resource_names.CUR_ROLE: ("octo-cur-read",),
    "AlphausAcctAccessOperationsRole": ("octo-operations",),
    "AlphausOctoAutomationRole": ("octo-automation",),
}
BUCKET = "aws_s3_bucket.cur[0]"
REPORT = "aws_cur_report_definition.cur[0]"
STACKSET = "aws_cloudformation_stack_set.api_access[0]"
_DELIVERY = ("billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com")
# The report as AWS describes it, and as the provider names it.
REPORT_FIELDS = {
    "TimeUnit": "time_unit",
    "Format": "format",
    "Compression": "compression",
    "AdditionalSchemaElements": "additional_schema_elements",
    "AdditionalArtifacts": "additional_artifacts",
    "S3Bucket": "s3_bucket",
    "S3Prefix": "s3_prefix",
    "S3Region": "s3_region",
    "RefreshClosedReports": "refresh_closed_reports",
    "ReportVersioning": "report_versioning",
}
_HIDDEN = "****"  # a NoEcho parameter, as CloudFormation answers it


@dataclass(frozen=True)
class WantedStackSet:
    """What is to become of a StackSet.

    Attributes:
        role_id: the logical id of Octo's role in the template that it is to have.
        retain: whether an account that leaves the targets keeps its role.
        external_id: a secret; None where nobody knows it yet.
        policies: the names of the inline policies that the role is to have.
    """

    role_id: str
    retain: bool
    external_id: str | None = field(repr=False)
    policies: frozenset[str]


@dataclass(frozen=True)
class Found:
    """Something that AWS has and the plan would create.

    Attributes:
        what: the thing in words, like ``role AlphausAcctAccessRole``.
        physical_id: by what CloudFormation knows it.
        imports: the import id of each of its resources, by address.
        differences: how it is not what this registration makes, in words.
        losses: what taking it over would take away.
        obstacle: why it cannot be taken over at all, or empty.
        address: of the thing itself.
    """

    what: str
    physical_id: str
    address: str
    imports: Mapping[str, str]
    differences: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    obstacle: str = ""


def compare(
    address: str,
    thing: Any,
    created: set[str],
    planned: Mapping[str, Mapping[str, Any]],
) -> Found:
    """One of the four kinds of thing, against what the plan would make at its address."""
    if isinstance(thing, Role):
        return compare_role(address, thing, created, planned)
    if isinstance(thing, Bucket):
        return compare_bucket(thing, created)
    if isinstance(thing, StackSet):
        return compare_stack_set(thing, _planned_stack_set(planned[STACKSET]))
    return compare_report(thing, planned[REPORT])


def compare_role(
    address: str, role: Role, created: set[str], planned: Mapping[str, Mapping[str, Any]]
) -> Found:
    """A role of the module's name, against what the plan would make of it."""
    wanted = planned[address]
    policies = {
        a: values
        for a, values in planned.items()
        if a.startswith("aws_iam_role_policy.") and values.get("role") == role.name
    }
    kept = {str(v["name"]): document(v["policy"]) for v in policies.values() if "policy" in v}
    differences = []
    if not same(role.trust, wanted.get("assume_role_policy") or "{}"):
        differences.append("its trust is another one")
    if role.description != (wanted.get("description") or ""):
        differences.append("its description is another one")
    ids = {address: role.name}
    ids |= {
        a: f"{role.name}:{values['name']}"
        for a, values in policies.items()
        if a in created and values["name"] in role.inline
    }
    return Found(
        f"role {role.name}",
        role.name,
        address,
        ids,
        tuple(differences),
        (
            *removals.losses(f"role {role.name}", role, kept),
            *lost_trust(f"role {role.name}", role, wanted.get("assume_role_policy")),
        ),
    )


def asked_id(role: Role | None) -> str | None:
    """The one external id that a role's trust asks for; None if there is none."""
    found: set[str] = set()
    for statement in statements(role.trust if role else {}):
        for keys in (statement.get("Condition") or {}).values():
            if not isinstance(keys, dict):
                continue  # an expression of a template
            found |= {
                str(value)
                for key, values in keys.items()
                if str(key).lower() == "sts:externalid"
                for value in as_list(values)
            }
    return found.pop() if len(found) == 1 else None


def lost_trust(resource: str, role: Role, wanted: Any) -> tuple[Loss, ...]:
    """Who may assume the role today and could not any more."""

    def trusted(policy: Any) -> set[str]:
        found: set[str] = set()
        for statement in statements(policy or "{}"):
            named = statement.get("Principal", {})
            kinds = named.values() if isinstance(named, dict) else [named]
            found |= {_account(str(who)) for kind in kinds for who in as_list(kind)}
        return found

    return tuple(
        Loss(resource, f"trust in {who}", "it could not assume the role any more")
        for who in sorted(trusted(role.trust) - trusted(wanted))
    )


def _account(principal: str) -> str:
    """An account's id and the ARN of its root are the same principal."""
    parts = principal.split(":")
    return parts[4] if len(parts) == 6 and parts[5] == "root" else principal


def compare_bucket(bucket: Bucket, created: set[str]) -> Found:
    """A bucket of the name, with those of its settings that are there."""
    ids = {BUCKET: bucket.name}
    ids |= {
        address: bucket.name
        for kind in sorted(bucket.settings)
        if (address := f"{kind}.cur[0]") in created
    }
    differences = () if bucket.empty else ("it holds objects",)
    return Found(f"bucket {bucket.name}", bucket.name, BUCKET, ids, differences, lost_rules(bucket))


def lost_rules(bucket: Bucket) -> tuple[Loss, ...]:
    """What a bucket's owner has set that the module would replace."""
    lost = []
    for statement in statements(bucket.policy or {}):
        named = statement.get("Principal", {})
        service = as_list(named.get("Service", "")) if isinstance(named, dict) else []
        tls = statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        if not set(service) & set(_DELIVERY) and not tls:
            sid = statement.get("Sid") or "without a Sid"
            lost.append((f"policy statement {sid}", "what it allows or denies no longer holds"))
    lost += [
        (f"lifecycle rule {rule}", "objects no longer follow it")
        for rule in bucket.lifecycle_rules
        if rule != "expire-old-versions"
    ]
    if bucket.notifications:
        lost.append(
            (f"{bucket.notifications} notifications", "EventBridge alone is told of events")
        )
    return tuple(Loss(f"bucket {bucket.name}", what, why) for what, why in lost)


def compare_report(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Found:
    """A report of the name, against the one that the plan would make."""
    name = str(found["ReportName"])
    differences = tuple(
        f"its {field} is {found.get(key) or 'not set'}"
        for key, field in REPORT_FIELDS.items()
        if _plain(found.get(key)) != _plain(wanted.get(field))
    )
    return Found(f"report {name}", name, REPORT, {REPORT: name}, differences)


def _plain(value: Any) -> Any:
    return sorted(value or []) if isinstance(value, list) or value is None else value


def octo_alone() -> dict[str, Any]:
    """A trust in Octo's account and nobody else."""
    return {"Statement": [{"Principal": {"AWS": resource_names.PRINCIPAL}}]}


def compare_stack_set(stack_set: StackSet, wanted: WantedStackSet) -> Found:
    """A StackSet of the name: its instances must outlive the change of its template."""
    what = f"StackSet {stack_set.name}"
    losses: tuple[Loss, ...] = ()
    if stack_set.made and (role := stack_set.made.role):
        kept = {name: d for name, d in role.inline.items() if name in wanted.policies}
        losses = (
            *removals.losses(what, role, kept),
            *lost_trust(what, role, octo_alone()),
        )
    return Found(
        what,
        stack_set.stack_set_id,
        STACKSET,
        {STACKSET: stack_set.name},
        (),
        losses,
        _fixed(stack_set, wanted) or (_deployed(stack_set, wanted) if stack_set.known else ""),
    )


def _planned_stack_set(planned: Mapping[str, Any]) -> WantedStackSet:
    parameters = planned.get("parameters") or {}
    makes = stackset_template.read(str(planned.get("template_body") or ""), parameters, "aws")
    automatic: Mapping[str, Any] = next(iter(planned.get("auto_deployment") or []), {})
    return WantedStackSet(
        makes.logical_id if makes else "",
        bool(automatic.get("retain_stacks_on_account_removal")),
        parameters.get("ExternalId"),
        frozenset(makes.role.inline) if makes and makes.role else frozenset(),
    )


def _fixed(stack_set: StackSet, wanted: WantedStackSet) -> str:
    """What about the set itself cannot be changed, as an obstacle; or nothing."""
    if not stack_set.service_managed:
        return "its permissions are self-managed, which cannot be changed"
    if not stack_set.auto_deployment["enabled"]:
        return "its automatic deployment is off, and a change would replace it"
    if stack_set.auto_deployment["retain"] != wanted.retain:
        return (
            "accounts that leave it keep their role or not, otherwise than"
            " stackset_retain_on_account_removal says, and a change would replace it"
        )
    return ""


def _deployed(stack_set: StackSet, wanted: WantedStackSet) -> str:
    """Why the stacks that are there could not be updated in place; or nothing."""
    makes, many = stack_set.made, f"{len(stack_set.known)} accounts have its stack"
    if makes is None or makes.role is None:
        return (
            f"{many}, which makes no role {resource_names.API_ROLE} as far as its template can be"
            " read"
        )
    if makes.logical_id != wanted.role_id:
        return (
            f"{many}, whose role has another logical id ({makes.logical_id}, see"
            " stackset_role_logical_id): CloudFormation could not update it"
        )
    if not makes.role.arn.endswith(f":role/{resource_names.API_ROLE}"):
        return f"{many}, whose role has a path: a change would replace it"
    if makes.others:
        return f"{many}, which would lose what it makes besides the role: {', '.join(makes.others)}"
    if stack_set.regions != (stack_set.region,):
        return (
            f"its stacks are in {', '.join(stack_set.regions)}; octo-tf's would be in"
            f" {stack_set.region}, with a role of the same name"
        )
    asked = asked_id(makes.role)
    if asked not in (None, _HIDDEN, wanted.external_id) and wanted.external_id is not None:
        return f"{many}, whose role asks for another external id: Octo would be locked out"
    return ""
