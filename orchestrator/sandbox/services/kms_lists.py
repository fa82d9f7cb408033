"""KMS: the lists of keys, aliases and grants, in pages.

Source: KMS API Reference, ListKeys, ListAliases, ListGrants, RetireGrant, DeleteAlias.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from moto.kms.models import RESERVED_ALIASES, kms_backends

from orchestrator.sandbox.markers import marker_at, offset_of
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.kms import key_of
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "kms"
_DEFAULT = 100


def _page(call: Call, name: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer with the page of a list that a call asks for.

    Raises:
        ServiceError: InvalidMarkerException.
    """
    start = _offset(call.parameters.get("Marker"))
    end = start + int(call.parameters.get("Limit") or _DEFAULT)
    answer: dict[str, Any] = {name: listed[start:end], "Truncated": len(listed) > end}
    if len(listed) > end:
        answer["NextMarker"] = marker_at(end)
    return answer


def _offset(marker: str | None) -> int:
    try:
        return offset_of(marker)
    except ValueError:
        raise ServiceError("InvalidMarkerException", "Could not deserialize marker") from None


def list_keys(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListKeys."""
    keys = kms_backends[call.caller.account_id][call.region].keys.values()
    return _page(call, "Keys", [{"KeyId": key.id, "KeyArn": key.arn} for key in keys])


def list_aliases(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAliases: of a key, or all, with those that AWS reserves."""
    backend = kms_backends[call.caller.account_id][call.region]
    key = key_of(call) if "KeyId" in call.parameters else None
    listed = []
    for alias in backend.list_aliases(key.id if key else None):
        made = getattr(alias, "made", None) or datetime.fromtimestamp(
            backend.keys[alias.target_key_id].creation_date, timezone.utc
        )
        listed.append(
            {
                "AliasName": alias.alias_name,
                "AliasArn": alias.alias_arn,
                "TargetKeyId": alias.target_key_id,
                "CreationDate": made,
                "LastUpdatedDate": getattr(alias, "updated", made),
            }
        )
    names = {alias["AliasName"] for alias in listed}
    prefix = f"arn:{PARTITION}:kms:{call.region}:{call.caller.account_id}:"
    reserved = [] if key else [n for n in RESERVED_ALIASES if n not in names]
    listed += [{"AliasName": name, "AliasArn": f"{prefix}{name}"} for name in reserved]
    return _page(call, "Aliases", listed)


def _note_date(_state: SandboxState, call: Call, _headers: Any) -> None:
    backend = kms_backends[call.caller.account_id][call.region]
    for alias in backend.list_aliases():
        if alias.alias_name == call.parameters["AliasName"]:
            alias.updated = datetime.now(timezone.utc)
            alias.made = getattr(alias, "made", alias.updated)


def delete_alias(_state: SandboxState, call: Call) -> Any:
    """DeleteAlias: AWS's own stay."""
    if call.parameters["AliasName"].startswith("alias/aws/"):
        raise ServiceError("NotAuthorizedException", "")
    return TO_MOTO


def list_grants(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListGrants: those of an id or a grantee, if the call names one."""
    key, given = key_of(call), call.parameters
    wanted = given.get("GranteePrincipal")
    return _page(
        call,
        "Grants",
        [
            {
                **{name: value for name, value in grant.to_json().items() if value},
                "KeyId": key.arn,
                "Name": grant.name or "",
                "IssuingAccount": grant.issued_by,
                "CreationDate": grant.issued,
            }
            for grant in key.list_grants(given.get("GrantId"))
            if wanted in (None, grant.grantee_principal)
        ],
    )


def retire_grant(_state: SandboxState, call: Call) -> Any:
    """RetireGrant: named by its token, or by its key and id."""
    given = call.parameters
    if not given.get("GrantToken") and not {"GrantId", "KeyId"} <= given.keys():
        raise ServiceError(
            "ValidationException", "Must specify either GrantToken or both KeyId and GrantId"
        )
    return TO_MOTO


OPERATIONS: dict[str, Operation] = {
    "DeleteAlias": delete_alias,
    "ListAliases": list_aliases,
    "ListGrants": list_grants,
    "ListKeys": list_keys,
    "RetireGrant": retire_grant,
}
AFTER = dict.fromkeys(("CreateAlias", "UpdateAlias"), _note_date)
