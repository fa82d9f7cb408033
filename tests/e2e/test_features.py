"""Features from nothing to nothing: applied, proved, used by the sandbox's Octo, taken away."""

from __future__ import annotations

import json
from typing import Any

import boto3
import requests

from tests.e2e.conftest import Project, RunningSandbox

OCTO = True
SANDBOX = ("--linked", "1")
EVERYTHING = ("cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution")
FURTHER_ROLES = {
    "OctoRecommendationSearcherRole",
    "OctoSSMUpdaterRole",
    "OctoChangeExecutorRole",
    "OctoChangeTemplateApproverRole",
}
APPROVER = "OctoChangeTemplateApproverRole"


def octo(sandbox: RunningSandbox, method: str, route: str, body: Any = None) -> Any:
    """A call to the sandbox's Octo, as its published API says it is made."""
    form = {
        "client_id": sandbox.environ["ALPHAUS_CLIENT_ID"],
        "client_secret": sandbox.environ["ALPHAUS_CLIENT_SECRET"],
        "grant_type": "client_credentials",
        "scope": "openid",
    }
    token = requests.post(sandbox.environ["ALPHAUS_AUTH_URL"], data=form, timeout=30).json()
    answer = requests.request(
        method,
        f"{sandbox.environ['OCTO_TF_OCTO_ENDPOINT']}{route}",
        json=body,
        headers={"Authorization": f"Bearer {token['access_token']}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def stops(sandbox: RunningSandbox, profile: str) -> str:
    """Have Octo stop the idle instance of an account; its status at the end, or the error."""
    account = sandbox.account(profile)
    (one,) = sandbox.octo_api().recommendations(account)
    route = "/v1/recommendation/execute"
    octo(sandbox, "POST", route, {"ids": [one.id], "executeType": "SUBMIT_TEMPLATE"})
    keys = sandbox.client(profile, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/{APPROVER}", RoleSessionName="ann"
    )["Credentials"]
    ssm = boto3.Session().client(
        "ssm",
        region_name="us-east-1",
        endpoint_url=sandbox.endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    own = ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])
    for template in own["DocumentIdentifiers"]:
        ssm.update_document_metadata(Name=template["Name"], DocumentReviews={"Action": "Approve"})
    done = octo(sandbox, "POST", route, {"ids": [one.id], "executeType": "DEFAULT"})
    answer = done["result"][one.id]
    return str(answer["error"] or answer["status"])


def state_of(sandbox: RunningSandbox, profile: str, instance: str) -> str:
    found = sandbox.client(profile, "ec2").describe_instances(InstanceIds=[instance])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def further_roles(sandbox: RunningSandbox, profile: str) -> set[str]:
    roles = sandbox.client(profile, "iam").list_roles()["Roles"]
    return {role["RoleName"] for role in roles} & FURTHER_ROLES


def report_of(ran: Any) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def test_a_payer_and_its_linked_accounts_have_every_feature_until_it_leaves(sandbox):
    instances = {name: sandbox.idle_instance(name) for name in ("payer", "linked-1")}
    payer: Project = sandbox.project(
        "payer",
        **sandbox.existing_bucket("payer", "billing-of-the-features"),
        cur_s3_bucket_merge_policy=True,
        features=EVERYTHING,
        execution_actions=["stop_ec2"],
        enrolment="organization",
        use_stackset=True,
        stackset_features=["cost", "recommendations", "execution"],
    )
    applied = payer("apply", "--yes", "--json", "--enable-trusted-access", "--wait", "60s")
    report = report_of(applied)
    assert report["features"] == dict.fromkeys(EVERYTHING[1:], "pass")
    checks = {check["id"]: check for check in report["checks"]}
    assert checks["recommendations.trusted_advisor"]["status"] == "pass"
    assert "OctoSSMUpdaterRole" in checks["stackset.access"]["evidence"]["roles"]
    for profile, instance in instances.items():
        assert further_roles(sandbox, profile) == FURTHER_ROLES
        assert stops(sandbox, profile) == "Executed"
        assert state_of(sandbox, profile, instance) == "stopped"

    left = payer("destroy", "--yes", "--confirm-account", payer.account_id)
    assert left.returncode == 0, left.stderr
    assert all(further_roles(sandbox, profile) == set() for profile in instances)


def test_a_standalone_account_is_proved_by_what_it_has_and_gives_a_feature_up(sandbox):
    instance = sandbox.idle_instance("standalone")
    account: Project = sandbox.project(
        "standalone",
        **sandbox.existing_bucket("standalone", "billing-of-one-account"),
        cur_s3_bucket_merge_policy=True,
        features=["cost", "recommendations", "execution"],
        execution_actions=["stop_ec2"],
        execution_tag={"octo": "execute"},
    )
    report = report_of(account("apply", "--yes", "--json", "--wait", "60s"))
    assert report["features"] == {"recommendations": "pass", "execution": "pass"}
    assert "not authorized to perform: ec2:StopInstances" in stops(sandbox, "standalone")
    assert state_of(sandbox, "standalone", instance) == "running", "it has no tag"

    sandbox.client("standalone", "iam").delete_role_policy(
        RoleName="OctoSSMUpdaterRole", PolicyName="octo-ssm-updater"
    )
    code, broken = account.verify()
    assert (code, broken["features"]["execution"], broken["can_finish"]) == (3, "fail", True)
    assert broken["areas"]["api_access"] == "pass"

    settings = account.folder / "octo.yaml"
    kept = [line for line in settings.read_text().splitlines() if "execution" not in line]
    settings.write_text("\n".join([*kept, "features: [cost, recommendations]", ""]))
    refused = account("apply", "--yes")
    assert refused.returncode == 5, refused.stderr
    gone = FURTHER_ROLES - {"OctoRecommendationSearcherRole"}
    roles = [
        f'module.octo.module.api_access.aws_iam_role.feature["{name}"]' for name in sorted(gone)
    ]
    allowed = account("apply", "--yes", *(f"--allow-destroy={role}" for role in roles))
    assert allowed.returncode == 0, allowed.stderr
    assert further_roles(sandbox, "standalone") == {"OctoRecommendationSearcherRole"}
