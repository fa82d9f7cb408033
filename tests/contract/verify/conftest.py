"""A standalone account, registered afresh for every test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from orchestrator.model.desired import Desired
from orchestrator.sandbox import control
from orchestrator.verify.model import Context, Report
from orchestrator.verify.runner import verify
from tests.registered import EXTERNAL_ID, Registered, outputs


@pytest.fixture
def registered(sandbox, aws) -> Iterator[Registered]:
    account = Registered(aws("standalone"), outputs("222222222222", "standalone"))
    account.unmake()
    account.make()
    control.deliver(sandbox.endpoint_url)
    yield account
    account.unmake()


@pytest.fixture
def look(aws) -> Callable[..., Report]:
    """Verifies a registered account; ``principal=False`` without Octo's own credentials."""

    def run(account: Registered, *, principal: bool = True, **settings) -> Report:
        context = Context(
            desired=Desired(account.expected, EXTERNAL_ID),
            aws=account.aws,
            principal=aws("octo") if principal else None,
            now=settings.pop("now", time.time),
        )
        return verify(context, **settings)

    return run
