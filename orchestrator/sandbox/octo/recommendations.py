"""Octo's features: what it recommends of an account, and how it carries a recommendation out.

Messages and paths: the published protobuf of the cover service (ListRecommendationsV3,
GetRecommendationV3, ExecuteRecommendationV3). The steps and statuses are those of Octo's page
"Execute Recommendation": a change template that a person approves, then a change request, then its
execution. Octo looks for approvals every half hour; here, whenever it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.sandbox.octo.errors import ApiError
from orchestrator.sandbox.octo.probe import ROLE, ProbeError
from orchestrator.sandbox.octo.rpc import Operation, RpcCall
from orchestrator.sandbox.octo.state import Account
from orchestrator.sandbox.services.support import LOW_UTILIZATION
from orchestrator.sandbox.state import LOG

_SEARCHER, _UPDATER = "OctoRecommendationSearcherRole", "OctoSSMUpdaterRole"
_EXECUTOR, _APPROVER = "OctoChangeExecutorRole", "OctoChangeTemplateApproverRole"
_RUNBOOK = "AWS-StopEC2Instance"
# The answers of an account that is not enrolled, or whose support plan has no checks.
_NOTHING_THERE = ("not enrolled for recommendations", "not registered", "Support Subscription")
_AVAILABLE, _PENDING, _APPROVED = "Available", "Pending approval", "Approved"
_EXECUTED, _ERROR = "Executed", "Execution error"
_TYPES = ("DEFAULT", "MARK_AS_EXECUTED", "UNDO_EXECUTED", "SUBMIT_TEMPLATE", "RETRY_EXECUTE")

Connect = Callable[..., Any]  # (service, region) -> a boto3 client with a role's credentials


@dataclass
class Recommendation:
    """One resource that costs more than it has to, and how far its execution is.

    ``template`` and ``request``: the change template's name, and the change request's id.
    """

    target: str
    region: str
    resource: str
    source: str
    savings: float
    status: str = _AVAILABLE
    template: str = ""
    request: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        """The id by which it is executed."""
        return f"stop-ec2.{self.target}.{self.region}.{self.resource}"

    def described(self, name: str) -> dict[str, Any]:
        """Describe it as Octo's API does; ``name`` is the account's."""
        return {
            "id": self.id,
            "name": "Stop idle EC2 instance",
            "target": self.target,
            "targetName": name,
            "category": "Usage",
            "type": "Stop",
            "vendor": "aws",
            "source": self.source,
            "code": "stop_ec2",
            "service": "AmazonEC2",
            "region": self.region,
            "resourceId": self.resource,
            "estimatedMonthlySavings": self.savings,
            "estimatedMonthlyBeforeCost": self.savings,
            "estimatedMonthlyAfterCost": 0.0,
            "status": self.status,
        }


@dataclass
class Known:
    """The recommendations that were found so far, by id."""

    by_id: dict[str, Recommendation] = field(default_factory=dict)


def list_all(rpc: RpcCall) -> dict[str, Any]:
    """ListRecommendationsV3: of every account, or of the one that ``filters.target`` names."""
    target = str(rpc.body.get("filters", {}).get("target", ""))
    accounts = [account for account in _accounts(rpc) if target in ("", account.account_id)]
    if target and not accounts:
        raise ApiError(5, f"account {target} has no API access")
    for account in accounts:
        failures = _find(rpc, account)
        if target and len(failures) == len(_SOURCES):
            raise ApiError(9, f"recommendations cannot be read: {'; '.join(failures)}")
    wanted = rpc.body.get("statuses") or []
    names = {account.account_id: account.name for account in accounts}
    found = [r for r in _advanced(rpc, names) if r.status in wanted or not wanted]
    return {"recommendations": [r.described(names[r.target]) for r in found]}


def get(rpc: RpcCall) -> dict[str, Any]:
    """GetRecommendationV3: some by their ids, with the execution's details."""
    names = {account.account_id: account.name for account in _accounts(rpc)}
    found = [r for r in _advanced(rpc, names) if r.id in rpc.body.get("ids", [])]
    details = ({"template": r.template, "request": r.request, "error": r.error} for r in found)
    return {
        "recommendations": [
            {**r.described(names[r.target]), "details": detail}
            for r, detail in zip(found, details, strict=True)
        ]
    }


