"""List what a sandbox contains, so that tests can prove that they leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.sandbox import services
from orchestrator.sandbox.discovery import submodules
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.organization import PAYER
from orchestrator.sandbox.state import SandboxState, iam, organizations, s3


def contents(state: SandboxState, faults: Faults) -> set[str]:
    """Describe every setting and resource that a caller can change, one text for each.

    Stacks of StackSets are left out: they go with their StackSet, or are retained on purpose.
    """
    with state.lock:
        return {*_settings(state, faults), *_in_accounts(state)}


def _settings(state: SandboxState, faults: Faults) -> Iterator[str]:
    yield f"{state.delivery} delivery, {state.stack_seconds} seconds for each stack"
    yield f"Account.Status: {state.with_account_status}"
    yield from (f"fault {fault}" for fault in faults.listed())
    yield from (f"trusted access of {account_id}" for account_id in state.stackset_access)
    for module in submodules(services.__name__):
        yield from getattr(module, "contents", lambda _state: ())(state)
    yield from (f"delegated administrator {account_id}" for account_id in state.delegated)
    yield from (f"account {account_id} registered with Octo" for account_id in state.octo.accounts)
    yield from (f"{c.client_id} has {c.external_id}" for c in state.octo.clients.values())
    yield f"Octo's template is {state.octo.template_version}"
    yield from (f"policy of bucket {name}" for name in state.bucket_policies)
    yield from (f"billing transfer {t['Id']}: {t['Status']}" for t in state.billing_transfers)
    yield from (f"notifications of bucket {name}" for name in state.notifications)
    yield from (f"OU {ou.id}" for ou in organizations(PAYER).ou)
    for account in organizations(PAYER).accounts:
        yield f"account {account.id} is {account.state} in {account.parent_id}"


def _in_accounts(state: SandboxState) -> Iterator[str]:
    for (account_id, region), stack_sets in state.stack_sets.items():
        yield from (f"StackSet {account_id}/{region}/{name}" for name in stack_sets)
    for (account_id, region), stacks in state.stacks.items():
        for stack in stacks:
            if stack.deleted is None and not stack.name.startswith("StackSet-"):
                yield f"stack {account_id}/{region}/{stack.name}"
    for account_id in state.accounts.values():
        yield from (f"report {account_id}/{n}" for n in state.reports.get(account_id, {}))
        yield from (f"user {account_id}/{name}" for name in iam(account_id).users)
        roles = iam(account_id).roles.values()  # service-linked ones stay, as on AWS
        own = (r.name for r in roles if not r.path.startswith("/aws-service-role/"))
        yield from (f"role {account_id}/{name}" for name in own)
        yield from (f"bucket {account_id}/{name}" for name in s3(account_id).buckets)
