"""What a plan means, with real Terraform: the same sentences in terminal, Markdown and JSON."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema

from orchestrator import assets
from orchestrator.model.module_contract.octo_names import API_ROLE, PRINCIPAL
from tests.e2e.project import EXTERNAL_ID, Project
from tests.registered import MANY

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/plan-v3.json").read_text())
BY_HAND = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
ANOTHER = "999988887777"


def meaning(project: Project, *options: str, **environ: str) -> str:
    """The sentences of a plan, which are in the terminal's output, in Markdown and in JSON."""
    written = ("--summary", "plan.json", "--markdown", "plan.md")
    planned = project("plan", *written, *options, **environ)
    assert planned.returncode in (0, 5), planned.stderr
    document = json.loads((project.folder / "plan.json").read_text())
    jsonschema.validate(document, SCHEMA)
    markdown = (project.folder / "plan.md").read_text().replace("\\", "")
    sentences = [s for section in document["meaning"] for s in section["sentences"]]
    assert all(s in planned.stdout and s in markdown for s in sentences)
    return "\n".join(sentences)


def newer_octo_tf(folder: Path) -> dict[str, str]:
    """A version whose module grants one write more, and trusts another account of Octo."""
    for name in ("orchestrator", "templates", "terraform"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*folder.rglob("*.py"), *folder.rglob("*.tf")):
        text = path.read_text()
        if PRINCIPAL in text:
            path.write_text(text.replace(PRINCIPAL, ANOTHER))
    policy = folder / assets.MODULE.relative_to(ROOT) / "policies/cost.json"
    policy.write_text(policy.read_text().replace('"Action": [', '"Action": ["s3:PutObject",', 1))
    return {"PYTHONPATH": str(folder)}


def test_a_reviewer_reads_what_a_plan_means(sandbox, tmp_path):
    project = sandbox.project("linked-1")
    applied = project("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    iam = sandbox.client("linked-1", "iam")
    trust = iam.get_role(RoleName=API_ROLE)["Role"]["AssumeRolePolicyDocument"]
    iam.put_role_policy(RoleName=API_ROLE, PolicyName="hand", PolicyDocument=BY_HAND)
    iam.update_assume_role_policy(
        RoleName=API_ROLE, PolicyDocument=json.dumps(trust).replace(PRINCIPAL, ANOTHER)
    )
    project.settings(additional_actions=["rds:DescribeDBProxies", *MANY])

    said = meaning(project, "--out", "saved.tfplan")
    assert re.search(r"It gains \d+ actions that list or read: .*\brds 1\b", said)
    by_hand = "inline policy hand is removed: put there outside Terraform; it allowed s3:* on *."
    assert f"{API_ROLE}: {by_hand}" in said
    assert f"Account {PRINCIPAL} may assume {API_ROLE} with the external id." in said
    assert f"Account {ANOTHER} may no longer assume {API_ROLE}." in said

    # Another version of octo-tf wants more than octo.yaml names.
    newer = newer_octo_tf(tmp_path)
    refused = project("plan", **newer)
    assert refused.returncode == 5, refused.stdout + refused.stderr
    lines = [f"{API_ROLE} may s3:PutObject", f"{API_ROLE} trusts {ANOTHER}"]
    assert all(line in refused.stderr for line in lines)
    advised = [line.strip() for line in refused.stderr.splitlines() if line.startswith("  - ")]
    assert advised == [f"- {line}" for line in sorted(lines)]
    with (project.folder / "octo.yaml").open("a") as file:
        file.write("\n".join(["accept:", *(f"  {line}" for line in advised), ""]))
    accepted = project("plan", **newer)
    assert accepted.returncode == 0, accepted.stderr

    # The saved plan of before shows what was reviewed, once more, before it is applied.
    text = (project.folder / "octo.yaml").read_text()
    (project.folder / "octo.yaml").write_text(text[: text.index("accept:")])
    # What somebody changes by hand after the review is not in it.
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.put_role_policy(RoleName=API_ROLE, PolicyName="later", PolicyDocument=BY_HAND)
    iam.attach_role_policy(RoleName=API_ROLE, PolicyArn=everything)
    drifted = project("apply", "--plan", "saved.tfplan")
    assert drifted.returncode == 5, drifted.stderr
    assert "resources in AWS have changed since the plan was made" in drifted.stderr
    assert f"{API_ROLE}: inline policy later is removed" in drifted.stderr
    assert f"{API_ROLE}: managed policy {everything} is detached" in drifted.stderr
    assert "inline policy hand" not in drifted.stderr  # which was reviewed
    iam.delete_role_policy(RoleName=API_ROLE, PolicyName="later")
    iam.detach_role_policy(RoleName=API_ROLE, PolicyArn=everything)
    iam.update_assume_role_policy(RoleName=API_ROLE, PolicyDocument=json.dumps(trust))
    drifted = project("apply", "--plan", "saved.tfplan")
    assert drifted.returncode == 5, drifted.stderr
    assert "aws_iam_role.api_access: assume_role_policy" in drifted.stderr
    iam.update_assume_role_policy(
        RoleName=API_ROLE, PolicyDocument=json.dumps(trust).replace(PRINCIPAL, ANOTHER)
    )

    saved = project("apply", "--plan", "saved.tfplan")
    assert saved.returncode == 0, saved.stderr
    assert by_hand in saved.stderr
    attached = iam.list_attached_role_policies(RoleName=API_ROLE)["AttachedPolicies"]
    assert [p["PolicyName"] for p in attached] == ["OctoAdditional1", "OctoAdditional2"]
    assert not project.exposures(EXTERNAL_ID)


def test_linked_accounts_that_get_the_roles_are_named(sandbox):
    bucket = sandbox.existing_bucket("payer", "billing-of-the-payer")
    project = sandbox.project("payer", **bucket, cur_s3_bucket_merge_policy=True, use_stackset=True)
    said = meaning(project, "--enable-trusted-access")
    (get,) = (line for line in said.splitlines() if "get Octo's roles" in line)
    assert sandbox.account("linked-1") in get
    assert "AWS delivers the report curreport (hourly) to s3://billing-of-the-payer/pre" in said
    assert f"Account {PRINCIPAL} may assume {API_ROLE} with the external id." in said
