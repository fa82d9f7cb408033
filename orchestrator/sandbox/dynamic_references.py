"""Resolve the dynamic references of a template to the Parameter Store and to secrets.

Source: CloudFormation User Guide, "Get values stored in other services using dynamic references";
quoted errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError

from orchestrator.sandbox.resources import Actor, ResourceError
from orchestrator.sandbox.stacks import stored_values
from orchestrator.sandbox.template_parameters import text_of
from orchestrator.sandbox.template_parser import TemplateError

_STORED = re.compile(r"\{\{resolve:ssm:([a-zA-Z0-9_.\-/]+(?::\d+)?)\}\}")
_SECRET = re.compile(
    r"\{\{resolve:secretsmanager:((?:arn:(?:[^:{}]*:){5})?[^:{}]+)(?::SecretString)?"
    r"(?::([^:{}]*))?(?::([^:{}]*))?(?::([^:{}]*))?\}\}"
)


def _each_text(value: Any, convert: Callable[[str], str]) -> Any:
    """Convert every string of a value that has a dynamic reference."""
    if isinstance(value, dict):
        return {name: _each_text(inner, convert) for name, inner in value.items()}
    if isinstance(value, list):
        return [_each_text(item, convert) for item in value]
    return convert(value) if isinstance(value, str) and "{{resolve:" in value else value


def with_stored(actor: Actor, properties: Mapping[str, Any]) -> Any:
    """Put values of the Parameter Store in place of {{resolve:ssm:NAME}}.

    Raises:
        ResourceError: a parameter does not exist.
    """
    return _each_text(properties, lambda text: _stored(actor, text))


def _stored(actor: Actor, text: str) -> str:
    names = _STORED.findall(text)
    try:
        found = stored_values(actor, {name: name for name in names})
    except TemplateError:
        raise ResourceError(
            f"Unable to fetch parameters [{', '.join(names)}] from parameter store for this"
            " account."
        ) from None
    return _STORED.sub(lambda reference: found[reference[1]], text)


def with_secrets(actor: Actor, properties: Mapping[str, Any]) -> Any:
    """Replace {{resolve:secretsmanager:...}} by the secret; events and stacks show the reference.

    Raises:
        ResourceError: a secret, or the key in it, does not exist.
        ServiceError: the stack's actor is not allowed to read it.
    """
    return _each_text(
        properties, lambda text: _SECRET.sub(lambda found: _secret(actor, *found.groups()), text)
    )


def _secret(
    actor: Actor, name: str, key: str | None, stage: str | None, version: str | None
) -> str:
    """Get the text of a secret, or the value of one key in it."""
    from moto.secretsmanager.models import secretsmanager_backends

    actor.call("secretsmanager", "GetSecretValue", {"SecretId": name})
    backend = secretsmanager_backends[actor.account_id][actor.region]
    try:
        text = str(backend.get_secret_value(name, version or "", stage or "")["SecretString"])
        return text_of(json.loads(text)[key]) if key else text
    except (KeyError, TypeError, ValueError):
        raise ResourceError(
            "Could not find a value associated with JSONKey in SecretString"
        ) from None
    except JsonRESTError as error:
        raise ResourceError(str(error.message)) from None
