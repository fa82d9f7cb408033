"""Where Octo sends no external id for the CUR role, a second plan is offered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.sandbox import control
from tests.e2e.conftest import Project, RunningSandbox

OCTO = True
CUR_ROLE = "AlphausAcctAccessCurRole"
LINE = "cur_role_trust: principal_only"


def asks_for_id(sandbox: RunningSandbox) -> bool:
    """Whether the CUR role's trust policy has a condition."""
    role = sandbox.client("standalone", "iam").get_role(RoleName=CUR_ROLE)["Role"]
    return "Condition" in role["AssumeRolePolicyDocument"]["Statement"][0]


def answers(result: Any) -> dict[str, str]:
    return {area: a["state"] for area, a in json.loads(result.stdout)["octo"].items()}


@pytest.fixture(scope="module")
def standalone(unused_sandbox) -> tuple[RunningSandbox, Project]:
    sandbox = unused_sandbox()
    control.octo_sends_id_to_cur_role(sandbox.endpoint, sends=False)
    return sandbox, sandbox.project("standalone")


def test_the_weaker_trust_is_offered_where_octo_sends_no_id(standalone):
    sandbox, project = standalone
    pipeline = project("apply", "--yes", "--json", "--wait", "60s")
    assert pipeline.returncode == 3, pipeline.stdout + pipeline.stderr
    assert answers(pipeline) == {"api_access": "confirmed", "cur_s3": "refused"}
    assert LINE in json.loads(pipeline.stdout)["octo"]["cur_s3"]["hint"]
    assert asks_for_id(sandbox)
    assert "cur_role_trust" not in (project.folder / "octo.yaml").read_text()

    question, agree = f"Plan a weaker trust for this role ({LINE})?", "Apply this to account"
    code, shown = project.on_terminal("apply", "--yes", answers={question: "y", agree: "n"})
    assert code == 1, shown
    assert asks_for_id(sandbox)  # --yes was said to the other plan
    code, shown = project.on_terminal("apply", "--yes", answers={question: "y", agree: "y"})
    assert code == 0, shown
    assert "Set cur_role_trust in" in shown
    assert not asks_for_id(sandbox)
    assert "cur_role_trust" in (project.folder / "octo.yaml").read_text()

    verified = project("verify", "--json")
    assert verified.returncode == 0, verified.stdout
    checks = {check["id"]: check["status"] for check in json.loads(verified.stdout)["checks"]}
    assert checks["cur_s3.role"] == "warn"
    assert project("verify", "--strict").returncode == 3
    # An Octo that sends one is not kept out by the weaker trust.
    control.octo_sends_id_to_cur_role(sandbox.endpoint, sends=True)
    assert project("confirm").returncode == 0
