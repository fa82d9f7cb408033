"""AWS Health: its API needs the same support plan as AWS Support's; there are no events.

Source: AWS Health API Reference: SubscriptionRequiredException for an account without Business
Support or higher.
"""

from __future__ import annotations

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.support import require_plan

SERVICE = "health"
check = require_plan
OPERATIONS: dict[str, Operation] = {}
