"""AWS and Octo on this machine, for demos and tests: moto, and what moto lacks for this flow.

The sandbox judges octo-tf, so the two share no code: nothing here imports the rest of octo-tf, and
octo-tf, its benchmarks and its tests use only the names below. Access keys, request signatures,
trust policies, identity policies and bucket policies are verified.

``control`` and ``read_env_file`` talk to a running sandbox and need nothing but the standard
library. The other names load moto when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from orchestrator.sandbox import control
from orchestrator.sandbox.control import read_env_file

if TYPE_CHECKING:
    from orchestrator.sandbox.authorization import S3_ACTIONS
    from orchestrator.sandbox.policy import AccessRequest, PolicySet, decide_all
    from orchestrator.sandbox.server import Sandbox, serve
    from orchestrator.sandbox.template import TemplateScope
    from orchestrator.sandbox.template_parser import parse_template

__all__ = [
    "S3_ACTIONS",
    "AccessRequest",
    "PolicySet",
    "Sandbox",
    "TemplateScope",
    "control",
    "decide_all",
    "parse_template",
    "read_env_file",
    "serve",
]

_MODULES = {
    "S3_ACTIONS": "authorization",
    "AccessRequest": "policy",
    "PolicySet": "policy",
    "Sandbox": "server",
    "TemplateScope": "template",
    "decide_all": "policy",
    "parse_template": "template_parser",
    "serve": "server",
}


def __getattr__(name: str) -> Any:
    """Import a name that needs moto (PEP 562).

    Raises:
        ModuleNotFoundError: octo-tf was installed without its ``sandbox`` extra.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