def execute(rpc: RpcCall) -> dict[str, Any]:
    """ExecuteRecommendationV3: makes the change template, or carries out the approved change."""
    given = rpc.body.get("executeType", 0)
    kind = _TYPES[given] if isinstance(given, int) and 0 <= given < len(_TYPES) else str(given)
    if kind not in ("DEFAULT", "SUBMIT_TEMPLATE", "RETRY_EXECUTE"):
        raise ApiError(3, f"executeType {kind} is not supported by the sandbox")
    names = {account.account_id: account.name for account in _accounts(rpc)}
    found = {r.id: r for r in _advanced(rpc, names)}
    answers = {}
    for id_ in rpc.body.get("ids", []):
        if id_ not in found:
            raise ApiError(5, f"recommendation {id_} is not known")
        answers[id_] = _executed(rpc, found[id_], kind)
    return {"result": answers}


def _executed(rpc: RpcCall, one: Recommendation, kind: str) -> dict[str, Any]:
    try:
        updater = rpc.principal.session(one.target, _UPDATER, rpc.client.external_id)
        ssm = updater("ssm", one.region)
        if kind == "SUBMIT_TEMPLATE":
            _submit(ssm, one)
        else:
            if kind == "RETRY_EXECUTE" and one.status == _ERROR:
                _request(ssm, one)
            if one.status != _APPROVED:
                raise ApiError(9, f"the change template of {one.id} is not approved")
            _carry_out(ssm, one)
    except ProbeError as error:
        raise ApiError(9, str(error)) from None
    except (ClientError, BotoCoreError) as error:
        one.status, one.error = _ERROR, str(error)
    switch = f"account={one.target}&roleName={_APPROVER}"
    return {
        "status": one.status,
        "error": one.error,
        "template": one.template,
        "switchRoleUrl": f"https://signin.aws.amazon.com/switchrole?{switch}",
    }


def _submit(ssm: Any, one: Recommendation) -> None:
    """Make the change template; one of the same kind and region is used again."""
    one.template = f"Octo-StopEC2Instance-{one.region}"
    try:
        ssm.describe_document(Name=one.template)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidDocument":
            raise
        ssm.create_document(
            Name=one.template,
            DocumentType="Automation.ChangeTemplate",
            DocumentFormat="JSON",
            Content=json.dumps(_template()),
        )
    one.status, one.error = _PENDING, ""


def _template() -> dict[str, Any]:
    """Build the change template: who executes in Octo approves its change requests."""
    approver = {"approver": _UPDATER, "type": "IamRole", "minRequiredApprovals": 1}
    return {
        "schemaVersion": "0.3",
        "description": "Octo stops idle EC2 instances.",
        "emergencyChange": False,
        "autoApprovable": False,
        "mainSteps": [
            {
                "name": "ExecuteInOcto",
                "action": "aws:approve",
                "timeoutSeconds": 604800,
                "inputs": {"EnhancedApprovals": {"Approvers": [approver]}},
            }
        ],
        "executableRunBooks": [{"name": _RUNBOOK, "version": "$DEFAULT"}],
    }


def _request(ssm: Any, one: Recommendation) -> None:
    """Make the change request of an approved template."""
    executor = f"arn:aws:iam::{one.target}:role/{_EXECUTOR}"
    one.request = ssm.start_change_request_execution(
        DocumentName=one.template,
        ChangeRequestName=one.id,
        Runbooks=[
            {
                "DocumentName": _RUNBOOK,
                "Parameters": {
                    "InstanceId": [one.resource],
                    "AutomationAssumeRole": [executor],
                },
            }
        ],
    )["AutomationExecutionId"]
    one.status, one.error = _APPROVED, ""


def _carry_out(ssm: Any, one: Recommendation) -> None:
    ssm.send_automation_signal(AutomationExecutionId=one.request, SignalType="Approve")
    found = ssm.get_automation_execution(AutomationExecutionId=one.request)["AutomationExecution"]
    done = found["AutomationExecutionStatus"] == "CompletedWithSuccess"
    one.status = _EXECUTED if done else _ERROR
    one.error = found.get("FailureMessage", "")


