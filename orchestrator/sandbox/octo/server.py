"""Serve Octo's REST API and token endpoint, after the published protobuf.

Routes have the names of their RPCs. Faults are injected by service ``octo`` and the RPC as the
action, such as ``RegisterAccount``; the token endpoint's action is ``AccessToken``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from moto.core.request import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from orchestrator.sandbox.changes import ChangeLog
from orchestrator.sandbox.faults import Faults, apply_fault
from orchestrator.sandbox.octo import operations, recommendations
from orchestrator.sandbox.octo.errors import ApiError, from_injected, unauthenticated
from orchestrator.sandbox.octo.probe import Principal
from orchestrator.sandbox.octo.rpc import RpcCall
from orchestrator.sandbox.state import Caller, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

TOKEN_PATH = "/ripple/access_token"  # noqa: S105  (a path)
PREFIX = "/m/blue/cover"
_OPERATIONS = {**operations.OPERATIONS, **recommendations.OPERATIONS}
_JSON = {"Content-Type": "application/json"}
_ROUTES = Map(
    [
        Rule(f"{PREFIX}/v1/me", methods=["GET"], endpoint="GetUserDetails"),
        Rule(f"{PREFIX}/v1/aws/account", methods=["POST"], endpoint="RegisterAccount"),
        Rule(
            f"{PREFIX}/v1/aws/acctaccess", methods=["GET"], endpoint="GetAccountAccessTemplateUrl"
        ),
        Rule(f"{PREFIX}/v1/aws/acctaccess", methods=["POST"], endpoint="CreateAccountAccess"),
        Rule(
            f"{PREFIX}/v1/aws/acctaccess/cur", methods=["POST"], endpoint="CreateAccountAccessCur"
        ),
        Rule(
            f"{PREFIX}/v1/aws/acctaccess/stackset",
            methods=["POST"],
            endpoint="CreateAccountAccessStackset",
        ),
        Rule(
            f"{PREFIX}/v1/aws/acctaccess/<target>", methods=["PUT"], endpoint="UpdateAccountAccess"
        ),
        Rule(
            f"{PREFIX}/v1/acctaccess/<target>", methods=["DELETE"], endpoint="DeleteAccountAccess"
        ),
        Rule(f"{PREFIX}/v1/account/all:read", methods=["POST"], endpoint="ListDataAccess"),
        Rule(f"{PREFIX}/v1/account/<target>", methods=["GET"], endpoint="GetDataAccess"),
        Rule(
            f"{PREFIX}/v1/recommendations/summaries",
            methods=["POST"],
            endpoint="ListRecommendationsV3",
        ),
        Rule(f"{PREFIX}/v1/recommendations", methods=["GET"], endpoint="GetRecommendationV3"),
        Rule(
            f"{PREFIX}/v1/recommendation/execute",
            methods=["POST"],
            endpoint="ExecuteRecommendationV3",
        ),
    ]
)


class Octo:
    """Answer requests to Octo."""

    def __init__(self, state: SandboxState, faults: Faults, changes: ChangeLog) -> None:
        self._state = state
        self._faults = faults
        self._changes = changes
        self._principals: dict[str, Principal] = {}

    def serves(self, path: str) -> bool:
        """Whether a path belongs to Octo's API."""
        return path == TOKEN_PATH or path.startswith(f"{PREFIX}/")

    def answer(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            DropConnection: an injected fault closes the connection.
        """
        try:
            if request.path == TOKEN_PATH:
                return self._token(request)
            return self._call(request)
        except ApiError as error:
            headers = {**_JSON, **error.headers}
            return Response(json.dumps(error.body), error.status, headers)

    def _token(self, request: Request) -> Response:
        form = request.form
        client_id = str(form.get("client_id", ""))
        self._apply_faults("AccessToken", "", {})
        with self._state.lock:
            client = self._state.octo.clients.get(client_id)
            known = client is not None and client.secret == form.get("client_secret")
            right = (form.get("grant_type"), form.get("scope")) == ("client_credentials", "openid")
            if request.method != "POST" or not known or not right:
                error = "invalid_client" if not known else "invalid_request"
                return Response(json.dumps({"error": error}), 401 if not known else 400, _JSON)
            token = self._state.octo.issue(client_id)
            seconds = math.ceil(self._state.octo.token_seconds)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": seconds}
        return Response(json.dumps(answer), headers=_JSON)

    def _call(self, request: Request) -> Response:
        try:
            name, path = _ROUTES.bind_to_environ(request.environ).match()
        except HTTPException as error:
            raise ApiError(5, "Not Found", status=error.code or 404) from None
        body = {**_body(request), **_repeated(request, "ids")}
        target = path.get("target") or str(body.get("target") or body.get("accountId") or "")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._state.lock:
            client = self._state.octo.holder(token)
            early = self._state.octo.wait_for_turn(client.client_id) if client else 0.0
        if client is None:
            raise unauthenticated()
        if early:
            raise ApiError(8, "too many requests", retry_after=math.ceil(early))
        self._changes.note("octo", name, target)
        try:
            self._apply_faults(name, target, body)
        except ApiError as error:
            if error.expires_token:
                with self._state.lock:
                    self._state.octo.tokens.pop(token, None)
            if not error.breaks_stream:
                raise
            return Response(_broken(error), headers=_JSON)
        rpc = RpcCall(
            self._state,
            client,
            self._principal(request.host_url.rstrip("/")),
            target,
            body,
        )
        result = _OPERATIONS[name](rpc)
        if name == "ListDataAccess":
            return Response(
                "".join(f"{json.dumps({'result': r})}\n" for r in result), headers=_JSON
            )
        return Response(json.dumps(result), headers=_JSON)

    def _principal(self, endpoint_url: str) -> Principal:
        with self._state.lock:
            if endpoint_url not in self._principals:
                key = self._state.profiles["octo"][1]
                self._principals[endpoint_url] = Principal(endpoint_url, key)
            return self._principals[endpoint_url]

    def _apply_faults(self, name: str, target: str, body: dict[str, Any]) -> None:
        caller = Caller(target, f"octo:{name}", "client", name)
        call = Call("octo", name, "", caller, body, {})
        with self._state.lock:
            faults = self._faults.take(call)
        for fault in faults:
            try:
                apply_fault(fault, call)
            except ServiceError as error:
                raise from_injected(error) from None


def _broken(error: ApiError) -> Iterator[str]:
    yield f"{json.dumps({'error': error.body})}\n"


def _repeated(request: Request, name: str) -> dict[str, list[str]]:
    """Get a repeated field that is in the query, as a gateway takes it for GET."""
    values = request.args.getlist(name)
    return {name: values} if values else {}


def _body(request: Request) -> dict[str, Any]:
    if not request.get_data():
        return {}
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise ApiError(3, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ApiError(3, "the body is not an object")
    return body
