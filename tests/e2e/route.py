"""What is run with every engine; each part returns what it proved, as the table of engines says it.

Whatever an engine does otherwise shows here: its events, its plans' files, its state, its errors.
"""

from __future__ import annotations

from typing import Any

from tests.e2e.engines import Engine
from tests.e2e.project import Project


def project(sandbox: Any, engine: Engine, profile: str, name: str, **settings: Any) -> Project:
    """A folder in which every command runs on the engine."""
    made: Project = sandbox.project(profile, name, **settings)
    made.environ = {**made.environ, **engine.environ, "OCTO_TF_TF_PATH": engine.tf_path}
    said = made("doctor", "--json")
    product, version = engine.name.split()
    assert f"{product.lower().replace('opentofu', 'tofu')} {version}" in said.stdout, said.stdout
    return made


def applies_twice(sandbox: Any, engine: Engine) -> str:
    """A first apply creates and verifies; then the plan is empty, and applying changes nothing."""
    made = project(sandbox, engine, "linked-1", "twice")
    first = made("apply", "--yes", "-v")
    assert first.returncode == 0, first.stderr
    assert "created aws_iam_role.api_access" in first.stderr  # events stream
    unchanged = made("plan", "--detailed-exitcode")
    assert unchanged.returncode == 0, unchanged.stderr
    serial = made.state_serial()
    second = made("apply", "--yes")
    assert second.returncode == 0, second.stderr
    assert made.state_serial() == serial
    return "first apply, second apply"


def applies_a_saved_plan(sandbox: Any, engine: Engine) -> str:
    """A plan is saved and applied, without a state and with one; a stale one is refused."""
    made = project(sandbox, engine, "linked-2", "saved")
    for options in ((), ("--tag", "team=cloud")):
        planned = made("plan", "--out", "saved.tfplan", *options)
        assert planned.returncode == 0, planned.stderr
        applied = made("apply", "--yes", "--plan", "saved.tfplan", *options)
        assert applied.returncode == 0, applied.stderr
    again = made("apply", "--yes", "--plan", "saved.tfplan", "--tag", "team=cloud")
    assert again.returncode == 5, again.stderr
    assert "the state moved on" in again.stderr
    return "saved plan"


def upgrades(sandbox: Any, engine: Engine) -> str:
    """A payer with a report is registered, upgraded to linked accounts by a StackSet, verified."""
    bucket = sandbox.existing_bucket("payer", "billing-of-the-payer")
    made = project(sandbox, engine, "payer", "upgraded", **bucket, cur_s3_bucket_merge_policy=True)
    registered = made("apply", "--yes", "--wait", "60s")
    assert registered.returncode == 0, registered.stdout + registered.stderr
    upgraded = made("upgrade", "--yes", "--enable-trusted-access", "--wait", "60s")
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert made.verify()[0] == 0
    return "upgrade to linked accounts, verify"
