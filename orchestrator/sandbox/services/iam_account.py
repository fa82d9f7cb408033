"""IAM: the alias and features of an account, and its identity providers.

Source: IAM API Reference, CreateAccountAlias, AddClientIDToOpenIDConnectProvider.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from moto.core.exceptions import ServiceException
from moto.organizations.models import organizations_backends

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, iam, management_account, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "iam"
_MOST_CLIENTS = 100


def create_alias(state: SandboxState, call: Call) -> Any:
    """CreateAccountAlias: no two accounts of AWS have the same."""
    alias = call.parameters["AccountAlias"]
    accounts = {*state.first_accounts, *organizations_backends.master_accounts}
    if any(alias in iam(account_id).account_aliases for account_id in accounts):
        raise ServiceError("EntityAlreadyExists", f"The account alias {alias} already exists.", 409)
    return TO_MOTO


def delete_alias(_state: SandboxState, call: Call) -> Any:
    """DeleteAccountAlias."""
    alias = call.parameters["AccountAlias"]
    if alias not in iam(call.caller.account_id).account_aliases:
        raise ServiceError("NoSuchEntity", f"The account alias {alias} cannot be found.", 404)
    return TO_MOTO


def create_provider(_state: SandboxState, call: Call) -> Any:
    """CreateOpenIDConnectProvider: one for each URL."""
    url = call.parameters["Url"]
    if not url.startswith("https://"):
        raise ServiceError("ValidationError", "Invalid Open ID Connect Provider URL")
    own = iam(call.caller.account_id).open_id_providers.values()
    if url.removeprefix("https://") in [provider.url for provider in own]:
        raise ServiceError("EntityAlreadyExists", f"Provider with url {url} already exists.", 409)
    given, tags = call.parameters, call.parameters.get("Tags", [])
    try:
        made = iam(call.caller.account_id).create_open_id_connect_provider(
            url, given.get("ThumbprintList", []), given.get("ClientIDList", []), tags
        )
    except ServiceException:
        return TO_MOTO  # which says what is wrong
    return {"OpenIDConnectProviderArn": made.arn, "Tags": tags or None}


def create_saml_provider(_state: SandboxState, call: Call) -> Any:
    """CreateSAMLProvider: its metadata is XML."""
    try:
        ElementTree.fromstring(call.parameters["SAMLMetadataDocument"])  # noqa: S314
    except ElementTree.ParseError:
        raise ServiceError("InvalidInput", "Could not parse metadata") from None
    return TO_MOTO


def list_features(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListOrganizationsFeatures: what is enabled of the central management of root users."""
    return _features(state, call, lambda enabled: None)


def _changes_feature(
    name: str, change: Callable[[set[str], str], None]
) -> Callable[[SandboxState, Call], dict[str, Any]]:
    """Make EnableOrganizationsRoot... or DisableOrganizationsRoot...; idempotent."""
    return lambda state, call: _features(state, call, lambda enabled: change(enabled, name))


def _features(
    state: SandboxState, call: Call, change: Callable[[set[str]], None]
) -> dict[str, Any]:
    account_id = call.caller.account_id
    own = organizations(management_account(account_id))
    if own.org is None:
        raise ServiceError("OrganizationNotFoundException", "The account is in no organization.")
    if management_account(account_id) != account_id:
        raise ServiceError(
            "AccountNotManagementOrDelegatedAdministratorException",
            "The account is neither the management account nor a delegated administrator.",
        )
    if not any(held["ServicePrincipal"] == "iam.amazonaws.com" for held in own.services):
        raise ServiceError(
            "ServiceAccessNotEnabledException",
            "IAM has not been enabled as a trusted service in the organization.",
        )
    enabled = features(state, own.org.id)
    change(enabled)
    return {"OrganizationId": own.org.id, "EnabledFeatures": sorted(enabled)}


def features(state: SandboxState, organization_id: str) -> set[str]:
    """Get the features of centralized root access that an organization has enabled."""
    enabled = state.of_service("iam-organizations-features", dict[str, set[str]])
    return enabled.setdefault(organization_id, set())


def enable_outbound(state: SandboxState, call: Call) -> dict[str, Any]:
    """EnableOutboundWebIdentityFederation: the account becomes an issuer of tokens."""
    if outbound_issuer(state, call.caller.account_id):
        text = "Outbound web identity federation is already enabled for this account."
        raise ServiceError("FeatureEnabled", text, 409)
    _outbound(state).add(call.caller.account_id)
    return {"IssuerIdentifier": outbound_issuer(state, call.caller.account_id)}


def disable_outbound(state: SandboxState, call: Call) -> dict[str, Any]:
    """DisableOutboundWebIdentityFederation."""
    outbound_info(state, call)
    _outbound(state).discard(call.caller.account_id)
    return {}


def outbound_info(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetOutboundWebIdentityFederationInfo."""
    issuer = outbound_issuer(state, call.caller.account_id)
    if issuer is None:
        text = "Outbound web identity federation is disabled for this account."
        raise ServiceError("FeatureDisabled", text, 404)
    return {"IssuerIdentifier": issuer, "JwtVendingEnabled": True}


def outbound_issuer(state: SandboxState, account_id: str) -> str | None:
    """Get the URL of the issuer of an account's tokens; None if the account issues none."""
    if account_id not in _outbound(state):
        return None
    return f"https://{uuid.uuid5(uuid.NAMESPACE_OID, account_id)}.tokens.sts.global.api.aws"


def _outbound(state: SandboxState) -> set[str]:
    return state.of_service("iam-outbound-federation", set[str])


def add_client(_state: SandboxState, call: Call) -> dict[str, Any]:
    """AddClientIDToOpenIDConnectProvider: one that is there stays."""
    provider, client_id = _provider(call), call.parameters["ClientID"]
    if client_id not in provider.client_id_list:
        if len(provider.client_id_list) >= _MOST_CLIENTS:
            raise ServiceError(
                "LimitExceeded",
                f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {_MOST_CLIENTS}",
                409,
            )
        provider.client_id_list = [*provider.client_id_list, client_id]
    return {}


def remove_client(_state: SandboxState, call: Call) -> dict[str, Any]:
    """RemoveClientIDFromOpenIDConnectProvider: one that is not there is no error."""
    provider, client_id = _provider(call), call.parameters["ClientID"]
    provider.client_id_list = [c for c in provider.client_id_list if c != client_id]
    return {}


def _provider(call: Call) -> Any:
    arn = call.parameters["OpenIDConnectProviderArn"]
    held = iam(call.caller.account_id).open_id_providers.get(arn)
    if held is None:
        raise ServiceError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    return held


OPERATIONS: dict[str, Operation] = {
    "CreateAccountAlias": create_alias,
    "DeleteAccountAlias": delete_alias,
    "ListOrganizationsFeatures": list_features,
    **{
        f"{verb}Organizations{feature}": _changes_feature(feature, change)
        for verb, change in (("Enable", set.add), ("Disable", set.discard))
        for feature in ("RootCredentialsManagement", "RootSessions")
    },
    # Sessions work everywhere in the sandbox, whatever the version of their tokens.
    "SetSecurityTokenServicePreferences": lambda *_: {},
    "CreateOpenIDConnectProvider": create_provider,
    "CreateSAMLProvider": create_saml_provider,
    "AddClientIDToOpenIDConnectProvider": add_client,
    "DisableOutboundWebIdentityFederation": disable_outbound,
    "EnableOutboundWebIdentityFederation": enable_outbound,
    "GetOutboundWebIdentityFederationInfo": outbound_info,
    "RemoveClientIDFromOpenIDConnectProvider": remove_client,
}
