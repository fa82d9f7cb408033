"""Find octo-tf's own bucket when its account leaves Octo, and remember one that is kept."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.app.context import AccountContext
from orchestrator.errors import Refused, writing
from orchestrator.files import read_regular, write_atomically
from orchestrator.model.module_contract import octo_names
from orchestrator.terraform.state import StateResource

BUCKET = "aws_s3_bucket"  # its settings are resources whose types begin with it
_ADDRESS = "module.octo.aws_s3_bucket.cur[0]"
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
    there: Collection[StateResource],
    *,
    delete: bool,
    with_data: bool,
) -> Bucket | None:
    """Find the bucket: in the state, or kept by an earlier run.

    Args:
        context: the account.
        there: what the state holds.
        delete: whether the bucket is to be deleted.
        with_data: whether it is deleted with objects in it.

    Raises:
        Refused: it is to be deleted, and is not octo-tf's or not empty.
    """
    in_state = next((r.arn.rpartition(":")[2] for r in there if r.type == BUCKET), "")
    name = in_state or _noted(context.folder)
    region = context.cloud.bucket_region(name) if name else None
    if not region:
        registration = context.registration
        options = (registration.cur_report_option, registration.cur_s3_bucket_option)
        if delete and "USE_EXISTING" in options:
            raise Refused(
                "octo-tf did not make the bucket and does not delete it",
                where=registration.cur_s3_bucket_name or registration.account_id,
                hint="Leave --delete-bucket out.",
            )
        return None
    empty = not delete or context.cloud.bucket_is_empty(name, region)
    if not empty and not with_data:
        raise Refused(
            "the bucket is not empty: it holds objects, or old versions of some",
            where=name,
            hint="Leave --delete-bucket out to keep it, or delete its data too: --delete-data.",
        )
    return Bucket(name, region, delete, with_data and not empty)


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
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(read_regular(folder / _NOTE, limit=10_000))["bucket"])
    return ""


def forget(folder: Path) -> None:
    """Remove the note once the bucket is deleted."""
    (folder / _NOTE).unlink(missing_ok=True)
