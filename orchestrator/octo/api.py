"""Octo's REST API, call by call. All calls are idempotent.

Source: the published protobuf of the cover service (``cover/v1/cover.proto``), with its REST
routes. There is no call for *Confirm and Finish*: Octo's page offers it once API access succeeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from orchestrator.errors import OctoError, OctoRefused
from orchestrator.octo import error_messages
from orchestrator.octo.connection import Answer, Connection
from orchestrator.octo.credentials import Credentials
from orchestrator.octo.messages import (
    AccessTemplate,
    AccountAccess,
    DataAccess,
    Recommendation,
    Recommendations,
)
from orchestrator.octo.token import Tokens
from orchestrator.redaction import keep_out

Message = TypeVar("Message", AccessTemplate, AccountAccess, DataAccess, Recommendations)


class OctoApi:
    """The API for one client. Threads may share it.

    Every method raises OctoUnreachable where Octo does not answer, OctoRefused where it refuses,
    and OctoError where the credentials or the answer are wrong.

    Args:
        connection: HTTP; None makes one.
        token_folder: where tokens are cached; None: the user's cache.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials,
        *,
        connection: Connection | None = None,
        token_folder: Path | None = None,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._connection = connection or Connection()
        self._tokens = Tokens(credentials, self._connection, folder=token_folder)
        self._secrets = {credentials.client_secret}

    @property
    def endpoint(self) -> str:
        """The API's address."""
        return self._endpoint

    def register(self, account_id: str, name: str) -> None:
        """Register an account (POST /v1/aws/account); one that is registered already is success."""
        doing = "registering the account"
        try:
            self._done(
                "POST",
                "/v1/aws/account",
                {"accountId": account_id, "accountName": name},
                doing=doing,
                where=account_id,
            )
        except OctoRefused as error:
            if error.code != error_messages.ALREADY_EXISTS:
                raise
            if self.status(account_id) is None:
                raise OctoRefused(
                    f"{doing}: it is registered with Octo, but not by this organization",
                    where=account_id,
                    hint=error_messages.hint_for("another organization"),
                    code=error_messages.DENIED,
                ) from None

    def template(self) -> AccessTemplate:
        """Read principal and external id (GET /v1/aws/acctaccess)."""
        text = self._done("GET", "/v1/aws/acctaccess", doing="reading the external id")
        found = _message(AccessTemplate, text, self._endpoint)
        self._secrets.add(found.external_id.get_secret_value())
        keep_out(found.external_id.get_secret_value())
        return found

    def confirm_api_access(self, account_id: str, *, from_terraform: bool = True) -> AccountAccess:
        """Have Octo assume the role (POST /v1/aws/acctaccess)."""
        more = {"fromTerraform": from_terraform}
        return self._confirm("/v1/aws/acctaccess", account_id, "confirming API access", more)

    def confirm_cur(self, account_id: str, *, from_terraform: bool = True) -> AccountAccess:
        """Have Octo read the report's bucket (POST /v1/aws/acctaccess/cur)."""
        more = {"fromTerraform": from_terraform}
        return self._confirm("/v1/aws/acctaccess/cur", account_id, "confirming CUR and S3", more)

    def confirm_stackset(self, account_id: str, region: str) -> AccountAccess:
        """Have Octo assume the role in linked accounts (POST /v1/aws/acctaccess/stackset)."""
        return self._confirm(
            "/v1/aws/acctaccess/stackset",
            account_id,
            "confirming the StackSet",
            {"region": region},
        )

    def status(self, account_id: str) -> DataAccess | None:
        """Read one account (GET /v1/account/{target}); None if Octo does not know it."""
        route = f"/v1/account/{quote(account_id)}?vendor=aws"
        try:
            text = self._done("GET", route, doing="reading the account", where=account_id)
        except OctoRefused as error:
            if error.code == error_messages.NOT_FOUND:
                return None
            raise
        return _message(DataAccess, text, account_id)

    def status_of_all(self) -> Iterator[DataAccess]:
        """Read every account, one after the other (POST /v1/account/all:read)."""
        doing = "listing the accounts"
        answer = self._send("POST", "/v1/account/all:read", {})
        if answer.status >= 300:
            raise self._error(answer, doing, self._endpoint)
        for line in answer.lines:
            document = _json(line, self._endpoint)
            if "error" in document:
                raise error_messages.explain(
                    200,
                    json.dumps(document["error"]),
                    doing=doing,
                    where=self._endpoint,
                    secrets=self._secrets,
                )
            found = _message(DataAccess, json.dumps(document.get("result")), self._endpoint)
            if found.vendor in ("", "aws"):
                yield found

    def recommendations(self, account_id: str) -> list[Recommendation]:
        """List what Octo recommends of an account (POST /v1/recommendations/summaries)."""
        text = self._done(
            "POST",
            "/v1/recommendations/summaries",
            {"filters": {"target": account_id}},
            doing="listing recommendations",
            where=account_id,
        )
        return _message(Recommendations, text, account_id).recommendations

    def update(self, account_id: str) -> None:
        """Update an outdated CloudFormation stack (PUT /v1/aws/acctaccess/{target})."""
        route = f"/v1/aws/acctaccess/{quote(account_id)}"
        self._done("PUT", route, doing="updating the account's stack", where=account_id)

    def unregister(self, account_id: str) -> None:
        """Unregister an account (DELETE /v1/acctaccess/{target}); AWS is not touched.

        No error is raised if Octo does not know the account.
        """
        route = f"/v1/acctaccess/{quote(account_id)}?vendor=aws"
        try:
            self._done("DELETE", route, doing="unregistering the account", where=account_id)
        except OctoRefused as error:
            if error.code != error_messages.NOT_FOUND:
                raise

    def _confirm(
        self, route: str, account_id: str, doing: str, more: Mapping[str, Any]
    ) -> AccountAccess:
        body = {"target": account_id, **more}
        text = self._done("POST", route, body, doing=doing, where=account_id)
        return _message(AccountAccess, text, account_id)

    def _done(
        self,
        method: str,
        route: str,
        body: Mapping[str, Any] | None = None,
        *,
        doing: str,
        where: str = "",
    ) -> str:
        answer = self._send(method, route, body)
        if answer.status >= 300:
            raise self._error(answer, doing, where or self._endpoint)
        return answer.text()

    def _send(self, method: str, route: str, body: Mapping[str, Any] | None) -> Answer:
        token = self._tokens.get()
        answer = self._send_as(token, method, route, body)
        if answer.status == 401:  # the token expired early: renewed once
            answer.text()  # returns the connection to the pool
            token = self._tokens.get(instead_of=token)
            answer = self._send_as(token, method, route, body)
        return answer

    def _send_as(
        self, token: str, method: str, route: str, body: Mapping[str, Any] | None
    ) -> Answer:
        self._secrets.add(token)
        return self._connection.send(
            method,
            f"{self._endpoint}{route}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
        )

    def _error(self, answer: Answer, doing: str, where: str) -> OctoError:
        return error_messages.explain(
            answer.status, answer.text(), doing=doing, where=where, secrets=self._secrets
        )


def _json(text: str, where: str) -> Any:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _not_understood(where)
    return document


def _message(model: type[Message], text: str, where: str) -> Message:
    try:
        return model.model_validate_json(text)
    except ValidationError:
        raise _not_understood(where) from None  # pydantic's message would quote the answer


def _not_understood(where: str) -> OctoError:
    return OctoError(
        "Octo's answer does not match its published API",
        where=where,
        hint="Check --octo-endpoint; --no-octo works without Octo's API.",
    )
