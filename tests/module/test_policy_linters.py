"""parliament and cloudsplaining find nothing in the policies that octo-tf policy prints."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.model.permissions import STEPS, Scope, permissions, policies
from orchestrator.model.registration import Registration

SCANNERS = Path(__file__).parents[2] / ".venv-scan/bin"
ACCOUNT = "111122223333"
BUCKET = {"cur_s3_bucket_option": "USE_EXISTING", "cur_s3_bucket_name": "acme-billing"}
EXECUTION = {
    "features": ["cost", "recommendations", "execution"],
    "execution_actions": ["stop_ec2"],
}
STATE = {
    "type": "s3",
    "bucket": "states",
    "key": "octo.tfstate",
    "region": "eu-west-1",
    "kms_key_id": "1234abcd-12ab-34cd-56ef-1234567890ab",
}
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "payer with everything": (
        "payer",
        {
            **EXECUTION,
            "enrolment": "organization",
            "use_stackset": True,
            "tags": {"team": "finops"},
            "backend": STATE,
        },
        {"deletes_bucket": True, "deletes_data": True, "enables_access": True},
    ),
    "payer with an existing bucket": (
        "payer",
        {**BUCKET, "cur_s3_bucket_merge_policy": True},
        {"bucket_key": KEY, "released_stacks": ("octo",), "removed_roles": ("Old",)},
    ),
    "linked account under a boundary": (
        "linked",
        {**EXECUTION, "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/Boundary"},
        {},
    ),
}
# Newer than parliament's data of 2025-04: billing transfers, and S3's tags of buckets.
UNKNOWN = {
    "organizations:ListInboundResponsibilityTransfers",
    "organizations:ListOutboundResponsibilityTransfers",
    "s3:ListTagsForResource",
    "s3:TagResource",
    "s3:UntagResource",
}


def documents(case: str, steps: tuple[Any, ...] = STEPS) -> list[dict[str, Any]]:
    kind, settings, options = CASES[case]
    given = {"account_id": ACCOUNT, "external_id": "abc", **settings}
    scope = Scope(Registration.model_validate(given), kind, **options)
    return [*policies("octo-tf", permissions(scope, steps)).values()]


def scan(code: str, document: dict[str, Any]) -> Any:
    result = subprocess.run(
        [SCANNERS / "python", "-c", code],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return json.loads(result.stdout)


PARLIAMENT = (
    "import json, sys; from parliament import analyze_policy_string;"
    "found = analyze_policy_string(sys.stdin.read()).findings;"
    "print(json.dumps([[f.issue, str(f.detail)] for f in found]))"
)


def known(document: dict[str, Any]) -> dict[str, Any]:
    """A policy without the actions that parliament does not know."""
    statements = []
    for statement in document["Statement"]:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        if left := [action for action in actions if action not in UNKNOWN]:
            statements.append({**statement, "Action": left})
    return {**document, "Statement": statements}


# What the commands are for: a bucket's policy and lifecycle are settings of the module, and which
# stack owns a resource is asked before the stack is known.
INTENDED = (
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "does allow s3:PutBucketPolicy"),
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "does allow s3:PutLifecycleConfiguration"),
    ("RESOURCE_STAR", "['cloudformation:DescribeStackResources']"),
)


@pytest.mark.parametrize("case", CASES)
def test_parliament_finds_no_mistake(case):
    for document in documents(case):
        assert [
            (issue, detail)
            for issue, detail in scan(PARLIAMENT, known(document))
            if not any(issue == kind and detail.endswith(end) for kind, end in INTENDED)
        ] == []


def test_parliament_does_find_mistakes_where_there_are_some():
    statement = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "arn:aws:s3:::acme"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    assert [issue for issue, _ in scan(PARLIAMENT, document)] == ["RESOURCE_MISMATCH"]


CLOUDSPLAINING = (
    "import json, sys; from cloudsplaining.scan.policy_document import PolicyDocument;"
    "d = PolicyDocument(json.load(sys.stdin));"
    "print(json.dumps({'exposure': d.permissions_management_without_constraints,"
    " 'exfiltration': d.allows_data_exfiltration_actions, 'escalation':"
    " d.allows_privilege_escalation, 'credentials': d.credentials_exposure,"
    " 'modification': d.write_actions_without_constraints,"
    " 'wildcards': d.service_wildcard}, default=str))"
)


@pytest.mark.parametrize("case", CASES)
def test_cloudsplaining_finds_no_risk_but_the_start_of_a_stackset(case):
    for document in documents(case):
        found = {r: f for r, f in scan(CLOUDSPLAINING, document).items() if f}
        # These have no resources; the account's boundary or SCPs may deny them.
        allowed = {"cloudformation:ActivateOrganizationsAccess", "cloudformation:CreateStackSet"}
        assert set(found.pop("modification", [])) <= allowed
        assert found == {}