def _advanced(rpc: RpcCall, names: dict[str, str]) -> list[Recommendation]:
    """List what was found so far, after a look at the templates that wait for approval."""
    with rpc.state.lock:
        found = [r for r in _known(rpc).by_id.values() if r.target in names]
    for one in found:
        if one.status != _PENDING:
            continue
        try:
            updater = rpc.principal.session(one.target, _UPDATER, rpc.client.external_id)
            ssm = updater("ssm", one.region)
            template = ssm.describe_document(Name=one.template)["Document"]
            if template.get("ReviewStatus") == "APPROVED":
                _request(ssm, one)
        except (ProbeError, ClientError, BotoCoreError) as error:
            one.status, one.error = _ERROR, str(error)
    return found


def _find(rpc: RpcCall, account: Account) -> list[str]:
    """Read each source by Octo's role; return what could not be read, in words."""
    failures = []
    try:
        connect = _reader(rpc, account)
    except ProbeError as error:
        LOG.warning("Octo reads no recommendations of %s: %s", account.account_id, error)
        return [str(error)] * len(_SOURCES)
    found: list[Recommendation] = []
    for name, source in _SOURCES.items():
        try:
            found += source(connect, account.account_id)
        except (ClientError, BotoCoreError) as error:
            if not any(words in str(error) for words in _NOTHING_THERE):
                LOG.warning("Octo cannot read %s of %s: %s", name, account.account_id, error)
                failures.append(f"{name}: {error}")
    with rpc.state.lock:
        known = _known(rpc).by_id
        current = {one.id: one for one in reversed(found)}  # the first source of each names it
        for id_, held in [*known.items()]:
            is_read_again = held.target == account.account_id and not failures
            if is_read_again and id_ not in current and held.status == _AVAILABLE:
                del known[id_]
        for id_, one in current.items():
            known.setdefault(id_, one)
    return failures


def _reader(rpc: RpcCall, account: Account) -> Connect:
    """Assume the searcher role; the API access role where there is none.

    From outside it is not known which of the two the service reads by.
    """
    external_id = rpc.client.external_id
    try:
        return rpc.principal.session(account.account_id, _SEARCHER, external_id)
    except ProbeError:
        return rpc.principal.session(account.account_id, ROLE, external_id)


def _hub(connect: Connect, _account_id: str) -> Iterator[Recommendation]:
    """Cost Optimization Hub; a payer's has those of its members."""
    pages = connect("cost-optimization-hub", "us-east-1").get_paginator("list_recommendations")
    for page in pages.paginate(filter={"actionTypes": ["Stop"], "resourceTypes": ["Ec2Instance"]}):
        for item in page["items"]:
            yield Recommendation(
                item["accountId"],
                item["region"],
                item["resourceId"],
                "Cost Optimization Hub",
                item["estimatedMonthlySavings"],
            )


def _optimizer(connect: Connect, account_id: str) -> Iterator[Recommendation]:
    found = connect("compute-optimizer", "us-east-1").get_idle_recommendations()
    for item in found["idleRecommendations"]:
        savings = item["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
        yield Recommendation(
            account_id, "us-east-1", item["resourceId"], "Compute Optimizer", savings
        )


def _advisor(connect: Connect, account_id: str) -> Iterator[Recommendation]:
    result = connect("support", "us-east-1").describe_trusted_advisor_check_result(
        checkId=LOW_UTILIZATION, language="en"
    )["result"]
    for item in result["flaggedResources"]:
        savings = float(item["metadata"][-1].removeprefix("$"))
        yield Recommendation(
            account_id, item["region"], item["metadata"][1], "Trusted Advisor", savings
        )


_SOURCES: dict[str, Callable[[Connect, str], Iterator[Recommendation]]] = {
    "Cost Optimization Hub": _hub,
    "Compute Optimizer": _optimizer,
    "Trusted Advisor": _advisor,
}


def _accounts(rpc: RpcCall) -> list[Account]:
    """List the client's accounts that Octo has access to."""
    with rpc.state.lock:
        return [
            account
            for account in rpc.state.octo.accounts.values()
            if account.organization == rpc.client.organization and account.api_access
        ]


def _known(rpc: RpcCall) -> Known:
    return rpc.state.of_service("octo recommendations", Known)


OPERATIONS: dict[str, Operation] = {
    "ExecuteRecommendationV3": execute,
    "GetRecommendationV3": get,
    "ListRecommendationsV3": list_all,
}
