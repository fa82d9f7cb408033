"""Find a resource of the module by an address that it had in an earlier layout.

The module's own ``moved`` blocks say what became of it, step by step.
Source: https://developer.hashicorp.com/terraform/language/block/moved
"""

from __future__ import annotations

import re

from orchestrator import assets
from orchestrator.model.module_contract.addresses import MODULE, block_of

_KEY = re.compile(r"\[[^\[\]]*\]$")  # of one instance


def current_address(address: str) -> str:
    """Translate an earlier address of a resource to its current one; return others unchanged."""
    if block_of(address) or not address.startswith(MODULE):
        return address
    import hcl2  # slow to load, and needed for an old address only

    blocks = hcl2.loads((assets.MODULE / "moved.tf").read_text())["moved"]
    moves = {block["from"][2:-1]: block["to"][2:-1] for block in blocks}  # without "${" and "}"
    found = address.removeprefix(MODULE)
    while (moved := _moved(found, moves)) is not None:
        found = moved
    return MODULE + found


def _moved(address: str, moves: dict[str, str]) -> str | None:
    """Follow one move: of this very instance, or of a resource with all of its instances."""
    if address in moves:
        return moves[address]
    resource = _KEY.sub("", address)
    moved = moves.get(resource)
    if moved is None or _KEY.search(moved):
        return moved
    return moved + address.removeprefix(resource)
