"""A standalone account, with a new bucket in another region."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Checkpoint, Project, failing, hint

BUCKET = "alphaus-cur-export-222222222222"


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    project = sandbox.project("standalone", cur_s3_bucket_region="eu-west-1")
    applied = project("apply", "--yes", "--json", "--wait", "30s")
    assert applied.returncode == 0, applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def standalone(sandbox, registered) -> Project:
    """A standalone account whose first apply was the last thing that ran."""
    return sandbox.restore(registered)["standalone"]


def test_apply_registers_it_with_a_report_of_its_own(sandbox, standalone):
    report = json.loads(standalone.ran[-1].stdout)
    assert report["account"]["type"] == "standalone"
    assert report["areas"] == {"api_access": "pass", "cur_s3": "pass", "stackset": "skipped"}
    s3 = sandbox.client("standalone", "s3")
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"


@pytest.mark.longer  # test_payer.py tests it with a payer, test_engines.py with each engine
def test_a_second_apply_finds_nothing(standalone):
    result = standalone("apply", "--yes")
    assert result.returncode == 0
    assert "No changes." in result.stderr


@pytest.mark.longer  # test_payer.py tests it with a payer
def test_a_tag_is_changed_in_place(standalone):
    result = standalone("apply", "--yes", "--tag", "team=finops")
    assert result.returncode == 0, result.stderr
    assert "0 to add" in result.stderr
    assert "0 to destroy" in result.stderr


def test_what_an_interrupted_creation_left_is_kept_and_brought_in_line(sandbox, standalone):
    """Terraform marks what it created in part as tainted, and would replace the role and bucket."""
    path = standalone.root / "terraform.tfstate"
    state = json.loads(path.read_text())
    marked = [
        resource["instances"][0]
        for resource in state["resources"]
        if resource["type"] in ("aws_iam_role", "aws_s3_bucket") and resource["mode"] == "managed"
    ]
    for instance in marked:
        instance["status"] = "tainted"
    path.write_text(json.dumps(state))
    role = sandbox.client("standalone", "iam").get_role(RoleName="AlphausAcctAccessRole")["Role"]
    result = standalone("apply", "--yes")
    assert result.returncode == 0, result.stderr
    kept = result.stderr.count("its creation was interrupted: keep it instead of replacing it")
    assert kept == len(marked) >= 2
    assert "tainted" not in path.read_text()
    after = sandbox.client("standalone", "iam").get_role(RoleName="AlphausAcctAccessRole")["Role"]
    assert after["RoleId"] == role["RoleId"]


def test_a_bucket_that_was_made_again_elsewhere_is_found(sandbox, standalone):
    """Everything about the bucket is right but its region."""
    s3 = sandbox.client("standalone", "s3", "eu-west-1")
    policy = s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    objects = {}
    for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        objects[entry["Key"]] = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)
    s3 = sandbox.client("standalone", "s3", "ap-northeast-1")
    s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=blocked)
    for key, content in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    code, report = standalone.verify()
    assert (code, failing(report)) == (3, {"cur_s3.bucket"})
    assert "cur_s3_bucket_region: ap-northeast-1" in hint(report, "cur_s3.bucket")
