"""Run the sandbox: one loopback endpoint for every AWS service and account, and for Octo."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from cheroot import wsgi
from cheroot.server import HTTPConnection, HTTPRequest

from orchestrator.sandbox import (
    environment,
    iam_entities,
    identity_policy,
    lookup,
    organization,
)
from orchestrator.sandbox.application import SOCKET, Application
from orchestrator.sandbox.contents import contents
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.octo import templates
from orchestrator.sandbox.octo.server import PREFIX, TOKEN_PATH
from orchestrator.sandbox.octo.state import OctoState
from orchestrator.sandbox.state import SandboxState

_THREADS = 64  # a slow call must not delay the others
_BACKLOG = 256  # connections that wait to be accepted


class _Gateway(wsgi.Gateway_10):
    """Pass the connection, which faults may drop, and chunked bodies to the application."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[SOCKET] = self.req.conn.socket
        environ["wsgi.input_terminated"] = self.req.chunked_read
        environ["RAW_URI"] = environ["REQUEST_URI"]  # as it came: a key may have a percent sign
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
