"""The module without octo-tf: applied by Terraform alone, and taken away as its README says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from orchestrator import assets
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import binary
from tests.e2e.conftest import EXTERNAL_ID, RunningSandbox
from tests.registered import CUR_ROLE, ROLE

BUCKET = "billing-of-the-module"
SANDBOX = ("--linked", "1")
EXAMPLE = assets.MODULE / "examples/existing-bucket/main.tf"
README = (assets.MODULE / "README.md").read_text()
MOVED = (assets.MODULE / "moved.tf").read_text()


def terraform(sandbox: RunningSandbox, folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={**sandbox.environ, "AWS_PROFILE": "payer", "TF_VAR_external_id": EXTERNAL_ID},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def at_earlier_addresses(state: str) -> str:
    """A state as the module had it before it was divided, by its ``moved`` blocks."""
    document = json.loads(state)
    earlier = {to: was for was, to in re.findall(r"from = (\S+)\n  to   = (module\S+)", MOVED)}
    managed = [r for r in document["resources"] if r["mode"] == "managed"]
    for resource in managed:
        part = resource["module"].removeprefix("module.octo.")
        was, _, key = earlier[f"{part}.{resource['type']}.{resource['name']}"].partition("[")
        resource["module"] = "module.octo"
        resource["type"], resource["name"] = was.split(".")
        for instance in resource["instances"] if key else ():
            instance["index_key"] = 0
    return json.dumps({**document, "resources": managed})


def test_all_that_an_example_makes_is_taken_away_and_the_owners_bucket_stays(
    sandbox: RunningSandbox,
):
    settings = sandbox.existing_bucket("payer", BUCKET, settings_region := "eu-central-1")
    s3 = sandbox.client("payer", "s3", settings_region)
    own = {
        "Sid": "TheOwners",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": sandbox.account("payer")}},
    }
    policy = {"Version": "2012-10-17", "Statement": [own]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    folder = sandbox.folder / "by Terraform alone"
    shutil.copytree(assets.MODULE, folder / "octo", ignore=shutil.ignore_patterns("tests"))
    text = EXAMPLE.read_text()
    for written, here in (
        ("111122223333", sandbox.account("payer")),
        ("billing-data", settings["cur_s3_bucket_name"]),
        ("../..", "./octo"),
    ):
        assert written in text
        text = text.replace(written, here)
    (folder / "main.tf").write_text(text)
    found = binary.find(None, sandbox.environ)
    mirror = binary.provider_mirror(found, sandbox.environ, Constraint.parse("5.100.0"))
    terraform(sandbox, folder, "init", *([f"-plugin-dir={mirror}"] if mirror else []))
    terraform(sandbox, folder, "apply", "-auto-approve", "-input=false")
    iam, cur = sandbox.client("payer", "iam"), sandbox.client("payer", "cur")
    assert {ROLE, CUR_ROLE} <= {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert cur.describe_report_definitions()["ReportDefinitions"]

    held = terraform(sandbox, folder, "state", "list").splitlines()
    state = folder / "terraform.tfstate"
    now = state.read_text()
    state.write_text(at_earlier_addresses(now))
    plan = terraform(sandbox, folder, "plan", "-input=false", "-no-color")
    assert plan.count(" has moved to ") == len([a for a in held if ".data." not in a])
    assert "Plan: 0 to add, 0 to change, 0 to destroy." in plan
    state.write_text(now)

    removed = re.findall(r"^removed \{.*?^\}$", README, re.MULTILINE | re.DOTALL)
    call = re.search(r"^module .*?^\}$", text, re.MULTILINE | re.DOTALL)
    assert removed and call
    (folder / "main.tf").write_text(text.replace(call[0], "\n\n".join(removed)))
    shutil.rmtree(folder / "octo")  # as when the call's source is gone
    terraform(sandbox, folder, "apply", "-auto-approve", "-input=false")
    names = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert not {name for name in names if name.startswith(("Alphaus", "Octo"))}
    assert cur.describe_report_definitions()["ReportDefinitions"] == []
    assert terraform(sandbox, folder, "state", "list") == ""
    kept = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert own in kept
