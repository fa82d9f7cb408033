"""Resource Groups Tagging API: the answers that moto lacks.

Source: Resource Groups Tagging API Reference, GetResources, GetComplianceSummary.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "resourcegroupstaggingapi"


def compliance_summary(_state: SandboxState, _call: Call) -> dict[str, Any]:
    """GetComplianceSummary: trusted access for tag policies is off."""
    text = "You must enable trusted access with tag policies in AWS Organizations first."
    raise ServiceError("ConstraintViolationException", text)


# The last page has an empty token, which moto omits.
_LAST_PAGE = r'\A\{(?!.*"PaginationToken")', '{"PaginationToken": "", '
TEXTS = tuple((name, *_LAST_PAGE) for name in ("GetResources", "GetTagKeys", "GetTagValues"))
OPERATIONS: dict[str, Operation] = {"GetComplianceSummary": compliance_summary}
