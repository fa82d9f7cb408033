"""Snapshots: everything that the accounts, the organization and Octo hold, to return to.

A snapshot is kept in memory under a name and may be restored any number of times. It is never
read from outside: unpickling runs what it is given.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import fields
from typing import Any

from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

from orchestrator.sandbox import delivery, stack_changes
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.world import World


class Snapshots:
    """The snapshots of one sandbox; the caller holds the lock of ``world``."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._taken: dict[str, bytes] = {}

    def take(self, name: str) -> None:
        """Keep the present state under a name, in place of an earlier snapshot of that name.

        No other call may be under way. Planted faults are not part of a snapshot.

        Raises:
            ValueError: a CloudFormation stack is still being changed.
        """
        stack_changes.advance(self._world)
        if self._world.stacks_at_work:
            raise ValueError("a stack is being changed: take the snapshot when that has ended")
        text = io.BytesIO()
        pickler = _Pickler(text, pickle.HIGHEST_PROTOCOL)
        pickler.world = self._world
        pickler.dump((_own(self._world), _moto()))
        self._taken[name] = text.getvalue()

    def restore(self, name: str) -> None:
        """Put the state of a snapshot in place of the present one, and remove planted faults.

        Reports that were not delivered yet are delivered as if they had just been created.

        Raises:
            ValueError: there is no snapshot of that name.
        """
        if name not in self._taken:
            raise ValueError(f"no snapshot is called {name}; there are: {sorted(self._taken)}")
        unpickler = _Unpickler(io.BytesIO(self._taken[name]))
        unpickler.world = self._world
        own, moto = unpickler.load()
        vars(self._world).update(own)
        for backends in _services():
            backends.clear()
            accounts, attributes = moto.get(backends.service_name, ({}, {}))
            vars(backends).update(attributes)
            for account_id, account in accounts.items():
                backends[account_id] = account
        self._faults.clear()
        for account_id, reports in self._world.reports.items():
            for report_name, report in reports.items():
                if "ReportStatus" not in report.definition:
                    delivery.soon(self._world, account_id, report_name)


class _Pickler(pickle.Pickler):
    """Refers to the sandbox's state where it is referred to: its lock cannot be copied."""

    world: World

    def persistent_id(self, thing: Any) -> str | None:
        return "world" if thing is self.world else None


class _Unpickler(pickle.Unpickler):
    world: World

    def persistent_load(self, _reference: Any) -> World:
        return self.world


def _own(world: World) -> dict[str, Any]:
    """The fields of the sandbox's own state by name, without its lock."""
    return {f.name: getattr(world, f.name) for f in fields(world) if f.name != "lock"}


def _moto() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The backends by account, and the attributes, of each service of moto that has any."""
    return {backends.service_name: (dict(backends), vars(backends)) for backends in _services()}


def _services() -> set[BackendDict[Any]]:
    """The services of moto in use; S3 always, which keeps the owners of buckets by itself."""
    return {*BackendDict._instances, s3_backends}
