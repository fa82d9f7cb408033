"""The principals that policies name: whether they exist, and what becomes of a deleted one.

AWS saves an account id as the ARN of the account's root, and a role or user with its unique id:
when that is deleted, policies show the id (``AROA...``), and a new one of the same name is not
meant by them. Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox.policy import as_list
from orchestrator.sandbox.state import PARTITION, SandboxState, iam, role

Holder = tuple[str, str, str]  # ("role", account id, name) or ("bucket", "", name)
_ID = re.compile(r"\d{12}")
_ROOT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):root")
_IDENTITY = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(role|user)(/(?:.*/)?)([\w+=,.@-]+)")
_SESSION = re.compile(r"arn:aws[\w-]*:sts::(\d{12}):(assumed-role|federated-user)/.+")
_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_NO_ACCOUNT = "000000000000"


def named(statement: Any) -> Iterator[tuple[str, str]]:
    """Get the principals of a statement: their kind and name."""
    for element in ("Principal", "NotPrincipal"):
        principal = statement.get(element, {})
        if isinstance(principal, dict):
            for kind, names in principal.items():
                yield from ((kind, str(name)) for name in as_list(names))


def exists(state: SandboxState, kind: str, name: str) -> bool:
    """Whether AWS accepts a principal; accounts outside the sandbox cannot be looked into."""
    if kind == "Service":
        return bool(_SERVICE_NAME.fullmatch(name))
    if kind != "AWS":
        return kind in ("Federated", "CanonicalUser")
    account = _ROOT.fullmatch(name) or _SESSION.fullmatch(name)
    if name == "*" or _ID.fullmatch(name) or account:
        return (account[1] if account else name) != _NO_ACCOUNT
    identity = _IDENTITY.fullmatch(name)
    if not identity:
        return False
    if not state.has_account(identity[1]):
        return identity[1] != _NO_ACCOUNT
    return _holder(*identity.groups()) is not None


def _holder(account_id: str, kind: str, path: str, name: str) -> Any | None:
    found = role(account_id, name) if kind == "role" else iam(account_id).users.get(name)
    return found if found is not None and (found.path or "/") == path else None


def saved(state: SandboxState, document: Any, holder: Holder) -> bool:
    """Change a document to the form that AWS saves, and note whom it names.

    Returns:
        Whether the document was changed.
    """
    changed = False
    for statement in as_list(document["Statement"]):
        for kind, name in named(statement):
            if kind == "AWS" and _IDENTITY.fullmatch(name):
                state.named_by.setdefault(name, set()).add(holder)
        for element in ("Principal", "NotPrincipal"):
            principal = statement.get(element)
            if isinstance(principal, dict) and "AWS" in principal:
                before = principal["AWS"]
                after = (
                    [_root(name) for name in before] if isinstance(before, list) else _root(before)
                )
                principal["AWS"], changed = after, changed or after != before
    return changed


def _root(name: str) -> str:
    return f"arn:{PARTITION}:iam::{name}:root" if _ID.fullmatch(str(name)) else name


def forget(state: SandboxState, arn: str, unique_id: str) -> None:
    """Show the unique id of a deleted role or user in the policies that named its ARN."""
    for kind, account_id, name in state.named_by.pop(arn, ()):
        if kind == "bucket" and name in state.bucket_policies:
            text = state.bucket_policies[name]
            state.bucket_policies[name] = text.replace(json.dumps(arn), json.dumps(unique_id))
        elif kind == "role" and (holder := role(account_id, name)) is not None:
            text = holder.assume_role_policy_document
            holder.assume_role_policy_document = text.replace(
                json.dumps(arn), json.dumps(unique_id)
            )
