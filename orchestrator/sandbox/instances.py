"""The running EC2 instances that recommendations are about.

The sandbox has no load on them, so that every running instance is idle and may be stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.sandbox.state import PARTITION

_HOURS = 730  # a month, as AWS estimates savings
# USD an hour, On-Demand, Linux, us-east-1 (Amazon EC2 price list, 2026); others as m5.large.
_PRICES = {"t3.micro": 0.0104, "t3.medium": 0.0416, "m5.large": 0.096, "m5.xlarge": 0.192}


@dataclass(frozen=True)
class RunningInstance:
    """An instance; ``monthly_cost`` in USD."""

    account_id: str
    region: str
    id: str
    type: str

    @property
    def arn(self) -> str:
        """The instance's ARN."""
        return f"arn:{PARTITION}:ec2:{self.region}:{self.account_id}:instance/{self.id}"

    @property
    def monthly_cost(self) -> float:
        """The cost of a month, in USD."""
        return round(_PRICES.get(self.type, _PRICES["m5.large"]) * _HOURS, 2)


def running(account_ids: Iterable[str]) -> Iterator[RunningInstance]:
    """Yield the running instances of accounts, in every region."""
    if "moto.ec2.models" not in sys.modules:  # nobody has called EC2, and loading it takes a second
        return
    from moto.ec2.models import ec2_backends

    for account_id in account_ids:
        # A backend that is asked for by name would be made, with its VPC.
        for region, backend in sorted(dict(dict(ec2_backends).get(account_id, {})).items()):
            for reservation in list(backend.reservations.values()):
                for instance in reservation.instances:
                    if instance.state == "running":
                        yield RunningInstance(
                            account_id, region, instance.id, instance.instance_type
                        )
