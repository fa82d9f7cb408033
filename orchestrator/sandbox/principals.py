"""The principals that policies name: whether they exist, and what becomes of a deleted one.

An account must exist: those of the sandbox do, Octo's among them, those of AWS's services that
policies name, and, for other organizations, the ids that AWS's documentation uses in examples. A
service must be one that botocore, AWS's own managed policies or the list below name.
AWS saves an account id as the ARN of the account's root, and a role or user with its unique id:
when that is deleted, policies show the id (``AROA...``), and a new one of the same name is not
meant by them. Source: IAM User Guide, "AWS JSON policy elements: Principal"; Elastic Load Balancing
User Guide, "Access logs"; Billing User Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.session import get_session
from moto.iam.aws_managed_policies import aws_managed_policies_data

from orchestrator.sandbox.policy import as_list
from orchestrator.sandbox.state import LOG, PARTITION, SandboxState, iam, role

Holder = tuple[str, str, str]  # ("role", account id, name) or ("bucket", "", name)
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"\d{12}")
_ROOT = re.compile(rf"arn:{PARTITION}:iam::(\d{{12}}):root")
_IDENTITY = re.compile(rf"arn:{PARTITION}:iam::(\d{{12}}):(role|user)(/(?:[^*]*/)?)([\w+=,.@-]+)")
_SESSION = re.compile(rf"arn:{PARTITION}:sts::(\d{{12}}):(assumed-role|federated-user)/[^*]+")
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)+")
_PROVIDER = re.compile(rf"arn:{PARTITION}:iam::\d{{12}}:(saml|oidc)-provider/.+")
# Accounts of AWS's examples: 123456789012, and three different groups as in 111122223333.
_OF_EXAMPLES = re.compile(r"123456789012|(\d)\1{3}(?!\1)(\d)\2{3}(?!\2)(\d)\3{3}")
_OF_AWS = {
    "386209384616",  # billing
    *("127311923021", "033677994240", "027434742980", "797873946194"),  # load balancers' logs
    *("098369216593", "754344448648", "589379963580", "718504428378", "383597477331"),
    *("600734575887", "114774131450", "783225319266", "582318560864", "985666609251"),
    *("054676820928", "156460612806", "652711504416", "635631232127", "009996457667"),
    *("897822967062", "076674570225", "507241528517"),
}
_SUFFIX = ".amazonaws.com"
_SERVICE_NAME = re.compile(r'"([a-z0-9-][a-z0-9.-]*\.amazonaws\.com(?:\.cn)?)"')
# Services that are principals by a name that neither botocore nor a policy of AWS has.
_MORE_SERVICES = (
    *("appstream", "bcm", "bcm-data-exports", "billingreports", "cassandra", "clouddirectory"),
    *("cloudwatch-crossaccount", "config-multiaccountsetup", "crossaccountsharing", "deeplens"),
    *("ecs-tasks", "edgelambda", "lakeformation", "lambdaedge", "metrics.cloudwatch", "monitoring"),
    *("networkinsights", "opsworks", "opsworks-cm", "osis-pipelines", "ops.apigateway", "states"),
    *("serverlessrepo", "tag", "trustedadvisor", "vpc-flow-logs", "waf", "worklink"),
)


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
        return is_service(name)
    if kind == "Federated":
        return bool(_DOMAIN.fullmatch(name) or _PROVIDER.fullmatch(name))
    if kind != "AWS":
        return kind == "CanonicalUser" and bool(_CANONICAL.fullmatch(name))
    account = _ROOT.fullmatch(name) or _SESSION.fullmatch(name)
    if name == "*" or _ID.fullmatch(name) or account:
        return name == "*" or has_account(state, account[1] if account else name)
    identity = _IDENTITY.fullmatch(name)
    if not identity:
        return False
    if not state.has_account(identity[1]):
        return has_account(state, identity[1])
    return _holder(*identity.groups()) is not None


def has_account(state: SandboxState, account_id: str) -> bool:
    """Whether an account exists, in the sandbox or, as far as it knows, outside."""
    found = state.has_account(account_id) or account_id in _OF_AWS
    if not found and not _OF_EXAMPLES.fullmatch(account_id):
        LOG.warning("a policy names account %s, which the sandbox does not know", account_id)
        return False
    return True


def is_service(name: str) -> bool:
    """Whether it is the principal of a service: its name, one of a region, or of a part of it."""
    parts = name.removesuffix(_SUFFIX).split(".")
    parts = [part for part in parts if part not in known_regions()]
    if not name.endswith(_SUFFIX):
        return name in _services()
    ends = (".".join(parts[number:]) for number in range(len(parts)))
    return any(f"{end}{_SUFFIX}" in _services() for end in ends)


@cache
def _services() -> set[str]:
    loader = Loader()
    named = (*loader.list_available_services("service-2"), *_MORE_SERVICES)
    text = str(aws_managed_policies_data)
    return {f"{name}{_SUFFIX}" for name in named} | set(_SERVICE_NAME.findall(text))


@cache
def known_regions() -> set[str]:
    """Get the regions of all partitions."""
    session = get_session()
    partitions = session.get_available_partitions()
    return {r for p in partitions for r in session.get_available_regions("ec2", p)}


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


def rename(state: SandboxState, arn: str, new: str) -> None:
    """Show the new ARN of a role or user in the policies that named the one before."""
    state.named_by[new] = state.named_by.pop(arn, set())
    _replace(state, state.named_by[new], arn, new)


def forget(state: SandboxState, arn: str, unique_id: str) -> None:
    """Show the unique id of a deleted role or user in the policies that named its ARN."""
    _replace(state, state.named_by.pop(arn, set()), arn, unique_id)


def _replace(state: SandboxState, holders: set[Holder], arn: str, text: str) -> None:
    before, after = json.dumps(arn), json.dumps(text)
    for kind, account_id, name in holders:
        if kind == "bucket" and name in state.bucket_policies:
            state.bucket_policies[name] = state.bucket_policies[name].replace(before, after)
        elif kind == "role" and (holder := role(account_id, name)) is not None:
            held = holder.assume_role_policy_document
            holder.assume_role_policy_document = held.replace(before, after)
