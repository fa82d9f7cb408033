"""Every release of Terraform that octo-tf says it works with, and OpenTofu, go the whole route.

``make engines`` runs this and renders the table of what was proved (docs/reference/versions.md).
"""

from __future__ import annotations

import pytest

from orchestrator.model.version_constraint import DEFAULT
from tests.e2e import route
from tests.e2e.engines import RELEASES, Engine, opentofu, terraform


@pytest.fixture(params=[*RELEASES, "opentofu"])
def engine(request, tmp_path) -> Engine:
    return opentofu(tmp_path) if request.param == "opentofu" else terraform(request.param, tmp_path)


@pytest.mark.parametrize("part", ["applies_twice", "applies_a_saved_plan", "upgrades"])
def test_the_route_is_the_same_with_every_engine(sandbox, engine, part, record_property):
    noted = {"engine": engine.name, "provider": DEFAULT, "part": part}
    record_property("engine", noted)
    noted["proved"] = getattr(route, part)(sandbox, engine)
