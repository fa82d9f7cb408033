"""Answer calls that list the resources of an account which has none.

The calls are those that neither the sandbox nor moto implements: AWS answers them with empty lists
in an account that has never used the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from moto.core.model import OperationModel

_READS = ("Describe", "Get", "List")
_LISTS_OF_AWS = {"pricing", "service-quotas", "trustedadvisor"}  # they list what AWS offers
_REFUSES_NOT_ENABLED = {"auditmanager", "macie2", "securityhub"}  # AWS refuses: not enabled
# Operations whose names match list what AWS itself provides: their answers are never empty.
_OF_AWS = re.compile(
    r"Available|Builtin|Compatible|Default|Foundation|Managed|Orderable|Supported"
    r"|(AccountAttribute|Blueprint|Branche|Bundle|Catalog|Control|Endpoint|Limit|Location|Offering"
    r"|Option|OptionGroup|ParameterGroup|Platform|Price|Product|ProductsV2|Quota|Rate|Recipe|Region"
    r"|Standard|Topic|Type|Version|Zone)s?\Z|Categories\Z|\ADescribeCertificates\Z"
)
# Parameters that name resources: AWS refuses the call, since it does not find them.
_NAMES_SOME = re.compile(r"(id|arn|name)s?(list)?\Z", re.IGNORECASE)


def nothing_of(
    service: str, model: OperationModel, parameters: Iterable[str]
) -> dict[str, Any] | None:
    """Make the empty answer of a call that lists all of an account's own; None for others."""
    given, answer = model.input_shape, model.output_shape
    lists_all = model.name.startswith(_READS) and not (given and given.required_members)
    if not lists_all or answer is None or service in _LISTS_OF_AWS | _REFUSES_NOT_ENABLED:
        return None
    if _OF_AWS.search(model.name):
        return None
    if any(map(_NAMES_SOME.search, parameters)):
        return None
    found: dict[str, Any] = {
        name: [] for name, member in answer.members.items() if member.type_name == "list"
    }
    return found or None
