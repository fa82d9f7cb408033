"""A payer whose organization's policies deny the StackSet in some accounts."""

from __future__ import annotations

import json

from orchestrator.sandbox import control
from tests.e2e.conftest import RunningSandbox

DENY = {"Sid": "NoRoles", "Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"}


def content(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_nothing_is_written_for_an_account_that_is_cut_off_until_the_exemption_is_added(
    sandbox: RunningSandbox,
):
    organizations = sandbox.client("payer", "organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    policy = organizations.create_policy(
        Name="guard", Description="", Type="SERVICE_CONTROL_POLICY", Content=content(DENY)
    )["Policy"]["PolicySummary"]["Id"]
    account = sandbox.account("linked-2")
    organizations.attach_policy(PolicyId=policy, TargetId=account)
    bucket = sandbox.existing_bucket("payer", "reports-under-guardrails")
    project = sandbox.project("payer", use_stackset=True, cur_s3_bucket_merge_policy=True, **bucket)
    before = control.changes(sandbox.endpoint)

    refused = project("apply", "--yes", "--enable-trusted-access")
    assert refused.returncode == 5
    assert f"statement NoRoles of SCP guard ({policy})" in " ".join(refused.stderr.split())
    assert f"--stackset-excluded-account {account}" in " ".join(refused.stderr.split())
    predicted = project("preflight", "--json", "--report", "html=before.html,json=before.json")
    assert predicted.returncode == 3
    document = json.loads(predicted.stdout)
    assert document["cut_off"] == [account]
    assert json.loads((project.folder / "before.json").read_text()) == document
    assert "NoRoles" in (project.folder / "before.html").read_text()
    assert control.changes(sandbox.endpoint) == before

    (obstacle,) = (o for o in document["obstacles"] if o["denies"] == "deployment")
    organizations.update_policy(PolicyId=policy, Content=content(obstacle["exemption"]))
    assert project("preflight").returncode == 0
    applied = project("apply", "--yes", "--enable-trusted-access", "--json")
    assert applied.returncode in (0, 4), applied.stderr  # 4: the report's first delivery
    assert json.loads(applied.stdout)["areas"]["stackset"] == "pass"
