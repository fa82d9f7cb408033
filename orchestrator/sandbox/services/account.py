"""Account Management: contacts, names and regions of accounts.

A management account may name a member where Account Management has trusted access. Sources:
Account Management Reference Guide; the texts of errors are AWS's own, as the AWS Deployment
Framework and Steampipe quote them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import lookup
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, management_account, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "account"
PRINCIPAL = "account.amazonaws.com"
_BY_DEFAULT = (
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
    *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
_OPT_IN = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2"),
    *("eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
)
_PAGE = 50
_CONTACT = {
    "FullName": "Sandbox",
    "AddressLine1": "1 Example Street",
    "City": "Seattle",
    "StateOrRegion": "WA",
    "PostalCode": "98101",
    "CountryCode": "US",
    "PhoneNumber": "+12065550100",
}


def _held(state: SandboxState, call: Call) -> dict[str, Any]:
    """Get what is kept of the account that a call is about.

    Raises:
        ServiceError: AccessDeniedException.
    """
    own = call.caller.account_id
    wanted = call.parameters.get("AccountId")
    if wanted is not None:
        _check_target(state, call, wanted)
    accounts = state.of_service(SERVICE, dict[str, dict[str, Any]])
    fresh = {"contact": _CONTACT, "alternates": {}, "regions": set(), "name": ""}
    return accounts.setdefault(wanted or own, fresh)


def _check_target(state: SandboxState, call: Call, wanted: str) -> None:
    own, management = call.caller.account_id, management_account(call.caller.account_id)
    organization = organizations(management)
    if organization.org is None or not (
        own == management or PRINCIPAL in state.delegated.get(own, {})
    ):
        raise _denied(call)
    if wanted == management:
        text = "The management account can only be managed using the standalone context from the"
        raise _denied(call, f"{text} management account.")
    if not any(s["ServicePrincipal"] == PRINCIPAL for s in organization.services):
        text = "Your organization must first enable trusted access with AWS Account Management."
        raise _denied(call, text)
    if lookup.member(organization, wanted) is None:
        raise _denied(call)


def _denied(call: Call, reason: str = "") -> ServiceError:
    text = f"User: {call.caller.arn} is not authorized to perform: account:{call.operation}"
    return ServiceError("AccessDeniedException", f"{text} ({reason})" if reason else text, 403)


def get_contact(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetContactInformation."""
    return {"ContactInformation": _held(state, call)["contact"]}


