"""<feature>.permissions: no boundary or organization's policy denies a feature's permissions."""

from __future__ import annotations

from functools import partial

from orchestrator.model.module_contract.features import table
from orchestrator.verify.model import Check
from orchestrator.verify.permissions import (
    SIMULATION,
    UNCHECKED,
    judge_permissions,
    read_denials,
)

CHECKS = tuple(
    Check(
        id=f"{name}.permissions",
        promise=f"Every permission that {name} needs is really granted.",
        permissions=(SIMULATION,),
        read=partial(read_denials, feature=name),
        judge=partial(judge_permissions, feature=name),
        optional=UNCHECKED,
    )
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
