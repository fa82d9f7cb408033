"""octo-tf policy: jobs of a repository plan and apply by the roles of its template.

That policies are enough for a whole route, and that nothing in them is too much, is proved by
``make policies``: a table of option sets.
"""

from __future__ import annotations

import base64
import json
import time

import pytest

ISSUER = "gitlab.com"


def token(branch: str) -> str:
    """A token of GitLab for a job on a branch; the sandbox takes any signature."""
    claims = {
        "iss": f"https://{ISSUER}",
        "aud": "sts.amazonaws.com",
        "sub": f"project_path:acme/payer:ref_type:branch:ref:{branch}",
        "exp": int(time.time()) + 3600,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims, {})]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_the_roles_of_the_template_are_assumed_by_jobs_of_the_repository(sandbox):
    project = sandbox.project("linked-1")
    template = project(
        *("policy", "--account-type", "linked", "--format", "cloudformation"),
        *("--oidc", "gitlab:acme/payer"),
    )
    assert template.returncode == 0, template.stderr
    client = sandbox.client("linked-1", "cloudformation")
    client.create_stack(
        StackName="pipeline",
        TemplateBody=template.stdout,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(StackName="pipeline", WaiterConfig={"Delay": 1})
    sandbox.client("linked-1", "iam").create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    config = project.folder / "octo.yaml"
    own = [line for line in config.read_text().splitlines() if "profile" not in line]
    config.write_text("\n".join(line for line in own if line != "credentials:") + "\n")

    project.environ = {n: v for n, v in project.environ.items() if n != "AWS_PROFILE"}
    sts = sandbox.client("linked-1", "sts")

    def job(role: str, branch: str, *arguments: str):
        """Run a command as a job does: by a session of the role, for the job's token."""
        session = sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{project.account_id}:role/octo-tf-{role}",
            RoleSessionName="job",
            WebIdentityToken=token(branch),
        )["Credentials"]
        return project(
            *arguments,
            AWS_ACCESS_KEY_ID=session["AccessKeyId"],
            AWS_SECRET_ACCESS_KEY=session["SecretAccessKey"],
            AWS_SESSION_TOKEN=session["SessionToken"],
        )

    with pytest.raises(sts.exceptions.ClientError, match="AccessDenied"):
        job("apply", "feature")
    planned = job("plan", "feature", "plan")
    assert planned.returncode == 0, planned.stderr
    applied = job("apply", "main", "apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    denied = job("plan", "feature", "apply", "--yes", "--tag", "team=cloud")
    assert denied.returncode == 1
    assert "iam:TagRole" in denied.stderr
