"""Check the form of service and resource control policies, as Organizations does.

Sources: Organizations User Guide, "SCP syntax" (the full language since September 2025), "RCP
syntax"; IAM User Guide, "Policy validation checks".
"""

from __future__ import annotations

import re
from typing import Any

from orchestrator.sandbox import policy_grammar
from orchestrator.sandbox.organization_policies import RESOURCE
from orchestrator.sandbox.policy import as_list

_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_ACTION = re.compile(r"\*|[\w-]+:[\w*?-]+")
_RESOURCE_ARN = re.compile(r"\*|arn:[^:]*:.+")
# The services whose actions a resource control policy may deny.
_WITH_RESOURCES = re.compile(
    r"(aoss|cognito-identity|cognito-idp|dynamodb|ecr|kms|logs|s3|secretsmanager|sqs|sts):.+"
)


def is_formed(kind: str, content: str) -> bool:
    """Whether a text is a policy of its type: a service or a resource control policy."""
    try:
        document = policy_grammar.load(content)
    except ValueError:
        return False
    if not isinstance(document, dict) or document.keys() - {"Version", "Id", "Statement"}:
        return False
    if document.get("Version", policy_grammar.VERSIONS[1]) not in policy_grammar.VERSIONS:
        return False
    statements = as_list(document.get("Statement", []))
    if not statements or not all(_is_statement(kind, one) for one in statements):
        return False
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    return len(sids) == len(set(sids))


def _is_statement(kind: str, statement: Any) -> bool:
    if not isinstance(statement, dict):
        return False
    of_resources = kind == RESOURCE
    elements = _ELEMENTS | ({"Principal"} if of_resources else set())
    if statement.keys() - elements or not isinstance(statement.get("Sid", ""), str):
        return False
    if of_resources and (
        statement.get("Principal") != "*"
        or statement.get("Effect") != "Deny"
        or "NotAction" in statement
    ):
        return False
    actions, resources = (_values(statement, name) for name in ("Action", "Resource"))
    action = _WITH_RESOURCES if of_resources else _ACTION
    return (
        statement.get("Effect") in ("Allow", "Deny")
        and bool(actions and all(action.fullmatch(one) for one in actions))
        and bool(resources and all(_RESOURCE_ARN.fullmatch(one) for one in resources))
        and policy_grammar.has_valid_conditions(statement)
    )


def _values(statement: dict[str, Any], name: str) -> list[str]:
    """Get the texts of an element or of its negation; none if both are there, or neither."""
    given = [each for each in (name, f"Not{name}") if each in statement]
    if len(given) != 1 or not policy_grammar.is_text(statement[given[0]]):
        return []
    return as_list(statement[given[0]])
