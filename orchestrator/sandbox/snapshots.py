"""Snapshots: everything that the accounts, the organization and Octo hold, to return to.

A snapshot is kept in memory under a name and may be restored any number of times. It is never
read from outside: unpickling runs what it is given.
"""

from __future__ import annotations

import io
import pickle
from collections import defaultdict
from dataclasses import fields
from types import FunctionType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

from orchestrator.sandbox import delivery, stack_changes
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.state import SandboxState

_functions: dict[object, FunctionType] = {}  # what snapshots refer to, by id


class Snapshots:
    """The snapshots of one sandbox; the caller holds the lock of ``state``."""

    def __init__(self, state: SandboxState, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self._taken: dict[str, bytes] = {}

    def take(self, name: str) -> None:
        """Keep the present state under a name, in place of an earlier snapshot of that name.

        No other call may be under way. Injected faults are not part of a snapshot.

        Raises:
            ValueError: a CloudFormation stack is still being changed.
        """
        stack_changes.advance(self._state)
        if self._state.stacks_in_progress:
            raise ValueError("a stack is being changed: take the snapshot when that has ended")
        text = io.BytesIO()
        pickler = _Pickler(text, pickle.HIGHEST_PROTOCOL)
        pickler.state = self._state
        pickler.dump((_own(self._state), _moto()))
        self._taken[name] = text.getvalue()

    def restore(self, name: str) -> None:
        """Put the state of a snapshot in place of the present one, and remove injected faults.

        Reports that were not delivered yet are delivered as if they had just been created.

        Raises:
            ValueError: there is no snapshot of that name.
        """
        if name not in self._taken:
            raise ValueError(f"no snapshot is called {name}; there are: {sorted(self._taken)}")
        unpickler = _Unpickler(io.BytesIO(self._taken[name]))
        unpickler.state = self._state
        own, moto = unpickler.load()
        vars(self._state).update(own)
        for backends in _services():
            backends.clear()
            accounts, attributes = moto.get(backends.service_name, ({}, {}))
            vars(backends).update(attributes)
            for account_id, account in accounts.items():
                backends[account_id] = account
        self._faults.clear()
        for account_id, reports in self._state.reports.items():
            for report_name, report in reports.items():
                if not report.definition.get("ReportStatus"):
                    delivery.schedule_delivery(self._state, account_id, report_name)


class _Pickler(pickle.Pickler):
    """Refers to the sandbox's state where it is referred to: its lock cannot be copied.

    So it does to functions inside functions, such as the defaults of moto's dictionaries, which
    have no name to load them by. The private keys that moto's KMS holds are written as PEM.
    """

    state: SandboxState

    def persistent_id(self, thing: Any) -> object:
        if thing is self.state:
            return "state"
        if isinstance(thing, FunctionType) and "<locals>" in thing.__qualname__:
            _functions[id(thing)] = thing
            return id(thing)
        return None

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, defaultdict) and type(thing) is not defaultdict:  # SSM's parameters
            arguments = (type(thing), thing.default_factory)
            return _dictionary, arguments, vars(thing), None, iter(thing.items())
        if not isinstance(thing, RSAPrivateKey | EllipticCurvePrivateKey):
            return NotImplemented
        pem = thing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return _private_key, (pem,)


def _dictionary(kind: type[Any], default_factory: Any) -> Any:
    """Make a dictionary with defaults without its constructor, which may need arguments."""
    made: Any = defaultdict.__new__(kind)
    defaultdict.__init__(made, default_factory)
    return made


def _private_key(pem: bytes) -> Any:
    return load_pem_private_key(pem, None)


class _Unpickler(pickle.Unpickler):
    state: SandboxState

    def persistent_load(self, reference: object) -> object:
        return self.state if reference == "state" else _functions[reference]


def _own(state: SandboxState) -> dict[str, Any]:
    """The fields of the sandbox's own state by name, without its lock and its log."""
    return {
        f.name: getattr(state, f.name) for f in fields(state) if f.name not in ("lock", "accesses")
    }


def _moto() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The backends by account, and the attributes, of each service of moto that has any."""
    return {backends.service_name: (dict(backends), vars(backends)) for backends in _services()}


def _services() -> set[BackendDict[Any]]:
    """The services of moto in use; S3 always, which keeps the owners of buckets by itself."""
    return {*BackendDict._instances, s3_backends}