def put_contact(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutContactInformation."""
    _held(state, call)["contact"] = call.parameters["ContactInformation"]
    return {}


def get_alternate(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetAlternateContact."""
    kind = call.parameters["AlternateContactType"]
    found = _held(state, call)["alternates"].get(kind)
    if found is None:
        raise _no_alternate()
    return {"AlternateContact": found}


def put_alternate(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutAlternateContact."""
    given = {name: value for name, value in call.parameters.items() if name != "AccountId"}
    _held(state, call)["alternates"][given["AlternateContactType"]] = given
    return {}


def delete_alternate(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteAlternateContact."""
    if _held(state, call)["alternates"].pop(call.parameters["AlternateContactType"], None) is None:
        raise _no_alternate()
    return {}


def _no_alternate() -> ServiceError:
    text = "No contact of the inputted alternate contact type found."
    return ServiceError("ResourceNotFoundException", text, 404)


def primary_email(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetPrimaryEmail, of a member."""
    _held(state, call)
    wanted = call.parameters["AccountId"]
    found: Any = lookup.member(organizations(management_account(wanted)), wanted)
    return {"PrimaryEmail": found.email}  # _held() finds it there


def start_email_update(state: SandboxState, call: Call) -> dict[str, Any]:
    """StartPrimaryEmailUpdate, for a member; unlike AWS, the sandbox sends no code."""
    _held(state, call)["new email"] = call.parameters["PrimaryEmail"]
    return {"Status": "PENDING"}


def accept_email_update(state: SandboxState, call: Call) -> dict[str, Any]:
    """AcceptPrimaryEmailUpdate: any code of six characters is right."""
    held, email = _held(state, call), call.parameters["PrimaryEmail"]
    if held.get("new email") != email:
        text = "No pending update of the primary email was found for this account."
        raise ServiceError("ResourceNotFoundException", text, 404)
    wanted = call.parameters["AccountId"]
    found: Any = lookup.member(organizations(management_account(wanted)), wanted)
    found.email = held.pop("new email")  # _held() finds it there
    return {"Status": "ACCEPTED"}


def govcloud_information(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetGovCloudAccountInformation: no account has one in AWS GovCloud (US)."""
    _held(state, call)
    text = "No linked GovCloud account was found for this account."
    raise ServiceError("ResourceNotFoundException", text, 404)


def information(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetAccountInformation."""
    held = _held(state, call)
    wanted = call.parameters.get("AccountId", call.caller.account_id)
    found = lookup.member(organizations(management_account(wanted)), wanted)
    profiles = {account_id: profile for profile, account_id in state.accounts.items()}
    return {
        "AccountId": wanted,
        "AccountName": held["name"] or (found.name if found else profiles.get(wanted, wanted)),
        "AccountCreatedDate": found.create_time if found else datetime.now(timezone.utc),
        "AccountState": found.state if found else "ACTIVE",
    }


def put_name(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutAccountName: the name that Organizations lists, too."""
    held = _held(state, call)
    held["name"] = call.parameters["AccountName"]
    wanted = call.parameters.get("AccountId", call.caller.account_id)
    found = lookup.member(organizations(management_account(wanted)), wanted)
    if found is not None:
        found.name = held["name"]
    return {}


def list_regions(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListRegions."""
    held, wanted = _held(state, call), call.parameters.get("RegionOptStatusContains")
    every = [
        {"RegionName": name, "RegionOptStatus": status}
        for name, status in _statuses(held).items()
        if not wanted or status in wanted
    ]
    start, most = int(call.parameters.get("NextToken") or 0), call.parameters.get("MaxResults")
    end = start + (most or _PAGE)
    more = {"NextToken": str(end)} if end < len(every) else {}
    return {"Regions": every[start:end], **more}


def region_statuses(state: SandboxState, account_id: str) -> dict[str, str]:
    """Get the status of every region for an account, by name."""
    accounts = state.of_service(SERVICE, dict[str, dict[str, Any]])
    return _statuses(accounts.get(account_id, {"regions": set()}))


def _statuses(held: dict[str, Any]) -> dict[str, str]:
    return {name: _status(held, name) for name in sorted((*_BY_DEFAULT, *_OPT_IN))}


def region_status(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetRegionOptStatus."""
    held, name = _held(state, call), _region(call)
    return {"RegionName": name, "RegionOptStatus": _status(held, name)}


def enable_region(state: SandboxState, call: Call) -> dict[str, Any]:
    """EnableRegion, without the minutes that it takes."""
    _held(state, call)["regions"].add(_opt_in(call))
    return {}


def disable_region(state: SandboxState, call: Call) -> dict[str, Any]:
    """DisableRegion, without the minutes that it takes."""
    _held(state, call)["regions"].discard(_opt_in(call))
    return {}


def _status(held: dict[str, Any], name: str) -> str:
    if name in _BY_DEFAULT:
        return "ENABLED_BY_DEFAULT"
    return "ENABLED" if name in held["regions"] else "DISABLED"


def _region(call: Call) -> str:
    name: str = call.parameters["RegionName"]
    if name not in (*_BY_DEFAULT, *_OPT_IN):
        raise ServiceError("ValidationException", "The region name is not valid.")
    return name


def _opt_in(call: Call) -> str:
    name = _region(call)
    if name in _BY_DEFAULT:
        raise ServiceError("ValidationException", "The region is enabled by default.")
    return name


def contents(state: SandboxState) -> Iterator[str]:
    """Describe what accounts have of their own."""
    for account_id, held in state.of_service(SERVICE, dict[str, dict[str, Any]]).items():
        yield from (f"{kind} contact of {account_id}" for kind in held["alternates"])
        yield from (f"region {name} of {account_id}" for name in held["regions"])


OPERATIONS: dict[str, Operation] = {
    "AcceptPrimaryEmailUpdate": accept_email_update,
    "DeleteAlternateContact": delete_alternate,
    "DisableRegion": disable_region,
    "EnableRegion": enable_region,
    "GetAccountInformation": information,
    "GetAlternateContact": get_alternate,
    "GetContactInformation": get_contact,
    "GetGovCloudAccountInformation": govcloud_information,
    "GetPrimaryEmail": primary_email,
    "GetRegionOptStatus": region_status,
    "ListRegions": list_regions,
    "PutAccountName": put_name,
    "PutAlternateContact": put_alternate,
    "PutContactInformation": put_contact,
    "StartPrimaryEmailUpdate": start_email_update,
}
