"""AWS Support: Trusted Advisor's checks, for accounts whose support plan has them.

The payer has Business Support, and the other accounts have Basic Support. Source: AWS Support API
Reference, DescribeTrustedAdvisorChecks and its siblings; the error is AWS's own.
"""

from __future__ import annotations

import time
from typing import Any

from moto.core.utils import get_service_model

from orchestrator.sandbox.instances import RunningInstance, running
from orchestrator.sandbox.organization import PAYER
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "support"
LOW_UTILIZATION = "Qch7DwouX1"  # the check "Low Utilization Amazon EC2 Instances"


def supported_accounts(state: SandboxState) -> set[str]:
    """Get the accounts with Business Support or higher."""
    return state.of_service(SERVICE, lambda: {PAYER})


def check_plan(state: SandboxState, call: Call) -> Any:
    """Every call: only with a support plan that has the API."""
    require_plan(state, call)
    return TO_MOTO


def check_result(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeTrustedAdvisorCheckResult: the account's running instances are little used."""
    require_plan(state, call)
    check = call.parameters["checkId"]
    found = [*running([call.caller.account_id])] if check == LOW_UTILIZATION else []
    summary = {"resourcesProcessed": len(found), "resourcesFlagged": len(found)}
    savings = {"estimatedMonthlySavings": sum(i.monthly_cost for i in found)}
    return {
        "result": {
            "checkId": check,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "status": "warning" if found else "ok",
            "resourcesSummary": {**summary, "resourcesIgnored": 0, "resourcesSuppressed": 0},
            "categorySpecificSummary": {
                "costOptimizing": {**savings, "estimatedPercentMonthlySavings": 100.0}
            },
            "flaggedResources": [_flagged(instance) for instance in found],
        }
    }


def _flagged(instance: RunningInstance) -> dict[str, Any]:
    return {
        "status": "warning",
        "region": instance.region,
        "resourceId": instance.id,
        "isSuppressed": False,
        "metadata": [
            instance.region,
            instance.id,
            "",
            instance.type,
            f"${instance.monthly_cost:.2f}",
        ],
    }


def require_plan(state: SandboxState, call: Call) -> None:
    """Refuse the calls of an account without Business Support or higher.

    Raises:
        ServiceError: SubscriptionRequiredException.
    """
    if call.caller.account_id not in supported_accounts(state):
        raise ServiceError(
            "SubscriptionRequiredException",
            "Amazon Web Services Premium Support Subscription is required to use this service.",
        )


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(get_service_model(SERVICE).operation_names, check_plan),
    "DescribeTrustedAdvisorCheckResult": check_result,
}
