"""Serve the sandbox: one loopback endpoint for every AWS service and account, and for Octo."""

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
from cheroot.server import HTTPConnection, HTTPRequest
from moto.core.request import Request
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from orchestrator.sandbox import (
    answers,
    authentication,
    control,
    delivery,
    deployment,
    environment,
    iam_entities,
    iam_pagination,
    identity_policy,
    lookup,
    organization,
    services,
    stack_changes,
    wire,
)
from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.changes import ChangeLog, only_reads
from orchestrator.sandbox.contents import contents
from orchestrator.sandbox.faults import DropConnection, Faults, apply_fault
from orchestrator.sandbox.octo import templates
from orchestrator.sandbox.octo.server import PREFIX, TOKEN_PATH, Octo
from orchestrator.sandbox.octo.state import OctoState
from orchestrator.sandbox.retries import SentResponses
from orchestrator.sandbox.snapshots import Snapshots
from orchestrator.sandbox.state import LOG, SandboxState, execution_role
from orchestrator.sandbox.wire import Call, ServiceError

_JSON = {"Content-Type": "application/json"}
_SOCKET = "octo_tf.socket"  # the key of a request's connection in its WSGI environment
_THREADS = 64  # a slow call must not delay the others
_BACKLOG = 256  # connections that wait to be accepted


