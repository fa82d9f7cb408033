"""The sandbox as a server: one loopback endpoint for every AWS service and account."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from cheroot import wsgi
from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from orchestrator.sandbox import (
    control,
    delivery,
    deployment,
    environment,
    lookup,
    organization,
    services,
    stack_changes,
    wire,
)
from orchestrator.sandbox.answers import Answers
from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.faults import Drop, Faults, happen
from orchestrator.sandbox.octo.server import Octo
from orchestrator.sandbox.snapshots import Snapshots
from orchestrator.sandbox.wire import Call, Fault
from orchestrator.sandbox.world import LOG, Caller, World

_JSON = {"Content-Type": "application/json"}
_SOCKET = "octo_tf.socket"  # a request's connection, in its WSGI environment
_THREADS = 64  # a slow call keeps its own, and none of the others waiting
_BACKLOG = 256  # connections that wait to be accepted


class Application:
    """The WSGI application: who asks for what, may they, and who answers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self._answers = Answers()
        self._snapshots = Snapshots(world, self.faults)
        self._octo = Octo(world, self.faults)
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers one request (WSGI)."""
        request = Request(environ)
        request.get_data()  # kept by werkzeug: routing, parsing and moto all read it
        if request.path.startswith(control.PATH):
            return self._control(request)(environ, start_response)
        scope = wire.scope_of(request)
        if scope is None and self._octo.serves(request.path):
            return self._ask_octo(request)(environ, start_response)
        if scope is None:
            fault = Fault("MissingAuthenticationToken", "Request is missing a signature", 403)
            return wire.failure(request, "sts", None, fault)(environ, start_response)
        found = wire.operation_of(request, scope.service)
        model, uri = found or (None, {})
        try:
            if model is None:
                raise self._unknown(scope.service, request)
            response = self._answers.again(environ) or self._answer(request, scope, model, uri)
        except Fault as fault:
            response = wire.failure(request, scope.service, model, fault)
        except Drop:
            response = _hung_up(environ)
        except Exception as error:  # noqa: BLE001  (SDKs retry a 500 for minutes, and hide why)
            LOG.exception("failed at %s:%s", scope.service, model and model.name)
            failed = Fault("InternalFailure", f"The sandbox failed: {type(error).__name__}")
            response = wire.failure(request, scope.service, model, failed)
        return response(environ, start_response)

    def _ask_octo(self, request: Request) -> Response:
        try:
            return self._octo.answer(request)
        except Drop:
            return _hung_up(request.environ)

    def _answer(
        self, request: Request, scope: wire.Scope, model: Any, uri: dict[str, Any]
    ) -> Response:
        caller = self.world.caller(scope.access_key)
        if caller is None:
            raise _stranger(scope.service)
        parameters = wire.parameters_of(request, scope.service, model, uri)
        call = Call(scope.service, model.name, scope.region, caller, parameters, uri)
        with self.world.lock:
            deployment.advance(self.world, self._misfortune)
            stack_changes.advance(self.world)
            faults = self.faults.take(call)
            self.faults.check_known(call)
        for planted in faults:
            happen(planted, call)
        authorize(self.world, call)
        response = self._done(request, call, model, partial=any(f.partial_pages for f in faults))
        for planted in faults:
            if planted.unknown_for:
                with self.world.lock:
                    self.faults.hide_role(call, planted.unknown_for)
        if any(planted.lose_answer for planted in faults):
            raise Drop
        self._answers.keep(request.environ, call.operation, response)
        return response

    def _done(self, request: Request, call: Call, model: Any, *, partial: bool) -> Response:
        if partial:
            request, call = wire.with_pages_of_one(request, call)
        operation = services.find().get(call.service, {}).get(call.operation)
        if operation is not None:
            with self.world.lock:
                result = operation(self.world, call)
            if result is not services.TO_MOTO:
                return wire.success(request, call.service, model, result)
        response = self._ask_moto(request, call)
        if call.service == "organizations" and not call.operation.startswith(("Describe", "List")):
            with self.world.lock:
                self.world.organization_changed = True
        return response

    def _misfortune(self, operation: str, account_id: str, region: str) -> str:
        """The error planted for a StackSet's work in an account, or nothing."""
        arn = f"arn:aws:sts::{account_id}:assumed-role/stacksets-exec/AWSCloudFormation"
        caller = Caller(account_id, arn, "role", "stacksets-exec")
        faults = self.faults.take(Call("cloudformation", operation, region, caller, {}, {}))
        return next((planted.error for planted in faults if planted.error), "")

    def _ask_moto(self, request: Request, call: Call) -> Response:
        host = f"http://{call.service}.{call.region}.amazonaws.com"
        if not any(pattern.match(host) for _, pattern in self._moto.backend_url_patterns):
            raise self._unknown(call.service, request, call.operation)
        environ = {
            **request.environ,
            "HTTP_X_MOTO_ACCOUNT_ID": call.caller.account_id,
            "wsgi.input": io.BytesIO(request.get_data()),
        }
        captured: list[Any] = []
        try:
            body = b"".join(
                self._moto(
                    environ, lambda status, headers, _exc=None: captured.append((status, headers))
                )
            )
        except NotImplementedError:
            raise self._unknown(call.service, request, call.operation) from None
        status, headers = captured[0][:2]
        if status.startswith("5"):
            raise self._unknown(call.service, request, call.operation)
        return Response(body, status, headers)

    def _unknown(self, service: str, request: Request, operation: str = "") -> Fault:
        """SDKs do not retry a 400: the caller learns at once, and by name."""
        named = operation or request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        named = named or str(request.values.get("Action", f"{request.method} {request.path}"))
        self.world.not_known(service, named)
        return Fault("UnknownOperationException", f"The sandbox does not know {service}:{named}.")

    def _control(self, request: Request) -> Response:
        action = (request.method, request.path.removeprefix(control.PATH))
        if action == ("POST", "deliver"):
            return Response(json.dumps(delivery.deliver_all(self.world)), headers=_JSON)
        if action == ("POST", "pace"):
            self.world.stack_seconds = float(json.loads(request.get_data())["stack_seconds"])
            return Response("{}", headers=_JSON)
        if action == ("GET", "state"):
            state = {
                "accounts": self.world.accounts,
                "unknown_calls": dict(self.world.unknown_calls),
            }
            return Response(json.dumps(state), headers=_JSON)
        if request.path == f"{control.PATH}faults":
            return self._control_faults(request)
        if action in (("POST", "snapshot"), ("POST", "restore")):
            return self._control_snapshots(request, action[1])
        return Response('{"error": "no such control"}', 404, _JSON)

    def _control_faults(self, request: Request) -> Response:
        with self.world.lock:
            if request.method == "POST":
                try:
                    self.faults.add(json.loads(request.get_data()))
                except (ValueError, TypeError) as error:
                    return Response(json.dumps({"error": str(error)}), 400, _JSON)
            elif request.method == "DELETE":
                self.faults.clear()
            return Response(json.dumps(self.faults.listed()), headers=_JSON)

    def _control_snapshots(self, request: Request, action: str) -> Response:
        name = str(json.loads(request.get_data())["name"])
        with self.world.lock:
            try:
                if action == "snapshot":
                    self._snapshots.take(name)
                else:
                    self._snapshots.restore(name)
            except ValueError as error:
                return Response(json.dumps({"error": str(error)}), 409, _JSON)
        return Response("{}", headers=_JSON)


