"""Implement each RPC of Octo; a confirmation probes AWS.

Messages: the published protobuf of the cover service (accountaccess.proto, cover.proto), with every
field present, as a grpc-gateway writes them.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from orchestrator.sandbox.octo import templates
from orchestrator.sandbox.octo.errors import ApiError
from orchestrator.sandbox.octo.probe import ROLE, ProbeError
from orchestrator.sandbox.octo.rpc import Operation, RpcCall
from orchestrator.sandbox.octo.state import Account, now
from orchestrator.sandbox.organization import OCTO


def who_am_i(rpc: RpcCall) -> dict[str, Any]:
    """GetUserDetails."""
    return {"userData": {"id": rpc.client.client_id, "companyId": rpc.client.organization}}


def register(rpc: RpcCall) -> dict[str, Any]:
    """RegisterAccount: an account has one owner, and is registered once."""
    account_id = str(rpc.body.get("accountId", ""))
    if not re.fullmatch(r"[0-9]{12}", account_id):
        raise ApiError(3, "accountId must be 12 digits")
    with rpc.state.lock:
        accounts = rpc.state.octo.accounts
        known = accounts.get(account_id)
        if known is not None and known.organization != rpc.client.organization:
            raise ApiError(7, f"account {account_id} is owned by another organization")
        if known is not None:
            raise ApiError(6, f"account {account_id} is already registered")
        name, time = str(rpc.body.get("accountName", "")), now()
        accounts[account_id] = Account(account_id, name, rpc.client.organization, time, time)
    return {}


def template(rpc: RpcCall) -> dict[str, Any]:
    """GetAccountAccessTemplateUrl."""
    external_id, version = rpc.client.external_id, rpc.state.octo.template_version
    address = templates.url(version)
    return {
        "launchUrl": "https://console.aws.amazon.com/cloudformation/home?region=us-east-1"
        f"#/stacks/create/review?templateURL={quote(address, safe='')}&stackName={templates.STACK}"
        f"&param_ExternalId={external_id}&param_Principal={OCTO}",
        "templateUrl": address,
        "stackName": templates.STACK,
        "principal": OCTO,
        "externalId": external_id,
        "templateVersion": version,
    }


def confirm_api_access(rpc: RpcCall) -> dict[str, Any]:
    """CreateAccountAccess: assume the role, and find the account's type through it."""
    account, external_id = _own(rpc), rpc.client.external_id
    by_terraform = rpc.body.get("fromTerraform") is True
    try:
        found = rpc.principal.identify(account.account_id, external_id)
    except ProbeError as error:
        _update_account(rpc, account, error=str(error), api_access=False)
        raise ApiError(9, f"API access is not set up: {error}") from None
    with rpc.state.lock:
        payer = rpc.state.octo.accounts.get(found.payer_id)
        if payer is None or payer.organization != account.organization:
            raise ApiError(
                9,
                f"payer account {found.payer_id} is not registered: register the payer before its"
                f" linked account {account.account_id}",
            )
    _update_account(
        rpc,
        account,
        account_type=found.account_type,
        payer_id=found.payer_id,
        role_arn=f"arn:aws:iam::{account.account_id}:role/{ROLE}",
        api_access=True,
        error="",
        method="terraform" if by_terraform else "console",
        stack_id="" if by_terraform else rpc.principal.stack_of(account.account_id, external_id),
        template_version=_version_of(rpc, account),
    )
    return _access(rpc, account)


def confirm_cur(rpc: RpcCall) -> dict[str, Any]:
    """CreateAccountAccessCur: confirmed when a delivered manifest can be read."""
    account = _own(rpc)
    if not account.api_access:
        raise ApiError(9, "API access must be confirmed first")
    if not account.is_payer:
        raise ApiError(9, f"account {account.account_id} is no payer account")
    try:
        exports = rpc.principal.exports(
            account.account_id,
            rpc.client.external_id,
            for_cur_role=rpc.state.octo.sends_id_to_cur_role,
        )
    except ProbeError as error:
        _update_account(rpc, account, error=str(error), cur_export=False)
        raise ApiError(9, f"CUR export is not set up: {error}") from None
    chosen = next((export for export in exports if export.delivered), exports[0])
    _update_account(
        rpc,
        account,
        bucket=chosen.bucket,
        prefix=chosen.prefix,
        report=chosen.report,
        cur_export=chosen.delivered,
        data_available=chosen.delivered,
        error="",
    )
    return _access(rpc, account)


def confirm_stackset(rpc: RpcCall) -> dict[str, Any]:
    """CreateAccountAccessStackset: assume the role in every active linked account."""
    account = _own(rpc)
    if not account.api_access or not account.is_payer:
        raise ApiError(9, "API access of a payer account must be confirmed first")
    external_id = rpc.client.external_id
    try:
        members = dict(rpc.principal.members(account.account_id, external_id))
    except ProbeError as error:
        raise ApiError(9, f"the StackSet cannot be confirmed: {error}") from None
    reached = rpc.principal.reachable(members, external_id)
    if members and not reached:
        raise ApiError(9, "the StackSet has reached no linked account")
    for account_id in sorted(reached):
        with rpc.state.lock:
            linked = rpc.state.octo.accounts.get(account_id)
            if linked is None:
                linked = Account(
                    account_id, members[account_id], account.organization, now(), now()
                )
                rpc.state.octo.accounts[account_id] = linked
            if linked.organization != account.organization:
                continue
        _update_account(
            rpc,
            linked,
            name=members[account_id],  # Octo's pages: an earlier name is overwritten
            account_type="linked",
            payer_id=account.account_id,
            role_arn=f"arn:aws:iam::{account_id}:role/{ROLE}",
            api_access=True,
            error="",
            template_version=_version_of(rpc, linked),
        )
    region = str(rpc.body.get("region", ""))
    _update_account(rpc, account, stack_set=True, stack_region=region, error="")
    return _access(rpc, account)


