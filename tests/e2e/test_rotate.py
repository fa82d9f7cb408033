"""The external id changes, and Octo is refused at no moment: in a payer and its linked accounts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orchestrator.sandbox import control
from tests.e2e.conftest import Checkpoint, Project, RunningSandbox
from tests.registered import ROLE

OCTO = True
NEW = "0c70-the-new-external-id"
MEMBERS = ("payer", "linked-1", "linked-2")


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    """A payer with a StackSet and a standalone account; no new bucket, which takes a minute."""
    sandbox = unused_sandbox()
    projects = [
        sandbox.project(
            "payer",
            **sandbox.existing_bucket("payer", "p-data"),
            cur_s3_bucket_merge_policy=True,
            use_stackset=True,
        ),
        sandbox.project(
            "standalone",
            **sandbox.existing_bucket("standalone", "s-data"),
            cur_s3_bucket_merge_policy=True,
        ),
    ]
    arguments = ("apply", "--yes", "--wait", "60s", "--enable-trusted-access")
    with ThreadPoolExecutor() as pool:
        for applied in pool.map(lambda project: project(*arguments), projects):
            assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


def accepted(sandbox: RunningSandbox, *profiles: str) -> list[list[str]]:
    """The external ids that the role of each account accepts, sorted."""
    found = []
    for profile in profiles:
        role = sandbox.client(profile, "iam").get_role(RoleName=ROLE)["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        ids = statement["Condition"]["StringEquals"]["sts:ExternalId"]
        found.append(sorted([ids] if isinstance(ids, str) else ids))
    return found


def present(sandbox: RunningSandbox) -> str:
    return sandbox.octo_api().template().external_id.get_secret_value()


def rotate(project: Project, *arguments: str, code: int, **environ: str) -> Any:
    result = project("rotate-external-id", "--yes", "--wait", "60s", *arguments, **environ)
    assert result.returncode == code, result.stdout + result.stderr
    return result


def phase(project: Project) -> str | None:
    rotation = json.loads(project("status", "--json").stdout)["rotation"]
    return rotation and rotation["phase"]


def never_exposed(project: Project, *ids: str) -> None:
    for secret in ids:
        assert project.exposures(secret) == []


def test_a_payer_rotates_with_its_linked_accounts(sandbox, registered):
    payer = sandbox.restore(registered)["payer"]
    old = present(sandbox)
    both = sorted([old, NEW])
    (payer.folder / "new").write_text(f"{NEW}\n")
    (payer.folder / "new").chmod(0o600)

    first = rotate(payer, "--new-external-id-file", "new", code=4)
    assert "Every role accepts both external ids." in first.stderr
    assert accepted(sandbox, *MEMBERS) == [both] * 3
    assert phase(payer) == "waiting"

    code, report = payer.verify()
    (warning,) = [c for c in report["checks"] if c["status"] == "warn"]
    assert (code, warning["id"]) == (0, "api_access.rotation")
    assert "for 0 hours now" in warning["summary"]
    text = (payer.folder / "octo.yaml").read_text()
    without = [line for line in text.splitlines() if "external_id_rotation" not in line]
    (payer.folder / "not-pulled.yaml").write_text("\n".join([*without, ""]))
    refused = payer("plan", "--config", "not-pulled.yaml")
    assert refused.returncode == 5, refused.stderr
    assert "the roles accept two external ids" in refused.stderr

    control.change_external_id(sandbox.endpoint, NEW)
    colleague = payer("apply", "--yes")
    assert "No changes" in colleague.stderr, colleague.stderr  # whichever Octo presents
    done = rotate(payer, "--principal-profile", "octo", code=0)
    assert accepted(sandbox, *MEMBERS) == [[NEW]] * 3
    assert phase(payer) == "done"
    assert "external_id_rotation" not in (payer.folder / "octo.yaml").read_text()
    assert "api_access.assume" in done.stdout
    assert payer.verify()[0] == 0
    never_exposed(payer, old, NEW)


def test_octo_that_is_refused_with_the_new_id_alone_gets_both_back(sandbox, registered):
    project = sandbox.restore(registered)["standalone"]
    old = present(sandbox)
    rotate(project, code=4, OCTO_TF_NEW_EXTERNAL_ID=NEW)
    control.change_external_id(sandbox.endpoint, NEW)
    # Octo's first confirmation, while both are accepted, goes well; its second one does not.
    sandbox.fault(
        service="octo", action="CreateAccountAccess", error="FailedPrecondition", after=1, times=1
    )
    put_back = rotate(project, code=3)
    assert "both are accepted again" in put_back.stderr
    assert accepted(sandbox, "standalone") == [sorted([old, NEW])]
    assert phase(project) == "put_back"
    never_exposed(project, old, NEW)
