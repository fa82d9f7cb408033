"""What was found → the octo.yaml that replaces nothing, what it takes over, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.adoption import reach
from orchestrator.adoption.hcl import SECRET_KEYS, Theirs
from orchestrator.adoption.inventory import Inventory
from orchestrator.detection import permissions
from orchestrator.detection.compare import (
    POLICIES,
    REPORT_FIELDS,
    ROLES,
    removed_settings,
    removed_trust,
    required_external_id,
    trust_in_octo_alone,
)
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.observed import Bucket, Removal, Role
from orchestrator.model.resource_names import API_ROLE, CUR_BUCKET, CUR_ROLE
from orchestrator.stacks.inputs import Inputs

_CUR_SETTINGS = {key: f"cur_{name}" for key, name in REPORT_FIELDS.items()} | {
    "ReportName": "cur_report_name",
    "S3Bucket": "cur_s3_bucket_name",
    "S3Prefix": "cur_s3_prefix",
    "S3Region": "cur_s3_bucket_region",
}


@dataclass(frozen=True)
class Leftover:
    """A role of Octo's that is not carried over, with what it can do; it stays unless removed."""

    role: str
    can: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What adoption would do, before Terraform has planned it.

    Attributes:
        settings: for octo.yaml, by field name.
        external_id: as the account's role asks for it, or as somebody said; a secret. None where
            nobody did.
        adopted: what is taken over, in words.
        removals: what that takes away from it; it needs consent.
        leftovers: roles that stay as they are.
        warnings: sentences that the user should read.
        releases: what a CloudFormation stack owns, with the stack.
    """

    settings: Mapping[str, Any]
    external_id: str | None = field(repr=False)
    adopted: tuple[str, ...]
    removals: tuple[Removal, ...]
    leftovers: tuple[Leftover, ...]
    warnings: tuple[str, ...]
    releases: Mapping[str, str]


def propose(found: Inventory, theirs: Theirs | None, *, external_id: str | None = None) -> Proposal:
    """Decides what to take over; AWS's truth wins over what files say.

    Args:
        found: what the account has.
        theirs: the published module's inputs, where there is a folder.
        external_id: as the user gave it, where the role's trust does not say.

    Raises:
        ConfigError: an input that decides cannot be resolved, or contradicts AWS.
        Refused: nothing is there to take over.
    """
    warnings: list[str] = []
    api = found.roles.get(API_ROLE)
    if api is None and not (CUR_ROLE in found.roles or theirs):
        raise Refused(
            f"there is nothing to take over: the account has no role {API_ROLE}",
            where=found.account.account_id,
            hint="Register the account with octo-tf init and octo-tf apply.",
        )
    settings: dict[str, Any] = {"account_type": found.account.account_type}
    settings |= {**_tiers(found), **_boundary(found, warnings), **_sessions(found)}
    known_id = _external_id(api, theirs, external_id, warnings)
    adopted = [f"role {n}" for n in ROLES.values() if n in found.roles]
    removals: list[Removal] = []
    if found.account.account_type != "linked":
        adopted += _cur(found, theirs, settings, warnings, removals)
    if found.account.account_type == "payer":
        adopted += _stack_set(found, theirs, settings, warnings, removals, known_id)
    for name, policies in POLICIES.items():
        if role := found.roles.get(name):
            kept = {n: d for n, d in role.inline.items() if n in policies}
            removals += permissions.removed_policies(f"role {name}", role, kept)
    for name in (API_ROLE, CUR_ROLE):
        if role := found.roles.get(name):
            removals += removed_trust(f"role {name}", role, trust_in_octo_alone())
    settings |= _tags(found, adopted, warnings)
    if theirs and (given := [n for n in SECRET_KEYS if n in theirs.inputs]):
        warnings.append(
            f"{' and '.join(given)} ({theirs.inputs[given[0]].where}) are not carried over:"
            " octo-tf uses the AWS credential chain. Delete the key pair."
        )
    return Proposal(
        settings,
        known_id,
        tuple(adopted),
        tuple(removals),
        tuple(
            Leftover(name, permissions.role_risks(role))
            for name, role in sorted(found.roles.items())
            if name not in ROLES.values()
        ),
        tuple(warnings),
        {what: stack for what, stack in found.owners.items() if what in adopted},
    )


def _external_id(
    api: Role | None, theirs: Theirs | None, given: str | None, warnings: list[str]
) -> str | None:
    """The id that Octo presents today: every access that worked must go on working."""
    asked = required_external_id(api)
    stated = _input(theirs, "external_id") if given is None and asked is None else None
    known = given or asked or stated
    if asked is not None and given not in (None, asked):
        raise ConfigError(
            f"the external id is not the one that the role {API_ROLE} asks for today",
            where="--external-id",
            hint="Leave it out: the role's own is taken. Octo would be locked out by another.",
        )
    in_file = theirs.inputs.get("external_id") if theirs else None
    if asked is not None and in_file and in_file.known and in_file.value != asked:
        warnings.append(
            f"{in_file.where}: external_id is not the one that the role asks for; the role's is"
            " taken, since Octo uses it today."
        )
    if api is not None and asked is None:
        warnings.append(
            f"The role {API_ROLE} asks for no external id today; from now on it does. Make sure"
            " that Octo has the same one."
        )
    return known


def _tags(found: Inventory, adopted: list[str], warnings: list[str]) -> dict[str, Any]:
    """The tags that everything has which is taken over; octo.yaml knows one set for all."""
    tagged = [r.tags for n, r in found.roles.items() if f"role {n}" in adopted]
    tagged += [b.tags for n, b in found.buckets.items() if f"bucket {n}" in adopted]
    everywhere = set.intersection(*(set(tags.items()) for tags in tagged)) if tagged else set()
    if lost := sorted({key for tags in tagged for key, _ in set(tags.items()) - everywhere}):
        warnings.append(
            f"Tags that only some of it has are removed: {', '.join(lost)}. Add them to tags in"
            " octo.yaml, or with --tag, where they matter."
        )
    return {"tags": dict(sorted(everywhere))} if everywhere else {}


def _tiers(found: Inventory) -> dict[str, Any]:
    """The tiers whose policies are there already: of a registration whose state was lost."""
    api = found.roles.get(API_ROLE)
    tiers = ["read"]
    if api and "octo-recommendations" in api.inline:
        tiers.append("recommendations")
    if ROLES["aws_iam_role.operations[0]"] in found.roles:
        tiers.append("operations")
    return {"permission_tiers": tiers} if len(tiers) > 1 else {}


def _sessions(found: Inventory) -> dict[str, Any]:
    """The longest session that is possible today: a shorter one could stop Octo."""
    usual = Inputs.max_session_duration
    longest = max((r.max_session_duration for r in _reading(found)), default=usual)
    return {"max_session_duration": longest} if longest != usual else {}


def _reading(found: Inventory) -> list[Role]:
    """The roles by which Octo reads, in this account and in those of its StackSets."""
    roles = [r for n in (API_ROLE, CUR_ROLE) if (r := found.roles.get(n))]
    linked = [s.deployed_content.role for s in found.stack_sets.values() if s.deployed_content]
    return [*roles, *(role for role in linked if role)]


def _boundary(found: Inventory, warnings: list[str]) -> dict[str, Any]:
    account_id = found.account.account_id
    boundaries = {
        r.boundary and r.boundary.replace("${AWS::AccountId}", account_id) for r in _reading(found)
    }
    if len(boundaries) == 1 and (boundary := boundaries.pop()):
        return {"permissions_boundary": boundary}
    if len(boundaries) > 1:
        warnings.append(
            "The roles have different permissions boundaries; octo.yaml knows one for all:"
            " set permissions_boundary before you apply, or they are removed."
        )
    return {}


def _cur(
    found: Inventory,
    theirs: Theirs | None,
    settings: dict[str, Any],
    warnings: list[str],
    removals: list[Removal],
) -> list[str]:
    """The report that is there, its bucket, and how the CUR role is trusted."""
    adopted: list[str] = []
    if (role := found.roles.get(CUR_ROLE)) and required_external_id(role) is None:
        settings["cur_role_trust"] = "principal_only"
        warnings.append(
            f"The role {CUR_ROLE} trusts Octo without an external id. It is kept so, because Octo"
            " may not send one; once Octo does, set cur_role_trust: external_id and apply."
        )
    wanted = _input(theirs, "cur_report_name")
    report = _fitting(found, wanted)
    if report is None:
        for name in ("cur_report_name", "cur_s3_bucket_name", "cur_s3_bucket_region"):
            if (value := _input(theirs, name)) is not None:
                settings[name] = value
        warnings.append("No report fits: a new one is made.")
        if bucket := found.buckets.get(settings.get("cur_s3_bucket_name", "")):
            adopted.append(f"bucket {bucket.name}")
            removals += removed_settings(bucket)
        return adopted
    for key, setting in _CUR_SETTINGS.items():
        if key in report:
            value = report[key]
            settings[setting] = sorted(value) if isinstance(value, list) else value
    adopted.append(f"report {report['ReportName']}")
    bucket = found.buckets.get(report["S3Bucket"])
    if bucket is not None and _is_octos(bucket, theirs):
        settings["cur_s3_bucket_option"] = "CREATE_NEW"
        adopted.append(f"bucket {bucket.name}")
        removals += removed_settings(bucket)
    else:
        settings["cur_s3_bucket_option"] = "USE_EXISTING"
        warnings.append(
            f"The bucket {report['S3Bucket']} is not Octo's own by its name: the report in it is"
            " taken over, the bucket and its policy are left to their owner (USE_EXISTING)."
        )
    return adopted


def _is_octos(bucket: Bucket, theirs: Theirs | None) -> bool:
    return bucket.name.startswith(CUR_BUCKET) or bucket.name == _input(theirs, "cur_s3_bucket_name")


def _fitting(found: Inventory, wanted: str | None) -> Mapping[str, Any] | None:
    """The report of the wanted name, or else the best that fits.

    Fits: to a bucket of the account, per hour or day, with resource ids.
    """
    if wanted is not None and wanted in found.reports:
        return found.reports[wanted]
    fitting = [
        report
        for report in found.reports.values()
        if report["S3Bucket"] in found.buckets
        and report.get("TimeUnit") in ("HOURLY", "DAILY")
        and "RESOURCES" in report.get("AdditionalSchemaElements", [])
    ]
    # The default name first, then the finer time unit.
    return min(
        fitting,
        key=lambda r: (r["ReportName"] != "curreport", r["TimeUnit"] != "HOURLY", r["ReportName"]),
        default=None,
    )


def _stack_set(
    found: Inventory,
    theirs: Theirs | None,
    settings: dict[str, Any],
    warnings: list[str],
    removals: list[Removal],
    external_id: str | None,
) -> list[str]:
    wanted = _input(theirs, "stackset_name")
    name = wanted if wanted in found.stack_sets else next(iter(sorted(found.stack_sets)), None)
    if name is None:
        if _input(theirs, "use_stackset") is True:
            settings["use_stackset"] = True
        return []
    proposed = reach.propose(
        found.stack_sets[name],
        found.organization,
        external_id=external_id,
        tiers=settings.get("permission_tiers", ["read"]),
    )
    settings |= proposed.settings
    warnings += proposed.warnings
    removals += proposed.removals
    return [f"StackSet {name}"] if proposed.settings else []


def _input(theirs: Theirs | None, name: str) -> Any:
    """What was given; None if nothing was.

    Raises:
        ConfigError: it was, and cannot be resolved: guessing could replace what is there.
    """
    given = theirs.inputs.get(name) if theirs else None
    if given is None:
        return None
    if not given.known:
        raise ConfigError(
            f"{name} cannot be read from the files alone",
            where=given.where,
            hint=f"Say it with --{name.replace('_', '-')}"
            + ("-file or --external-id-env." if name == "external_id" else ", or with --var-file."),
        )
    return given.value
