"""Create the accounts of a sandbox, each with an administrator and a profile with its keys.

A management account with OUs two levels deep, linked accounts in them (one of them suspended), a
standalone account, and Octo's own principal account.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone

from moto.moto_api._internal import mock_random

from orchestrator.sandbox.state import AccessKey, SandboxState, iam, organizations, role

PAYER = "111111111111"
STANDALONE = "222222222222"
OCTO = "131920598436"
SUSPENDED = "linked-suspended"
_OUS = {"Workloads": ("Production", "Staging"), "Platform": ("Shared",)}
_ACCESS_ROLE = "OrganizationAccountAccessRole"
_SEED = 20  # the same accounts and keys on every start

_ADMINISTRATOR = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


def create_accounts(state: SandboxState, linked: int) -> None:
    """Create every account; ``linked`` is the number of active linked accounts."""
    mock_random.seed(_SEED)
    _add(state, "payer", PAYER)
    management = organizations(PAYER)
    management.create_organization("us-east-1", FeatureSet="ALL")
    root = next(ou.id for ou in management.ou if ou.type == "ROOT")
    parents = [root]
    for parent, children in _OUS.items():
        outer = management.create_organizational_unit(ParentId=root, Name=parent)
        outer_id = outer["OrganizationalUnit"]["Id"]
        parents.append(outer_id)
        for child in children:
            inner = management.create_organizational_unit(ParentId=outer_id, Name=child)
            parents.append(inner["OrganizationalUnit"]["Id"])
    names = [f"linked-{number}" for number in range(1, linked + 1)]
    for number, name in enumerate([*names, SUSPENDED]):
        status = management.create_account(AccountName=name, Email=f"{name}@example.com")
        account_id = status["CreateAccountStatus"]["AccountId"]
        management.move_account(
            AccountId=account_id,
            SourceParentId=root,
            DestinationParentId=parents[number % len(parents)],
        )
        _add(state, name, account_id)
    grant_management_access(PAYER)
    management.get_account_by_id(state.accounts[SUSPENDED]).state = "SUSPENDED"
    _add(state, "standalone", STANDALONE)
    _add(state, "octo", OCTO)


def advance(state: SandboxState) -> None:
    """Finish every creation of an account whose time has come; the caller holds the lock."""
    due = time.time() - state.stack_seconds
    for creation in [c for c in state.creating if c.begun <= due]:
        state.creating.remove(creation)
        creation.status["CompletedTimestamp"] = datetime.now(timezone.utc)
        own, given = organizations(creation.owner), creation.parameters
        if any(account.email == given["Email"] for account in own.accounts):
            creation.status.update(State="FAILED", FailureReason="EMAIL_ALREADY_EXISTS")
            continue
        made = own.create_account(**given)["CreateAccountStatus"]
        creation.status.update(State="SUCCEEDED", AccountId=made["AccountId"])
        state.organization_changed = True


def grant_management_access(owner: str) -> None:
    """Attach AdministratorAccess to each account's OrganizationAccountAccessRole, as AWS does."""
    for account in organizations(owner).accounts:
        access_role = role(account.id, _ACCESS_ROLE)
        if access_role is not None and not access_role.policies:
            access_role.put_policy("AdministratorAccess", _ADMINISTRATOR)


def _add(state: SandboxState, profile: str, account_id: str) -> None:
    own = iam(account_id)
    own.create_user("us-east-1", "administrator")
    own.put_user_policy("administrator", "everything", _ADMINISTRATOR)
    key = own.create_access_key("administrator")
    state.first_accounts.add(account_id)
    state.administrators[key.access_key_id] = account_id
    state.profiles[profile] = (
        account_id,
        AccessKey(key.access_key_id, key.secret_access_key),
    )
