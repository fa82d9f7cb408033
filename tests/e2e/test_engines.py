"""The oldest and the newest Terraform apply, and have nothing to do afterwards; so does OpenTofu.

``make engines`` runs the whole route with every release (tests/engines).
"""

from __future__ import annotations

import pytest

from tests.e2e.engines import NEWEST, OLDEST, Engine, opentofu, terraform
from tests.e2e.route import applies_a_saved_plan, applies_twice


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_terraform_applies_and_then_has_nothing_to_do(sandbox, tmp_path, version, record_property):
    engine = terraform(version, tmp_path)
    record_property("counted", f"engines: {applies_twice(sandbox, engine)} with {engine.name}")


@pytest.fixture
def tofu(tmp_path) -> Engine:
    return opentofu(tmp_path)


def test_opentofu_applies_and_then_has_nothing_to_do(sandbox, tofu, record_property):
    record_property("counted", f"engines: {applies_twice(sandbox, tofu)} with {tofu.name}")


def test_opentofu_applies_its_saved_plans(sandbox, tofu):
    applies_a_saved_plan(sandbox, tofu)
