"""The accounts that a sandbox starts with, each with an administrator whose keys are a profile.

A management account with OUs two levels deep, linked accounts in them (one of them suspended), a
standalone account, and Octo's own principal account.
"""

from __future__ import annotations

import json

from moto.moto_api._internal import mock_random

from orchestrator.sandbox.world import AccessKey, World, iam, organizations, role

PAYER = "111111111111"
STANDALONE = "222222222222"
OCTO = "131920598436"
SUSPENDED = "linked-suspended"
_OUS = {"Workloads": ("Production", "Staging"), "Platform": ("Shared",)}
_WAY_IN = "OrganizationAccountAccessRole"
_SEED = 20  # the same accounts and keys on every start

_ADMINISTRATOR = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


def found(world: World, linked: int) -> None:
    """Makes everything; ``linked`` is the number of active linked accounts."""
    mock_random.seed(_SEED)
    _add(world, "payer", PAYER)
    management = organizations(PAYER)
    management.create_organization("us-east-1", FeatureSet="ALL")
    root = next(ou.id for ou in management.ou if ou.type == "ROOT")
    homes = [root]
    for parent, children in _OUS.items():
        outer = management.create_organizational_unit(ParentId=root, Name=parent)
        outer_id = outer["OrganizationalUnit"]["Id"]
        homes.append(outer_id)
        for child in children:
            inner = management.create_organizational_unit(ParentId=outer_id, Name=child)
            homes.append(inner["OrganizationalUnit"]["Id"])
    names = [f"linked-{number}" for number in range(1, linked + 1)]
    for number, name in enumerate([*names, SUSPENDED]):
        status = management.create_account(AccountName=name, Email=f"{name}@example.com")
        account_id = status["CreateAccountStatus"]["AccountId"]
        management.move_account(
            AccountId=account_id,
            SourceParentId=root,
            DestinationParentId=homes[number % len(homes)],
        )
        _add(world, name, account_id)
    give_management_its_way_in(PAYER)
    management.get_account_by_id(world.accounts[SUSPENDED]).state = "SUSPENDED"
    _add(world, "standalone", STANDALONE)
    _add(world, "octo", OCTO)


def give_management_its_way_in(owner: str) -> None:
    """Each account's OrganizationAccountAccessRole may do everything, as Organizations makes it."""
    for account in organizations(owner).accounts:
        way_in = role(account.id, _WAY_IN)
        if way_in is not None and not way_in.policies:
            way_in.put_policy("AdministratorAccess", _ADMINISTRATOR)


def _add(world: World, profile: str, account_id: str) -> None:
    own = iam(account_id)
    own.create_user("us-east-1", "administrator")
    own.put_user_policy("administrator", "everything", _ADMINISTRATOR)
    key = own.create_access_key("administrator")
    world.administrators[key.access_key_id] = account_id
    world.profiles[profile] = (
        account_id,
        AccessKey(key.access_key_id, key.secret_access_key),
    )
