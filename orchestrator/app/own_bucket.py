"""Find octo-tf's own bucket when its account leaves Octo, and remember one that is kept."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.app.context import AccountContext
from orchestrator.errors import AccessDenied, Refused, writing
from orchestrator.files import read_note, write_atomically
from orchestrator.model.account import Account
from orchestrator.model.module_contract import addresses, octo_names
from orchestrator.model.permissions import Scope
from orchestrator.terraform.state import BUCKET, StateResource

_ADDRESS = addresses.MODULE + addresses.BUCKET
_NOTE = "kept-bucket.json"


@dataclass(frozen=True)
class Bucket:
    """A bucket, and whether it is deleted."""

    name: str
    region: str
    is_deleted: bool = False
    with_data: bool = False


def find(
    context: AccountContext,
    account: Account,
    state: Collection[StateResource],
    *,
    delete: bool,
    with_data: bool,
) -> Bucket | None:
    """Find the bucket: in the state, or kept by an earlier run.

    Args:
        with_data: whether the bucket is deleted even if it holds objects.

    Raises:
        Refused: the bucket is to be deleted, and is not octo-tf's or not empty.
    """
    in_state = next((r.arn.rpartition(":")[2] for r in state if r.type == BUCKET), "")
    name = in_state or _noted(context.folder)
    region = context.cloud.bucket_region(name) if name else None
    if delete:
        _check_made(context, name if region else "", unknown_bucket(context, account, state))
    if not region:
        return None
    empty = not delete or context.cloud.bucket_is_empty(name, region)
    if not empty and not with_data:
        raise Refused(
            "the bucket is not empty: it holds objects, or old versions of some",
            where=name,
            hint="Omit --delete-bucket to keep it, or delete its data too: --delete-data.",
        )
    return Bucket(name, region, delete, with_data and not empty)


def unknown_bucket(
    context: AccountContext, account: Account, state: Collection[StateResource]
) -> str:
    """Name the bucket that octo.yaml asks for, if AWS has it and the state does not; else empty."""
    scope = Scope(context.registration, account.account_type)
    name = scope.inputs.cur_s3_bucket_name
    if scope.makes_report and scope.inputs.bucket_is_new:
        with suppress(AccessDenied):  # another account has one of that name
            if all(r.type != BUCKET for r in state) and context.cloud.bucket_region(name):
                return name
    return ""


def _check_made(context: AccountContext, name: str, unknown: str) -> None:
    """Refuse to delete a bucket that octo-tf did not make, as octo.yaml and the ledger say.

    Args:
        name: the bucket in the state, or that an earlier run kept; empty if there is none.
        unknown: the bucket that octo.yaml names, if only AWS has it.

    Raises:
        Refused: it was adopted, is an existing one, is that of an existing report, or nothing here
            says that octo-tf made it.
    """
    registration = context.registration
    record = context.octo.ledger.account(registration.account_id)
    options = (registration.cur_report_option, registration.cur_s3_bucket_option)
    is_adopted = record is not None and name != "" and record.adopted_bucket == name
    if is_adopted or (not name and (unknown or "USE_EXISTING" in options)):
        raise Refused(
            "nothing in Terraform's state or in the ledger says that octo-tf created this bucket,"
            " so octo-tf does not delete it"
            if unknown
            else "octo-tf did not make the bucket and does not delete it",
            where=name or unknown or registration.cur_s3_bucket_name or registration.account_id,
            hint="Omit --delete-bucket. After octo-tf destroy, delete the bucket in the AWS console"
            " if it is no longer needed.",
        )


def note(folder: Path, name: str) -> None:
    """Note which bucket the state no longer has: a later run names, deletes or imports it.

    Raises:
        OctoTfError: it cannot be written.
    """
    with writing(folder / _NOTE):
        write_atomically(folder / _NOTE, (json.dumps({"bucket": name}) + "\n").encode())


def kept(context: AccountContext) -> frozenset[str]:
    """Return the bucket's address if an earlier destroy kept the bucket of octo.yaml."""
    registration = context.registration
    wanted = registration.cur_s3_bucket_name or octo_names.cur_bucket(registration.account_id)
    return frozenset({_ADDRESS} if _noted(context.folder) == wanted else ())


def _noted(folder: Path) -> str:
    return str(read_note(folder / _NOTE, limit=10_000).get("bucket", ""))


def forget(folder: Path) -> None:
    """Remove the note once the bucket is deleted."""
    (folder / _NOTE).unlink(missing_ok=True)
