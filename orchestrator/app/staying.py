"""Say what stays in AWS and in Octo when an account leaves, one sentence each."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.app.context import AccountContext
from orchestrator.app.own_bucket import Bucket, unknown_bucket
from orchestrator.model.account import Account
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract import octo_names
from orchestrator.octo.departure import Departure, named
from orchestrator.terraform.state import StateResource


def bucket(
    context: AccountContext,
    account: Account,
    own: Bucket | None,
    state: Collection[StateResource],
) -> list[str]:
    """Name the bucket, unless it is deleted, and the report if it is not octo-tf's."""
    if own is not None:
        return [] if own.is_deleted else [f"The bucket {own.name} with its data."]
    if unknown := unknown_bucket(context, account, state):
        return [
            f"The bucket {unknown}: nothing in Terraform's state or in the ledger says that octo-tf"
            " created it."
        ]
    registration = context.registration
    if account.account_type == "linked":
        return []
    if registration.cur_report_option == "USE_EXISTING":
        name = f" {registration.cur_report_name}" if registration.cur_report_name else ""
        return [f"The report{name} and its bucket, which were there before."]
    if registration.cur_s3_bucket_option != "USE_EXISTING":
        return []
    statements = "its statements OctoTfCurDeliveryLooks and OctoTfCurDeliveryWrites have no use now"
    merged = f", with its policy: {statements}" if registration.cur_s3_bucket_merge_policy else ""
    return [f"The bucket {registration.cur_s3_bucket_name}{merged}."]


def linked_roles(linked: LinkedAccounts | None, kept: Collection[str]) -> list[str]:
    """Name the linked accounts that keep the role, now or since an earlier run."""
    members = linked.organization.members if linked else ()
    inactive = {m.account_id for m in members if not m.active} & {*kept}
    others = {m.account_id: m.name for m in members if m.account_id in {*kept} - inactive}
    others = {**dict.fromkeys(sorted({*kept} - inactive), ""), **others}
    sentences = [f"The role {octo_names.API_ROLE} in {named(others)}."] if others else []
    if inactive:
        sentences.append(
            f"The stacks in closed or suspended accounts: {', '.join(sorted(inactive))}."
        )
    return sentences


def in_octo(
    context: AccountContext,
    known: Departure,
    departure: Departure,
    linked: LinkedAccounts | None,
) -> list[str]:
    """Name the accounts that Octo still has, and what removes them there."""
    if context.octo.api is None:
        return [
            "The account in Octo: remove it there, or run octo-tf destroy again with"
            " credentials for Octo's API."
        ]
    others = {a: name for a, name in known.linked.items() if a not in departure.linked}
    if not others:
        return []
    why = "the StackSet does not have them" if linked else "nothing here says how they got the role"
    return [
        f"In Octo, {named(others)}: {why}. Run octo-tf destroy for each, or octo-tf unregister"
        " --with-linked."
    ]
