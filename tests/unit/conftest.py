"""Fixtures of the unit tests: plain values, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.load import load
from orchestrator.config.model import Registration


@pytest.fixture
def registered(tmp_path: Path):
    """Makes a Registration from fields, over a minimal valid one."""

    def make(**fields: Any) -> Registration:
        flags = {"account_id": "111122223333", "external_id": "octo-external-id", **fields}
        return load(tmp_path / "absent.yaml", flags, {})

    return make
