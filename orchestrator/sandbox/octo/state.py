"""Octo's state: its clients, their tokens, and the accounts that they registered."""

from __future__ import annotations

import secrets
import time
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

LIMIT = 100  # calls a second for each client; Octo's published limit


@dataclass(frozen=True)
class Client:
    """An API client of one organization; each organization has one external id."""

    client_id: str
    secret: str = field(repr=False)
    organization: str
    external_id: str = field(repr=False)


@dataclass
class Account:
    """An account that was registered with Octo."""

    account_id: str
    name: str
    organization: str
    created: str
    updated: str
    account_type: str = ""
    payer_id: str = ""
    role_arn: str = ""
    bucket: str = ""
    prefix: str = ""
    report: str = ""
    stack_region: str = ""
    method: str = "console"
    api_access: bool = False
    cur_export: bool = False
    stack_set: bool = False
    data_available: bool = False
    stack_id: str = ""
    template_version: str = ""
    error: str = ""

    @property
    def is_payer(self) -> bool:
        """Whether the account has its own billing data."""
        return self.account_type == "payer"


@dataclass
class OctoState:
    """Everything that Octo stores; the sandbox state's lock guards it."""

    token_seconds: float = 3600.0
    template_version: str = "v1"  # the newest one: see ``templates``
    sends_id_to_cur_role: bool = True  # which of both the live service does is not public
    clients: dict[str, Client] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)  # client id, expiry
    accounts: dict[str, Account] = field(default_factory=dict)
    calls: dict[str, deque[float]] = field(default_factory=dict)
    too_early: int = 0

    def __post_init__(self) -> None:
        for name in ("octo-sandbox", "octo-sandbox-other"):
            # The same on every start, like the accounts and keys of the sandbox.
            secret, external_id = (str(_uuid_of(f"{name}/{what}")) for what in ("secret", "id"))
            self.clients[name] = Client(name, secret, f"org-{name}", external_id)

    @property
    def client(self) -> Client:
        """The client whose credentials sandbox.env exports."""
        return self.clients["octo-sandbox"]

    def change_external_id(self, external_id: str) -> None:
        """Present another external id from now on, for all accounts of the sandbox's client."""
        self.clients["octo-sandbox"] = replace(self.client, external_id=external_id)

    def issue(self, client_id: str) -> str:
        """Issue a token to a client."""
        token = secrets.token_urlsafe(32)
        self.tokens[token] = (client_id, time.monotonic() + self.token_seconds)
        return token

    def holder(self, token: str) -> Client | None:
        """Get the client of a token; None if the token is unknown or has expired."""
        client_id, until = self.tokens.get(token, ("", 0.0))
        return self.clients[client_id] if time.monotonic() < until else None

    def wait_for_turn(self, client_id: str) -> float:
        """Count a call; return the seconds by which it exceeds the rate limit, or 0."""
        now = time.monotonic()
        recent = self.calls.setdefault(client_id, deque())
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        if len(recent) >= LIMIT:
            self.too_early += 1
            return recent[0] + 1.0 - now
        recent.append(now)
        return 0.0


def now() -> str:
    """Format the current time as Octo does: RFC 3339, UTC."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _uuid_of(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"octo-tf-sandbox/{name}")
