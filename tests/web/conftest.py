"""A real browser, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.web import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = chromium.find()
    if program is None:
        pytest.skip(f"no Chromium in PATH, and {chromium.VARIABLE} names none")
    with chromium.launched(program) as running:
        yield running
