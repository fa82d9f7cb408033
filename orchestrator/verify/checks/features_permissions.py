"""<feature>.permissions: no boundary or organization's policy denies a feature's permissions."""

from __future__ import annotations

from functools import partial

from orchestrator.model.module_contract.features import table
from orchestrator.verify.model import Check
from orchestrator.verify.permissions import SIMULATION, judge_permissions

CHECKS = tuple(
    Check(
        id=f"{name}.permissions",
        promise=f"Every permission that {name} needs is really granted.",
        permissions=(SIMULATION,),
        run=partial(judge_permissions, feature=name),
    )
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
