"""What an RPC of Octo's is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.sandbox.octo.probe import Principal
from orchestrator.sandbox.octo.state import Client
from orchestrator.sandbox.world import World


@dataclass(frozen=True)
class Asked:
    """One call: who asks, with what; ``principal`` is how Octo reaches AWS."""

    world: World
    client: Client
    principal: Principal
    target: str
    body: dict[str, Any]


Operation = Callable[[Asked], Any]
