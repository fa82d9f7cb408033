"""The parameters of an RPC of Octo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.sandbox.octo.probe import Principal
from orchestrator.sandbox.octo.state import Client
from orchestrator.sandbox.state import SandboxState


@dataclass(frozen=True)
class RpcCall:
    """One call of a client; ``principal`` is Octo's access to AWS."""

    state: SandboxState
    client: Client
    principal: Principal
    target: str
    body: dict[str, Any]


Operation = Callable[[RpcCall], Any]
