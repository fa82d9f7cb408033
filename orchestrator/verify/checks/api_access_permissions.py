"""api_access.permissions: boundaries and the organization let the role's permissions through."""

from orchestrator.verify.model import Check
from orchestrator.verify.permissions import (
    SIMULATION,
    UNCHECKED,
    judge_permissions,
    read_denials,
)

CHECK = Check(
    id="api_access.permissions",
    promise="Every permission that cost needs is really granted.",
    permissions=(SIMULATION,),
    read=lambda context: read_denials(context, "cost"),
    judge=lambda desired, observed: judge_permissions(desired, observed, "cost"),
    optional=UNCHECKED,
)