class Application:
    """The WSGI application: identify the caller, parse, authorize and answer each request."""

    def __init__(self, state: SandboxState) -> None:
        self.state = state
        self.faults = Faults()
        self.changes = ChangeLog()
        self._sent_responses = SentResponses()
        self._snapshots = Snapshots(state, self.faults)
        self._octo = Octo(state, self.faults, self.changes)
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        request = Request(environ)
        request.get_data()  # kept by werkzeug: routing, parsing and moto all read it
        if request.path.startswith(control.PATH):
            return self._control(request)(environ, start_response)
        scope = authentication.scope_of(request)
        if scope is None and self._octo.serves(request.path):
            return self._ask_octo(request)(environ, start_response)
        if scope is None and request.method == "GET":
            with self.state.lock:
                content = templates.public_object(self.state, request.path)
            if content is not None:
                return Response(content)(environ, start_response)
        if scope is None:
            error = ServiceError(
                "MissingAuthenticationToken", "Request is missing a signature", 403
            )
            return wire.failure(request, "sts", None, error)(environ, start_response)
        found = wire.operation_of(request, scope.service)
        model, uri = found or (None, {})
        try:
            if model is None:
                raise self._unknown(scope.service, request)
            response = self._sent_responses.find(environ) or self._answer(
                request, scope, model, uri
            )
        except ServiceError as error:
            response = wire.failure(request, scope.service, model, error)
        except DropConnection:
            response = _drop_connection(environ)
        except Exception as error:  # noqa: BLE001  (SDKs retry a 500 for minutes, and hide why)
            LOG.exception("failed at %s:%s", scope.service, model and model.name)
            failed = ServiceError(
                "InternalFailure",
                f"The sandbox failed at {scope.service}:{model and model.name}"
                f" ({type(error).__name__}): its log says where.",
            )
            response = wire.failure(request, scope.service, model, failed)
        return response(environ, start_response)

    def _ask_octo(self, request: Request) -> Response:
        try:
            return self._octo.answer(request)
        except DropConnection:
            return _drop_connection(request.environ)

    def _answer(
        self, request: Request, scope: wire.CredentialScope, model: Any, uri: dict[str, Any]
    ) -> Response:
        caller = authentication.caller_of(self.state, request, scope)
        try:
            parameters = wire.parameters_of(request, scope.service, model, uri)
        except ServiceError as error:
            answers.check_bucket(scope.service, model.name, uri)
            raise error from None
        agent = request.headers.get("User-Agent", "")
        call = Call(
            scope.service, model.name, scope.region, caller, parameters, uri, user_agent=agent
        )
        self.changes.note(call.service, call.operation, caller.account_id)
        with self.state.lock:
            organization.advance(self.state)
            deployment.advance(self.state, self._injected_error)
            stack_changes.advance(self.state)
            faults = self.faults.take(call)
            self.faults.check_visible(call)
        for fault in faults:
            apply_fault(fault, call)
        authorize(self.state, call)
        answers.check_bucket(call.service, call.operation, uri)
        response = self._done(request, call, model, partial=any(f.partial_pages for f in faults))
        for fault in faults:
            if fault.unknown_for:
                with self.state.lock:
                    self.faults.hide_role(call, fault.unknown_for)
        if any(fault.lose_answer for fault in faults):
            raise DropConnection
        self._sent_responses.keep(request.environ, call.operation, response)
        return response

    def _done(self, request: Request, call: Call, model: Any, *, partial: bool) -> Response:
        if partial:
            request, call = wire.with_pages_of_one(request, call)
        with self.state.lock:
            services.check(self.state, call)
        operation = services.find().get(call.service, {}).get(call.operation)
        changes_organization = call.service == "organizations" and not only_reads(call.operation)
        if operation is not None:
            with self.state.lock:
                result = operation(self.state, call)
                self.state.organization_changed |= changes_organization
            if isinstance(result, Response):
                return result
            if result is not services.TO_MOTO:
                done = wire.success(request, call.service, model, result)
                if call.operation == "PutBucketPolicy":  # which botocore's model does not say
                    done.status_code = 204
                return done
        return answers.corrected(self.state, call, self._ask_moto(request, call))

    def _injected_error(self, operation: str, account_id: str, region: str) -> str:
        """Get the error code injected for a StackSet's operation in an account, or ""."""
        caller = execution_role(account_id)
        faults = self.faults.take(Call("cloudformation", operation, region, caller, {}, {}))
        return next((fault.error for fault in faults if fault.error), "")

    def _ask_moto(self, request: Request, call: Call) -> Response:
        endpoint = get_service_model(call.service).endpoint_prefix
        host = f"http://{endpoint}.{call.region}.amazonaws.com"
        if not any(pattern.match(host) for _, pattern in self._moto.backend_url_patterns):
            raise self._unknown(call.service, request, call.operation)
        environ = {
            **request.environ,
            "wsgi.input": io.BytesIO(request.get_data()),
            **(iam_pagination.request_for_all(request) if iam_pagination.is_paged(call) else {}),
            "HTTP_X_MOTO_ACCOUNT_ID": call.caller.account_id,
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
        if status.startswith("5") or body[:15].lower() == b"<!doctype html>":
            raise self._unknown(call.service, request, call.operation)
        response = Response(body, status, headers)
        if request.method == "HEAD":  # its length is the object's
            response.headers["Content-Length"] = dict(headers).get("Content-Length", "0")
        return response

    def _unknown(self, service: str, request: Request, operation: str = "") -> ServiceError:
        """Record a call that is not implemented; with status 400, SDKs do not retry it."""
        named = operation or request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        named = named or str(request.values.get("Action", f"{request.method} {request.path}"))
        self.state.record_unknown_call(service, named)
        if not operation and "Action" in request.values and service in wire.QUERY:  # AWS's neither
            text = f"Could not find operation {named} for version {request.values.get('Version')}"
            return ServiceError("InvalidAction", text)
        return ServiceError(
            "UnknownOperationException", f"The sandbox does not know {service}:{named}."
        )

    def _control(self, request: Request) -> Response:
        action = (request.method, request.path.removeprefix(control.PATH))
        if action == ("POST", "deliver"):
            return Response(json.dumps(delivery.deliver_all(self.state)), headers=_JSON)
        if action == ("POST", "pace"):
            self.state.stack_seconds = float(json.loads(request.get_data())["stack_seconds"])
            return Response("{}", headers=_JSON)
        if action == ("POST", "cur-role"):
            sends = json.loads(request.get_data())["external_id"]
            self.state.octo.sends_id_to_cur_role = bool(sends)
            return Response("{}", headers=_JSON)
        if action == ("POST", "external-id"):
            with self.state.lock:
                wanted = json.loads(request.get_data())["external_id"]
                self.state.octo.change_external_id(str(wanted))
            return Response("{}", headers=_JSON)
        if action == ("POST", "template"):
            version = str(json.loads(request.get_data())["version"])
            if version not in templates.VERSIONS:
                return Response('{"error": "no such version of the template"}', 400, _JSON)
            self.state.octo.template_version = version
            return Response("{}", headers=_JSON)
        if action == ("GET", "state"):
            state = {
                "accounts": self.state.accounts,
                "unknown_calls": dict(self.state.unknown_calls),
            }
            return Response(json.dumps(state), headers=_JSON)
        if action == ("POST", "accesses"):
            return Response(json.dumps(self.state.accesses.taken()), headers=_JSON)
        if action == ("GET", "changes"):
            return Response(json.dumps(self.changes.listed()), headers=_JSON)
        if request.path == f"{control.PATH}faults":
            return self._control_faults(request)
        if action in (("POST", "snapshot"), ("POST", "restore")):
            return self._control_snapshots(request, action[1])
        return Response('{"error": "no such control endpoint"}', 404, _JSON)

    def _control_faults(self, request: Request) -> Response:
        with self.state.lock:
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
        with self.state.lock:
            try:
                if action == "snapshot":
                    self._snapshots.take(name)
                else:
                    self._snapshots.restore(name)
            except ValueError as error:
                return Response(json.dumps({"error": str(error)}), 409, _JSON)
        return Response("{}", headers=_JSON)


def _drop_connection(environ: dict[str, Any]) -> Response:
    environ[_SOCKET].shutdown(socket.SHUT_RDWR)
    return Response(status=503)  # never arrives


class _Gateway(wsgi.Gateway_10):
    """Pass the connection, which faults may drop, and chunked bodies to the application."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[_SOCKET] = self.req.conn.socket
        environ["wsgi.input_terminated"] = self.req.chunked_read
        return environ


class _Request(HTTPRequest):
    """A request that may name its whole URL, as clients send it to a proxy."""

    def __init__(self, server: Any, conn: Any) -> None:
        super().__init__(server, conn, proxy_mode=True)


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request


class Sandbox:
    """A running sandbox; as a context manager it stops at the end.

    Only one can run in a process, since moto's backends are global.
    """

    def __init__(self, state: SandboxState, host: str, port: int) -> None:
        self.state = state
        self._application = Application(state)
        self._server = wsgi.Server(
            (host, port), self._application, numthreads=_THREADS, request_queue_size=_BACKLOG
        )
        self._server.gateway = _Gateway
        self._server.keep_alive_conn_limit = _BACKLOG  # of 10, an SDK's threads have more
        self._server.ConnectionClass = _Connection
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
        with_account_status: bool = False,
    ) -> Sandbox:
        """Start a sandbox.

        Args:
            linked: the number of active linked accounts.
            host: the address to listen on.
            port: the port; 0 for any free port.
            delivery: ``auto`` to deliver reports soon, ``manual`` to wait for ``deliver``.
            stack_seconds: how long a stack takes, and a StackSet in one account.
            with_account_status: whether Organizations also answers ``Account.Status``.
        """
        lookup.install()
        iam_entities.install()
        identity_policy.install()
        state = SandboxState(delivery, stack_seconds, with_account_status)
        organization.create_accounts(state, linked)
        templates.publish(state)
        return cls(state, host, port)

    @property
    def faults(self) -> Faults:
        """The injected faults."""
        return self._application.faults

    @property
    def endpoint_url(self) -> str:
        """The endpoint of every service."""
        host, port = self._server.bind_addr
        return f"http://{host}:{port}"

    @property
    def accounts(self) -> dict[str, str]:
        """Account ids by profile: payer, linked-1..., linked-suspended, standalone, octo."""
        return self.state.accounts

    @property
    def contents(self) -> set[str]:
        """Every setting and resource that callers can change; two values can be compared."""
        return contents(self.state, self.faults)

    @property
    def with_account_status(self) -> bool:
        """Whether Organizations answers the retired ``Account.Status``; may be set at any time."""
        return self.state.with_account_status

    @with_account_status.setter
    def with_account_status(self, value: bool) -> None:
        self.state.with_account_status = value

    @property
    def octo(self) -> OctoState:
        """What the sandbox's Octo knows: its clients, tokens and registered accounts."""
        return self.state.octo

    @property
    def octo_endpoint(self) -> str:
        """The base URL of Octo's REST API."""
        return f"{self.endpoint_url}{PREFIX}"

    @property
    def octo_token_url(self) -> str:
        """The URL that gives access tokens for Octo's API."""
        return f"{self.endpoint_url}{TOKEN_PATH}"

    def environment(self, folder: Path) -> dict[str, str]:
        """Write AWS configuration files (0600) into ``folder``; return the variables to set."""
        return {
            **environment.write_aws_files(folder, self.endpoint_url, self.state.profiles),
            **environment.octo_variables(self.endpoint_url, self.state.octo),
        }

    def stop(self) -> None:
        """Stop the server."""
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
    with_account_status: bool = False,
    faults: Path | None = None,
    stop_with_parent: bool = False,
) -> None:
    """Run a sandbox in the foreground until it is interrupted or terminated.

    ``faults`` is a file of faults to inject at the start. With ``stop_with_parent`` the sandbox
    also stops when the process that started it has ended; the other arguments are those of
    ``Sandbox.start``.

    Raises:
        ValueError: the file is not a list of faults.
    """
    logging.basicConfig(stream=sys.stderr, format="sandbox: %(message)s", level=logging.WARNING)
    ended = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    # A closed terminal must not interrupt the end either; under nohup it is ignored, and stays so.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)
    parent = os.getppid()
    with Sandbox.start(
        linked=linked,
        host=host,
        port=port,
        delivery=delivery,
        stack_seconds=stack_seconds,
        with_account_status=with_account_status,
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
