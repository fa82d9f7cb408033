"""checkov and cloudsplaining find nothing in what octo-tf makes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from orchestrator import assets
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.inputs import Inputs

SCANNERS = Path(__file__).parents[2] / ".venv-scan/bin"
POLICIES = assets.MODULE / "policies"
ACCOUNT = {"partition": "aws", "account_id": "111122223333"}


@pytest.fixture(scope="module")
def scanned() -> dict:
    result = subprocess.run(
        [
            *(SCANNERS / "checkov", "--directory", assets.MODULE, "--framework", "terraform"),
            *("--skip-download", "--output", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HCL_PARSE_TIMEOUT_SEC": "120"},  # 10 by default: a busy machine
    )
    return json.loads(result.stdout)


def test_checkov_finds_nothing(scanned):
    assert scanned["summary"]["failed"] == 0, [
        (c["check_id"], c["resource"]) for c in scanned["results"]["failed_checks"]
    ]
    assert scanned["summary"]["parsing_errors"] == 0
    assert scanned["summary"]["passed"] > 30


def test_at_most_three_checks_are_skipped_each_with_its_reason(scanned):
    skipped = scanned["results"]["skipped_checks"]
    # A part of the module is scanned alone and as a part.
    assert len({(check["check_id"], check["file_path"]) for check in skipped}) <= 3
    assert all(len(check["check_result"]["suppress_comment"]) > 40 for check in skipped)


def findings(tmp_path: Path, policy: str) -> dict[str, list]:
    """What cloudsplaining says of a policy, by risk."""
    file = tmp_path / "policy.json"
    file.write_text(policy)
    code = (
        "import json, sys; from cloudsplaining.scan.policy_document import PolicyDocument;"
        "d = PolicyDocument(json.load(open(sys.argv[1])));"
        "print(json.dumps({'escalation': d.allows_privilege_escalation,"
        " 'exposure': d.permissions_management_without_constraints,"
        " 'exfiltration': d.allows_data_exfiltration_actions,"
        " 'credentials': d.credentials_exposure,"
        " 'modification': d.write_actions_without_constraints,"
        " 'wildcards': d.service_wildcard}, default=str))"
    )
    result = subprocess.run(
        [SCANNERS / "python", "-c", code, file],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return {risk: found for risk, found in json.loads(result.stdout).items() if found}


@pytest.mark.parametrize(
    "name", ["cost", "cur_billing", "recommendations", "unit_metrics", "ai_cost"]
)
def test_cloudsplaining_finds_no_risk_in_what_reads(tmp_path, name):
    assert findings(tmp_path, (POLICIES / f"{name}.json").read_text()) == {}


def test_cloudsplaining_does_find_risks_where_there_are_some(tmp_path):
    risky = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*"}],
        }
    )
    assert findings(tmp_path, risky)


@pytest.mark.parametrize("name", ["ssm_updater", "change_executor", "change_template_approver"])
def test_execution_changes_nothing_without_a_constraint(tmp_path, name):
    text = (POLICIES / f"{name}.json.tftpl").read_text()
    for key, value in ACCOUNT.items():
        text = text.replace(f"${{{key}}}", value)
    assert findings(tmp_path, text) == {}


@pytest.mark.parametrize("action", table().execution_actions)
def test_a_chosen_action_changes_nothing_without_a_constraint(tmp_path, action):
    chosen = Inputs("111122223333", "bucket", execution_actions=(action,))
    statements = documents.execution_statements(chosen, **ACCOUNT)
    policy = {"Version": "2012-10-17", "Statement": statements}
    assert findings(tmp_path, json.dumps(policy)) == {}
