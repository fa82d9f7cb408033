"""External ids while Octo changes its own: which ones the roles accept, and which no longer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Acceptance:
    """The external ids beside the one that Octo presents; each is a secret.

    Attributes:
        also: ids that the roles accept during a rotation; the presented one may be among them.
        since: when the rotation began (ISO 8601, UTC); empty if it is not known.
        retired: ids that the roles must refuse, because a rotation dropped them.
    """

    also: tuple[str, ...] = field(default=(), repr=False)
    since: str = ""
    retired: tuple[str, ...] = field(default=(), repr=False)

    def accepted(self, external_id: str) -> tuple[str, ...]:
        """Return the ids that the roles accept, in the module's order: sorted, each once."""
        return tuple(sorted({external_id, *self.also}))


NO_ROTATION = Acceptance()
