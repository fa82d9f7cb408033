"""<feature>.permissions: no boundary or organization's policy denies a feature's permissions."""

from orchestrator.model.module_contract.features import table
from orchestrator.verify.permissions import granted

CHECKS = tuple(
    granted(name, name)
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
