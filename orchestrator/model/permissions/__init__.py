"""The permissions that octo-tf's commands need in AWS: one table, and policies made from it."""

from orchestrator.model.permissions.policies import (
    Permission,
    PipelineRole,
    permissions,
    pipeline_roles,
    policies,
    size,
)
from orchestrator.model.permissions.scope import Scope
from orchestrator.model.permissions.table import STEPS, Step
from orchestrator.model.permissions.trust import Trust, trust

__all__ = [
    "STEPS",
    "Permission",
    "PipelineRole",
    "Scope",
    "Step",
    "Trust",
    "permissions",
    "pipeline_roles",
    "policies",
    "size",
    "trust",
]