def _hung_up(environ: dict[str, Any]) -> Response:
    environ[_SOCKET].shutdown(socket.SHUT_RDWR)
    return Response(status=503)  # goes nowhere


def _stranger(service: str) -> Fault:
    if service == "s3":
        return Fault("InvalidAccessKeyId", "The AWS Access Key Id does not exist.", 403)
    code = "InvalidClientTokenId" if service in ("sts", "iam") else "UnrecognizedClientException"
    return Fault(code, "The security token included in the request is invalid.", 403)


class _Gateway(wsgi.Gateway_10):
    """What the application is given beside WSGI: the connection, to drop it; chunked bodies."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[_SOCKET] = self.req.conn.socket
        environ["wsgi.input_terminated"] = self.req.chunked_read
        return environ


class Sandbox:
    """A running sandbox; a context manager that stops it.

    There can be one per process: moto's backends are global.
    """

    def __init__(self, world: World, host: str, port: int) -> None:
        self.world = world
        self._application = Application(world)
        self._server = wsgi.Server(
            (host, port), self._application, numthreads=_THREADS, request_queue_size=_BACKLOG
        )
        self._server.gateway = _Gateway
        self._server.prepare()  # the port is known, and open, from here on
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    @classmethod
    def start(
        cls,
        *,
        linked: int = 3,
        host: str = "127.0.0.1",
        port: int = 0,
        delivery: str = "auto",
        stack_seconds: float = 0.0,
    ) -> Sandbox:
        """Starts one with so many active linked accounts; port 0 takes any free one.

        ``delivery`` is ``auto`` or ``manual``: whether reports are delivered by themselves.
        ``stack_seconds`` is how long a StackSet takes for one account.
        """
        lookup.install()
        world = World(delivery, stack_seconds)
        organization.found(world, linked)
        return cls(world, host, port)

    @property
    def faults(self) -> Faults:
        """The planted faults."""
        return self._application.faults

    @property
    def endpoint_url(self) -> str:
        """The endpoint of every service."""
        host, port = self._server.bind_addr
        return f"http://{host}:{port}"

    @property
    def accounts(self) -> dict[str, str]:
        """Account ids by profile: payer, linked-1..., linked-suspended, standalone, octo."""
        return self.world.accounts

    def environment(self, folder: Path) -> dict[str, str]:
        """Writes AWS configuration files (0600) into ``folder``; the variables that name them."""
        return {
            **environment.write(folder, self.endpoint_url, self.world.profiles),
            **environment.octo(self.endpoint_url, self.world.octo),
        }

    def stop(self) -> None:
        """Ends the server."""
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve(
    *,
    linked: int,
    host: str,
    port: int,
    env_file: Path,
    delivery: str,
    stack_seconds: float = 0.0,
    faults: Path | None = None,
    stop_with_parent: bool = False,
) -> None:
    """Runs a sandbox in the foreground until it is interrupted or terminated.

    ``faults`` is a file of faults to plant at the start. With ``stop_with_parent`` it also ends
    when the process that started it has died.

    Raises:
        ValueError: the file of faults is not one.
    """
    logging.basicConfig(stream=sys.stderr, format="sandbox: %(message)s", level=logging.WARNING)
    ended = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    parent = os.getppid()
    with Sandbox.start(
        linked=linked, host=host, port=port, delivery=delivery, stack_seconds=stack_seconds
    ) as sandbox:
        if faults is not None:
            sandbox.faults.load(faults)
        folder = env_file.absolute().with_name(f"{env_file.name}.d")
        environment.write_env_file(env_file, sandbox.environment(folder))
        print(
            f"The sandbox is up at {sandbox.endpoint_url} with {len(sandbox.accounts)} accounts."
            f" In another shell: source {env_file}",
            file=sys.stderr,
            flush=True,
        )
        while not ended.wait(1.0):
            if stop_with_parent and os.getppid() != parent:
                break
    env_file.unlink(missing_ok=True)
