"""api_access.permissions: boundaries and the organization let the role's permissions through."""

from orchestrator.verify.model import Check
from orchestrator.verify.permissions import SIMULATION, judge_permissions

CHECK = Check(
    id="api_access.permissions",
    promise="Every permission that cost needs is really granted.",
    permissions=(SIMULATION,),
    run=lambda context: judge_permissions(context, "cost"),
)
