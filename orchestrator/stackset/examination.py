"""Examine an organization before anything is written: all findings; ``preflight.check`` raises one.

Nothing is changed. What may not be read is a warning that names the missing permission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.aws import cloudformation, iam, organizations
from orchestrator.aws.errors import ServiceError, denied_action, explained, is_denied
from orchestrator.aws.permissions import denied, in_words
from orchestrator.aws.session import Aws
from orchestrator.errors import Refused
from orchestrator.model.account import Account
from orchestrator.model.coverage import WANTING, State
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.features import feature_roles
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.permissions import Scope, Step, permissions
from orchestrator.model.registration import Registration
from orchestrator.model.words import counted, listed
from orchestrator.stackset import guardrails, preflight
from orchestrator.stackset.guardrails import Guardrails

Status = Literal["ok", "skipped", "warning", "problem"]
STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"
_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """What one check found; ``fix`` is set for a warning and a problem.

    Attributes:
        id: of the check; ``policies`` comes once for each statement that denies something.
    """

    id: str
    status: Status
    summary: str
    fix: str = ""


@dataclass(frozen=True)
class Examination:
    """Everything that was found."""

    account: Account
    findings: tuple[Finding, ...]
    guardrails: Guardrails

    @property
    def has_problem(self) -> bool:
        """Whether applying would be refused, or would fail in an account."""
        return any(finding.status == "problem" for finding in self.findings)


def examine(
    aws: Aws, registration: Registration, account: Account, linked: LinkedAccounts | None
) -> Examination:
    """Examine the account and, for a payer, its organization.

    Args:
        linked: a payer's linked accounts; None for another account.

    Raises:
        AwsError: a call failed, other than for a missing permission.
    """
    predicted = preflight.predict(aws, registration, linked) if linked else Guardrails()
    checks: dict[str, Callable[[], Finding]] = {
        "permissions": lambda: _permissions(aws, registration, account),
        "roles": lambda: _roles(aws, registration),
    }
    if linked is None:
        findings = [_read(name, check) for name, check in checks.items()]
        where = "its payer" if account.account_type == "linked" else "an organization's payer"
        text = f"Policies of an organization are read from {where}: nothing is predicted here."
        return Examination(account, (*findings, Finding("policies", "skipped", text)), predicted)
    checks |= {
        "trusted_access": lambda: _trusted_access(aws),
        "administrators": lambda: _administrators(aws),
        "accounts": lambda: _accounts(linked),
        "quota": lambda: _quota(account, linked),
        "clashes": lambda: _clashes(aws, registration, linked),
    }
    findings = [_read(name, check) for name, check in checks.items()]
    return Examination(account, (*findings, *policies(predicted)), predicted)


def examine_quotas(
    aws: Aws, registration: Registration, account: Account, linked: LinkedAccounts
) -> list[Finding]:
    """Examine whether the quotas of roles and of stack instances are enough.

    Raises:
        AwsError: a call failed, other than for a missing permission.
    """
    return [
        _read("roles", lambda: _roles(aws, registration)),
        _read("quota", lambda: _quota(account, linked)),
    ]


def _read(name: str, check: Callable[[], Finding]) -> Finding:
    """Run a check; one that is denied is a warning that names the permission."""
    try:
        return check()
    except ServiceError as error:
        if not is_denied(error):
            with explained("examining the account"):
                raise
        action = denied_action(error) or str(error.operation_name)
        return Finding(name, "warning", f"Not read: {action} is not granted.", f"Grant {action}.")
    except Refused as error:
        return Finding(name, "problem", f"{_sentence(error.what)}.", error.hint)


def _permissions(aws: Aws, registration: Registration, account: Account) -> Finding:
    arn = account.caller_arn
    steps: tuple[Step, ...] = ("plan", "verify", "apply")
    missing = denied(aws, arn, permissions(Scope(registration, account.account_type), steps))
    if missing:
        shown = ", ".join(sorted({action for action, _ in missing}))
        fix = f"Grant {arn}: {in_words(missing)}. octo-tf policy prints policies with all of them."
        return Finding("permissions", "warning", f"{arn} may not use {shown}.", fix)
    whose = "the management account" if account.account_type == "payer" else "this account"
    return Finding(
        "permissions", "ok", f"The caller has the permissions that octo-tf needs in {whose}."
    )


def _roles(aws: Aws, registration: Registration) -> Finding:
    features = module_inputs(registration).features
    wanted, free = 2 + len(feature_roles(features)), iam.free_roles(aws)
    if free < wanted:
        return Finding(
            "roles",
            "problem",
            f"The account needs {wanted} roles, and its quota allows {free} more.",
            iam.ROLE_QUOTA_HINT,
        )
    return Finding("roles", "ok", f"The quota of roles allows {free} more.")


def _trusted_access(aws: Aws) -> Finding:
    status = cloudformation.trusted_access(aws)
    if status == "ENABLED":
        return Finding("trusted_access", "ok", "CloudFormation may deploy to the organization.")
    return Finding(
        "trusted_access",
        "warning",
        f"CloudFormation's trusted access to the organization is {status.lower()}.",
        "Apply with --enable-trusted-access, or enable it in the console: CloudFormation,"
        " StackSets, Enable trusted access.",
    )


def _administrators(aws: Aws) -> Finding:
    found = organizations.delegated_administrators(aws, STACKSETS)
    if not found:
        return Finding("administrators", "ok", "No other account may change StackSets.")
    these = ", ".join(sorted(found))
    return Finding(
        "administrators",
        "ok",
        f"Delegated administrators may change or delete Octo's StackSet: {these}.",
    )


def _accounts(linked: LinkedAccounts) -> Finding:
    coverage = linked.coverage
    closing = coverage.of(State.SUSPENDED, State.INACTIVE)
    text = (
        f"{len(coverage.of(*WANTING))} to deploy to, {len(coverage.of(State.CURRENT))} current,"
        f" {len(closing)} not active."
    )
    if not closing:
        return Finding("accounts", "ok", text)
    named = listed([f"{a.account_id} ({a.reason})" for a in closing], _SHOWN)
    return Finding("accounts", "ok", f"{text} Not deployed to: {named}.")


def _quota(account: Account, linked: LinkedAccounts) -> Finding:
    preflight.check_quota(account.account_id, linked.coverage)
    return Finding("quota", "ok", f"The StackSet can hold {linked.coverage.wanted} accounts.")


def _clashes(aws: Aws, registration: Registration, linked: LinkedAccounts) -> Finding:
    missing = [s.account_id for s in linked.coverage.of(State.MISSING)]
    excluded = registration.stackset_excluded_accounts or ()
    unknown = preflight.check_clashes(aws, missing, excluded)
    text = f"{len(missing) - unknown} of {len(missing)} accounts have no role of that name"
    if unknown:
        return Finding("clashes", "ok", f"{text}; {unknown} could not be inspected.")
    return Finding("clashes", "ok", f"{text}.")


def policies(predicted: Guardrails) -> Iterator[Finding]:
    """Yield what the organization's policies deny, and what of them could not be read."""
    if predicted.denied:
        yield Finding(
            "policies_unread",
            "warning",
            f"Not all policies of the organization could be read: {guardrails.unread(predicted)}.",
            f"Grant {', '.join(predicted.denied)}.",
        )
    for obstacle in predicted.obstacles:
        yield Finding(
            "policies",
            "problem" if obstacle.cuts_off else "warning",
            f"{_sentence(guardrails.describe(obstacle, obstacle.accounts))}.",
            "; or ".join(("Add the exemption to the policy", *obstacle.alternatives)) + ".",
        )
    if not predicted.obstacles and not predicted.denied:
        yield Finding(
            "policies",
            "ok",
            f"The organization's policies ({predicted.policies} of its own) deny neither the"
            f" deployment nor Octo's access in {counted(predicted.accounts, 'linked account')}.",
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
