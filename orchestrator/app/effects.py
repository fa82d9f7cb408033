"""Derive from a plan what it means: for roles, linked accounts, deliveries and attributes."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.app.context import AccountContext
from orchestrator.app.planned_roles import PlannedRoles, after_of, before_of
from orchestrator.app.steps import Prepared
from orchestrator.model.coverage import State
from orchestrator.model.effects import AttributeChange, Delivery, Effects, LinkedChange, Origin
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.octo_names import PRINCIPAL
from orchestrator.model.policy import classification, document
from orchestrator.model.policy.abilities import Comparison
from orchestrator.model.policy.trust import compare_by_principal
from orchestrator.redaction import redact
from orchestrator.terraform import plan_file
from orchestrator.terraform.plan import Plan, ResourceValues
from orchestrator.terraform.state import BUCKET, REPORT, STACKSET, TARGET

_HIDDEN = "(sensitive)"
_LATER = "(known after apply)"
_SHOWN = 200  # characters of an attribute's value
# Policies are shown as what they allow.
_POLICIES = {"policy", "assume_role_policy", "template_body", "inline_policy"}


def of(context: AccountContext, prepared: Prepared, plan: Plan) -> Effects:
    """Derive what a plan means; a plan that Terraform refused to save has no values to read."""
    reader = PlannedRoles(context, plan)
    roles = (*reader.roles(before_of), *reader.linked_roles(before_of))
    accepted, needed = set(context.registration.accept or ()), reader.consents()
    return Effects(
        roles=tuple(change for change in roles if change),
        buckets=tuple(_buckets(plan)),
        repairs=tuple(reader.repairs()),
        deliveries=(_delivery(plan, before_of), _delivery(plan, after_of)),
        linked=_linked(prepared.linked, plan),
        attributes={r.address: tuple(_attributes(r)) for r in plan.resources if r.action != "noop"},
        origin=_origin(context, prepared, plan),
        accepted=tuple(line for line in needed if line in accepted),
        unaccepted=tuple(line for line in needed if line not in accepted),
    )


def _buckets(plan: Plan) -> Iterator[tuple[str, str, Comparison]]:
    """Compare what the policies of buckets allow: bucket, principal and change."""
    made = [r.after for r in plan.resources if r.type == BUCKET and r.after]
    planned = str(made[0].get("bucket") or "") if len(made) == 1 else ""
    for resource in plan.resources:
        if resource.type == "aws_s3_bucket_policy":
            sides = [
                document((values or {}).get("policy") or "{}")
                for values in (resource.before, resource.after)
            ]
            # Before its bucket exists, a policy's own name of it is not known.
            bucket = str((resource.after or resource.before or {}).get("bucket") or planned)
            name = bucket or resource.address
            for who, change in compare_by_principal(*sides).items():
                yield name, who, change


def _delivery(
    plan: Plan, side: Callable[[ResourceValues], Mapping[str, Any] | None]
) -> Delivery | None:
    for values in (side(r) for r in plan.resources if r.type == REPORT):
        if values:
            names = ("report_name", "s3_bucket", "s3_region", "s3_prefix", "time_unit")
            return Delivery(*(str(values.get(name) or "") for name in names))
    return None


def _linked(linked: LinkedAccounts | None, plan: Plan) -> LinkedChange:
    """List the linked accounts that Terraform deploys to, removes, or changes."""
    if (
        linked is None
    ):  # without a StackSet nobody looks at the organization; Terraform's state has it
        gone = (r.before for r in plan.resources if r.type == TARGET and r.action == "delete")
        summaries = [one for r in gone if r for one in r.get("stack_instance_summaries") or ()]
        return LinkedChange(lose=tuple(sorted({str(one["account_id"]) for one in summaries})))
    organization = linked.organization
    active = {m.account_id for m in organization.members if m.active}
    present = set(linked.deployed.instances) & active if linked.deployed else set()

    def under(action: str) -> set[str]:
        """Return the accounts under the targets of an action."""
        targets = {
            target
            for r in plan.resources
            if r.type == TARGET and r.action in (action, "replace")
            for place in (r.after or r.before or {}).get("deployment_targets") or ()
            for target in place.get("organizational_unit_ids") or ()
        }
        return {
            m.account_id
            for m in organization.members
            if m.account_id in active
            and m.account_id != organization.management_account_id
            and organization.is_under(m.ou, targets)
        }

    excluded = {s.account_id for s in linked.coverage.of(State.EXCLUDED)}
    changed = any(
        r.type == STACKSET
        and r.action == "update"
        and r.before
        and r.after
        and r.before.get("template_body") != r.after.get("template_body")
        for r in plan.resources
    )
    lose = under("delete") & present
    return LinkedChange(
        tuple(sorted(under("create") - present - excluded)),
        tuple(sorted(lose)),
        tuple(sorted(present - lose)) if changed else (),
    )


def _attributes(resource: ResourceValues) -> Iterator[AttributeChange]:
    """List the attributes that change, as texts without secrets."""
    before, after = resource.before or {}, resource.after or {}
    for name in sorted(before.keys() | after.keys() | resource.unknown):
        if before.get(name) == after.get(name) and name not in resource.unknown:
            continue
        if not resource.before and after.get(name) in (None, "", [], {}):
            continue
        if resource.type.startswith("aws_iam") and name in ("id", "arn", "unique_id"):
            continue
        then = _LATER if name in resource.unknown else _shown(resource, name, after.get(name))
        yield AttributeChange(name, _shown(resource, name, before.get(name)), then)


def _shown(resource: ResourceValues, name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in resource.sensitive:
        return _HIDDEN
    if name in _POLICIES:
        return "(see what it allows)"
    if name == "parameters":  # the external id is among them, and not marked
        value = {key: _HIDDEN if "id" in key.lower() else text for key, text in value.items()}
    text = redact(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _origin(context: AccountContext, prepared: Prepared, plan: Plan) -> Origin:
    registration, root = context.registration, prepared.root
    delivery = next((r.after for r in plan.resources if r.type == REPORT and r.after), {})
    source = classification.source()
    digest = hashlib.sha256()
    for name, content in sorted(root.files.items()):
        if name not in root.secret:
            digest.update(name.encode() + b"\0" + content + b"\0")
    terraform = prepared.terraform
    locked = plan_file.locked(terraform.lock_file)
    return Origin(
        PRINCIPAL,
        registration.region,
        str(delivery.get("s3_bucket") or ""),
        str(delivery.get("s3_region") or ""),
        {
            "octo-tf": __version__,
            "terraform": terraform.binary.version_text,
            **{name.rpartition("/")[2]: version for name, (version, _) in locked.items()},
        },
        _commit(context.settings.workdir),
        digest.hexdigest(),
        f"{source['package']} {source['version']} of {source['date']}",
    )


def _commit(folder: Path) -> str:
    """Return the commit of a folder's repository, with ``+`` if files differ from it."""
    git = shutil.which("git")
    if git is None:
        return ""

    def ask(*arguments: str) -> str:
        try:
            done = subprocess.run(
                [git, "-C", str(folder), *arguments],
                capture_output=True,
                text=True,
                timeout=5,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.strip()

    commit = ask("rev-parse", "HEAD")
    if not commit:
        return ""
    return f"{commit}+" if ask("status", "--porcelain", "--untracked-files=no") else commit
