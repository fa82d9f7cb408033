"""Answer what ``control`` asks of a running sandbox: an endpoint is a function and a row here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.request import Request
from werkzeug.wrappers import Response

from orchestrator.sandbox import control, delivery
from orchestrator.sandbox.changes import ChangeLog
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.octo import templates
from orchestrator.sandbox.snapshots import Snapshots
from orchestrator.sandbox.state import SandboxState


@dataclass(frozen=True)
class Controlled:
    """The parts of a running sandbox that are controlled over HTTP."""

    state: SandboxState
    faults: Faults
    changes: ChangeLog
    snapshots: Snapshots


class _Refused(Exception):
    """A request that cannot be followed: the reason, and the HTTP status."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def answer(sandbox: Controlled, request: Request) -> Response:
    """Follow one request and answer it in JSON; 400, 404 or 409 with ``error`` if refused."""
    endpoint = _ENDPOINTS.get((request.method, request.path.removeprefix(control.PATH)))
    try:
        if endpoint is None:
            raise _Refused("no such control endpoint", 404)
        result, status = endpoint(sandbox, json.loads(request.get_data() or "{}")), 200
    except _Refused as refused:
        result, status = {"error": str(refused)}, refused.status
    except json.JSONDecodeError as error:
        result, status = {"error": f"the body is not JSON: {error}"}, 400
    return Response(json.dumps(result), status, {"Content-Type": "application/json"})


def _deliver(sandbox: Controlled, _body: Any) -> Any:
    return delivery.deliver_all(sandbox.state)


def _set_pace(sandbox: Controlled, body: Any) -> Any:
    sandbox.state.stack_seconds = float(body["stack_seconds"])
    return {}


def _set_cur_role(sandbox: Controlled, body: Any) -> Any:
    sandbox.state.octo.sends_id_to_cur_role = bool(body["external_id"])
    return {}


def _set_external_id(sandbox: Controlled, body: Any) -> Any:
    with sandbox.state.lock:
        sandbox.state.octo.change_external_id(str(body["external_id"]))
    return {}


def _set_template(sandbox: Controlled, body: Any) -> Any:
    version = str(body["version"])
    if version not in templates.VERSIONS:
        raise _Refused("no such version of the template")
    sandbox.state.octo.template_version = version
    return {}


def _state(sandbox: Controlled, _body: Any) -> Any:
    state = sandbox.state
    return {"accounts": state.accounts, "unknown_calls": dict(state.unknown_calls)}


def _accesses(sandbox: Controlled, _body: Any) -> Any:
    return sandbox.state.accesses.taken()


def _changes(sandbox: Controlled, _body: Any) -> Any:
    return sandbox.changes.listed()


def _faults(sandbox: Controlled, _body: Any) -> Any:
    with sandbox.state.lock:
        return sandbox.faults.listed()


def _add_fault(sandbox: Controlled, body: Any) -> Any:
    with sandbox.state.lock:
        try:
            sandbox.faults.add(body)
        except (ValueError, TypeError) as error:
            raise _Refused(str(error)) from error
        return sandbox.faults.listed()


def _clear_faults(sandbox: Controlled, _body: Any) -> Any:
    with sandbox.state.lock:
        sandbox.faults.clear()
        return sandbox.faults.listed()


def _take_snapshot(sandbox: Controlled, body: Any) -> Any:
    return _with_snapshots(sandbox, sandbox.snapshots.take, body)


def _restore_snapshot(sandbox: Controlled, body: Any) -> Any:
    return _with_snapshots(sandbox, sandbox.snapshots.restore, body)


def _with_snapshots(sandbox: Controlled, act: Callable[[str], None], body: Any) -> Any:
    with sandbox.state.lock:
        try:
            act(str(body["name"]))
        except ValueError as error:
            raise _Refused(str(error), 409) from error
    return {}


_ENDPOINTS: dict[tuple[str, str], Callable[[Controlled, Any], Any]] = {
    ("POST", "deliver"): _deliver,
    ("POST", "pace"): _set_pace,
    ("POST", "cur-role"): _set_cur_role,
    ("POST", "external-id"): _set_external_id,
    ("POST", "template"): _set_template,
    ("GET", "state"): _state,
    ("POST", "accesses"): _accesses,
    ("GET", "changes"): _changes,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "snapshot"): _take_snapshot,
    ("POST", "restore"): _restore_snapshot,
}
