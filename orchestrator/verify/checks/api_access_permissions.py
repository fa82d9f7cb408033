"""api_access.permissions: boundaries and the organization let the role's permissions through."""

from orchestrator.verify.permissions import granted

CHECK = granted("api_access", "cost")