def status(rpc: RpcCall) -> dict[str, Any]:
    """GetDataAccess."""
    return _data(rpc, _own(rpc))


def status_of_all(rpc: RpcCall) -> list[dict[str, Any]]:
    """ListDataAccess."""
    with rpc.state.lock:
        accounts = [
            a for a in rpc.state.octo.accounts.values() if a.organization == rpc.client.organization
        ]
    return [_data(rpc, account) for account in accounts]


def update(rpc: RpcCall) -> dict[str, Any]:
    """UpdateAccountAccess: start the update of the account's stack, by Octo's own role there.

    The operation is done once the update has begun; the next confirmation judges what came of it.
    """
    account = _own(rpc)
    if _status(rpc, account) != "outdated":
        raise ApiError(9, f"the access of account {account.account_id} is not outdated")
    if not account.stack_id:
        raise ApiError(9, f"no CloudFormation stack made the role of {account.account_id}")
    try:
        rpc.principal.update_stack(
            account.account_id,
            rpc.client.external_id,
            account.stack_id,
            templates.url(rpc.state.octo.template_version),
        )
    except ProbeError as error:
        raise ApiError(9, f"the stack is not updated: {error}") from None
    return {"name": f"operations/update-{account.account_id}", "metadata": None, "done": True}


def unregister(rpc: RpcCall) -> dict[str, Any]:
    """DeleteAccountAccess: remove the registration; nothing in AWS changes."""
    account = _own(rpc)
    with rpc.state.lock:
        del rpc.state.octo.accounts[account.account_id]
    return {"targetId": account.account_id}


OPERATIONS: dict[str, Operation] = {
    "GetUserDetails": who_am_i,
    "RegisterAccount": register,
    "GetAccountAccessTemplateUrl": template,
    "CreateAccountAccess": confirm_api_access,
    "CreateAccountAccessCur": confirm_cur,
    "CreateAccountAccessStackset": confirm_stackset,
    "GetDataAccess": status,
    "ListDataAccess": status_of_all,
    "UpdateAccountAccess": update,
    "DeleteAccountAccess": unregister,
}


def _own(rpc: RpcCall) -> Account:
    with rpc.state.lock:
        account = rpc.state.octo.accounts.get(rpc.target)
    if account is None or account.organization != rpc.client.organization:
        raise ApiError(5, f"account {rpc.target} is not registered")
    return account


def _update_account(rpc: RpcCall, account: Account, **changes: Any) -> None:
    with rpc.state.lock:
        for name, value in changes.items():
            setattr(account, name, value)
        account.updated = now()


def _version_of(rpc: RpcCall, account: Account) -> str:
    """The newest version of the template, if the account's role has what it adds; else the old."""
    newest = rpc.state.octo.template_version
    if templates.satisfies(account.account_id, newest):
        return newest
    return account.template_version or templates.VERSIONS[0]


def _template_url(rpc: RpcCall, account: Account) -> str:
    """The template that the account's access was made by; the newest before it is confirmed."""
    return templates.url(account.template_version or rpc.state.octo.template_version)


def _status(rpc: RpcCall, account: Account) -> str:
    """What Octo says of an account: an error's text, ``outdated`` or ``latest``."""
    newest = rpc.state.octo.template_version
    is_outdated = account.api_access and account.template_version != newest
    return account.error or ("outdated" if is_outdated else "latest")


def _registration_status(account: Account) -> dict[str, bool]:
    return {
        "apiAccess": account.api_access,
        "cloudwatchStreaming": False,
        "curExport": account.cur_export,
        "payer": account.is_payer,
        "stackSet": account.stack_set,
        "transferAccount": False,
        "isDataAvailable": account.data_available,
    }


def _access(rpc: RpcCall, account: Account) -> dict[str, Any]:
    return {
        "target": account.account_id,
        "accountName": account.name,
        "accountType": account.account_type,
        "payerId": account.payer_id,
        "roleArn": account.role_arn,
        "externalId": rpc.client.external_id,
        "stackId": account.stack_id,
        "stackRegion": account.stack_region,
        "templateUrl": _template_url(rpc, account),
        "bucketName": account.bucket,
        "prefix": account.prefix,
        "reportName": account.report,
        "registrationStatus": _registration_status(account),
        "status": _status(rpc, account),
        "lastUpdated": account.updated,
    }


def _data(rpc: RpcCall, account: Account) -> dict[str, Any]:
    return {
        "target": account.account_id,
        "orgId": account.organization,
        "gcpOptions": None,
        "azureOptions": None,
        "awsOptions": {
            "AccountName": account.name,
            "PayerId": account.payer_id,
            "RoleArn": account.role_arn,
            "ExternalId": rpc.client.external_id,
            "StackId": account.stack_id,
            "StackRegion": account.stack_region,
            "TemplateUrl": _template_url(rpc, account),
            "BucketName": account.bucket,
            "Prefix": account.prefix,
            "ReportName": account.report,
            "registrationStatus": _registration_status(account),
            "Status": _status(rpc, account),
            "RegistrationMethod": account.method,
            "templateVersion": account.template_version,
        },
        "accountType": account.account_type,
        "lastUpdate": account.updated,
        "createTime": account.created,
        "vendor": "aws",
    }
