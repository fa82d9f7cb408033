"""What Terraform's state says of itself and of its resources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StateVersion:
    """Which state it is: ``lineage`` names its whole life, ``serial`` counts its changes."""

    lineage: str
    serial: int


@dataclass(frozen=True)
class StateResource:
    """A resource instance of the state; ``key`` is its ``for_each`` key or index, else empty.

    ``tainted``: it was made, but not to the end, and Terraform would replace it. ``arn``: where its
    type has one.
    """

    type: str
    address: str
    key: str
    tainted: bool
    arn: str

    @property
    def region(self) -> str:
        """The region in its ARN; empty where it has none."""
        return self.arn.split(":")[3] if self.arn else ""


NO_STATE = StateVersion("", 0)
