"""Answer the requests of every AWS service and account, and of Octo."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterable
from typing import Any

from moto.core.request import Request
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from orchestrator.sandbox import (
    answers,
    authentication,
    control,
    control_endpoints,
    deployment,
    iam_requests,
    organization,
    services,
    stack_changes,
    unused_services,
    wire,
)
from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.changes import ChangeLog, only_reads
from orchestrator.sandbox.faults import DropConnection, Faults, apply_fault
from orchestrator.sandbox.octo import templates
from orchestrator.sandbox.octo.server import Octo
from orchestrator.sandbox.retries import SentResponses
from orchestrator.sandbox.snapshots import Snapshots
from orchestrator.sandbox.state import LOG, SandboxState, execution_role
from orchestrator.sandbox.wire import Call, ServiceError

SOCKET = "octo_tf.socket"  # the key of a request's connection in its WSGI environment


class Application:
    """The WSGI application: identify the caller, parse, authorize and answer each request."""

    def __init__(self, state: SandboxState) -> None:
        self.state = state
        self.faults = Faults()
        self.changes = ChangeLog()
        self._sent_responses = SentResponses()
        self._octo = Octo(state, self.faults, self.changes)
        snapshots = Snapshots(state, self.faults)
        self._controlled = control_endpoints.Controlled(state, self.faults, self.changes, snapshots)
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        request = Request(environ)
        request.get_data()  # kept by werkzeug: routing, parsing and moto all read it
        if request.path.startswith(control.PATH):
            return control_endpoints.answer(self._controlled, request)(environ, start_response)
        scope = authentication.scope_of(request)
        if scope is None and self._octo.serves(request.path):
            return self._ask_octo(request)(environ, start_response)
        if scope is None and request.method == "GET":
            with self.state.lock:
                content = templates.public_object(self.state, request.path)
            if content is not None:
                return Response(content)(environ, start_response)
        if scope is None:
            return authentication.refuse_unsigned(request)(environ, start_response)
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
        iam_requests.name_caller(call)
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
        if call.service in ("s3", "s3control"):
            wire.name_s3_request(response)
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
        response = self._ask_moto(request, call)
        if response is not None:
            return answers.corrected(self.state, call, response)
        nothing = unused_services.nothing_of(call.service, model, call.parameters)
        if nothing is None:
            raise self._unknown(call.service, request, call.operation)
        return wire.success(request, call.service, model, nothing)

    def _injected_error(self, operation: str, account_id: str, region: str) -> str:
        """Get the error code injected for a StackSet's operation in an account, or ""."""
        caller = execution_role(account_id)
        faults = self.faults.take(Call("cloudformation", operation, region, caller, {}, {}))
        return next((fault.error for fault in faults if fault.error), "")

    def _ask_moto(self, request: Request, call: Call) -> Response | None:
        """Get moto's answer; None if it does not know the call."""
        endpoint = get_service_model(call.service).endpoint_prefix
        hosts = (f"{endpoint}.{call.region}", endpoint)  # of a region, or global
        if not any(
            pattern.match(f"http://{host}.amazonaws.com")
            for _, pattern in self._moto.backend_url_patterns
            for host in hosts
        ):
            return None
        environ = {
            **request.environ,
            "wsgi.input": io.BytesIO(request.get_data()),
            **iam_requests.for_moto(request, call),
            **call.notes.get("environ", {}),
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
            return None
        status, headers = captured[0][:2]
        is_page = body[:15].lower() == b"<!doctype html>"
        if is_page and status.startswith("404"):  # it has no such path
            return None
        if status.startswith("5") or is_page:
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
        if service == "s3" and not operation:  # no call of S3 has this method and path
            text = "The specified method is not allowed against this resource."
            kinds = ("SERVICE", "BUCKET", "OBJECT")
            kind = kinds[min(len([p for p in request.path.split("/", 2) if p]), 2)]
            members = {"Method": request.method, "ResourceType": kind}
            return ServiceError("MethodNotAllowed", text, 405, **members)
        return ServiceError(
            "UnknownOperationException", f"The sandbox does not know {service}:{named}."
        )


def _drop_connection(environ: dict[str, Any]) -> Response:
    environ[SOCKET].shutdown(socket.SHUT_RDWR)
    return Response(status=503)  # never arrives
