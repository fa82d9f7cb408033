"""AWS Health, which has its API with the same support plans as AWS Support; nothing happens here.

Source: AWS Health API Reference: SubscriptionRequiredException for an account without Business
Support or higher.
"""

from __future__ import annotations

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.support import require_plan

SERVICE = "health"
check = require_plan
OPERATIONS: dict[str, Operation] = {}
