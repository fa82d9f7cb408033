"""From the published module to octo-tf, as a child module and as a root: nothing is replaced."""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import assets
from orchestrator.model.module_contract.addresses import BUCKET, REPORT, ROLES, in_its_module
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import binary
from tests.e2e.conftest import EXTERNAL_ID, Checkpoint, Project, RunningSandbox, failing
from tests.registered import CUR_ROLE, ROLE

PUBLISHED = Path(__file__).parent / "published"
LEFT = {"OctoSSMUpdaterRole", "OctoChangeExecutorRole"}
STATE = "terraform.tfstate"
PROTECTED = ("aws_iam_role", "aws_s3_bucket", "aws_cur_report_definition")


@dataclass
class User:
    """Somebody with the published module applied, and octo-tf beside it."""

    sandbox: RunningSandbox
    profile: str
    folder: Path
    project: Project
    bucket: str
    before: dict[str, Any] = field(default_factory=dict)  # identities, before any adoption

    def restored(self, sandbox: RunningSandbox, checkpoint: Checkpoint) -> User:
        """The same user, in the sandbox of a test that goes on from a checkpoint."""
        project = sandbox.restore(checkpoint)[self.profile]
        folder = sandbox.folder / self.folder.name
        return replace(self, sandbox=sandbox, folder=folder, project=project)

    def terraform(self, *arguments: str) -> str:
        result = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env={**self.project.environ, "AWS_PROFILE": self.profile},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def init(self) -> None:
        found = binary.find(None, self.project.environ)
        mirror = binary.provider_mirror(
            found, self.project.environ, Constraint.parse(">= 5.49.0, < 6.0.0")
        )
        self.terraform("init", *([f"-plugin-dir={mirror}"] if mirror else []))

    def adopt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.project("adopt", str(self.folder), "--aws-profile", self.profile, *arguments)

    def client(self, service: str) -> Any:
        return self.sandbox.client(self.profile, service)

    def policies(self, role: str) -> set[str]:
        return set(self.client("iam").list_role_policies(RoleName=role)["PolicyNames"])

    def identities(self) -> dict[str, Any]:
        """What AWS never gives twice."""
        iam, s3 = self.client("iam"), self.client("s3")
        buckets = {b["Name"]: b["CreationDate"] for b in s3.list_buckets()["Buckets"]}
        return {
            **{n: iam.get_role(RoleName=n)["Role"]["RoleId"] for n in (ROLE, CUR_ROLE)},
            "bucket": buckets[self.bucket],
        }

    @property
    def is_child(self) -> bool:
        return (self.folder / "published").is_dir()

    def held(self) -> list[str]:
        return self.terraform("state", "list").split()


def user(sandbox: RunningSandbox, profile: str, **inputs: Any) -> User:
    """The published module, applied: as a child where inputs say so, else as a root."""
    keys = configparser.ConfigParser()
    keys.read(sandbox.environ["AWS_SHARED_CREDENTIALS_FILE"])
    folder = sandbox.folder / f"{profile} with the published module"
    secrets = {
        "access_key": keys[profile]["aws_access_key_id"],
        "secret_key": keys[profile]["aws_secret_access_key"],
    }
    if child := inputs.pop("child", False):
        folder.mkdir()
        shutil.copytree(PUBLISHED, folder / "published")
        (folder / "main.tf").write_text(CHILD)
    else:
        shutil.copytree(PUBLISHED, folder)
    (folder / "terraform.tfvars.json").write_text(json.dumps({**inputs, **secrets}))
    bucket = f"acme-billing-{profile}" if child else inputs["cur_s3_bucket_name"]
    made = User(
        sandbox,
        profile,
        folder,
        sandbox.empty_project(profile),
        bucket,
    )
    made.init()
    made.terraform("apply", "-auto-approve", "-input=false")
    made.before = made.identities()
    return made


CHILD = """
variable "external_id" {}
variable "access_key" {}
variable "secret_key" {}

locals {
  company = "acme"
}

module "billing" {
  source = "./published"

  external_id        = var.external_id
  use_stackset       = true
  cur_s3_bucket_name = "${local.company}-billing-payer"
  cur_s3_prefix      = "octo"
  access_key         = var.access_key
  secret_key         = var.secret_key
}

# Their own, in the same root.
resource "terraform_data" "unrelated" {}
"""


Kept = tuple[User, Checkpoint]
CONSENT = ("--yes", "--purge-policies", "--json", "--wait", "60s")


@pytest.fixture(scope="module")
def applied_child(unused_sandbox) -> Kept:
    sandbox = unused_sandbox()
    sandbox.client("payer", "cloudformation").activate_organizations_access()
    made = user(sandbox, "payer", child=True, external_id=EXTERNAL_ID)
    return made, sandbox.checkpoint()


@pytest.fixture(scope="module")
def adopted_child(unused_sandbox, applied_child) -> Kept:
    sandbox = unused_sandbox()
    made, checkpoint = applied_child
    child = made.restored(sandbox, checkpoint)
    child.adopt(*CONSENT, "--remove-role", "OctoChangeExecutorRole")
    return child, sandbox.checkpoint()


@pytest.fixture(scope="module")
def applied_root(unused_sandbox) -> Kept:
    sandbox = unused_sandbox()
    made = user(
        sandbox,
        "standalone",
        external_id=EXTERNAL_ID,
        use_stackset=False,
        cur_s3_bucket_name="acme-billing-standalone",
    )
    return made, sandbox.checkpoint()


@pytest.fixture(scope="module")
def kept_root(unused_sandbox, applied_root) -> Kept:
    """Adopted in a second run, which keeps the old state; a Ctrl-C had ended the first one."""
    sandbox = unused_sandbox()
    made, checkpoint = applied_root
    root = made.restored(sandbox, checkpoint)
    root.project.interrupted(
        *("adopt", str(root.folder), "--aws-profile", root.profile, *CONSENT),
        when=lambda: "octo-cost" in root.policies(ROLE),
    )
    assert (root.project.folder / "octo.yaml").exists()
    root.adopt(*CONSENT, "--keep-old-state")
    return root, sandbox.checkpoint()


@pytest.fixture(scope="module")
def adopted_root(unused_sandbox, kept_root) -> Kept:
    """The same after a third run, which releases the old state."""
    sandbox = unused_sandbox()
    made, checkpoint = kept_root
    root = made.restored(sandbox, checkpoint)
    root.adopt(*CONSENT)
    return root, sandbox.checkpoint()


@pytest.fixture
def child(sandbox, applied_child) -> User:
    """Somebody with the published module as a child, applied."""
    made, checkpoint = applied_child
    return made.restored(sandbox, checkpoint)


@pytest.fixture
def root(sandbox, applied_root) -> User:
    """Somebody with the published module as the root, applied."""
    made, checkpoint = applied_root
    return made.restored(sandbox, checkpoint)


SWITCHED = """
provider "aws" {{
  region = "us-east-1"
}}

module "{name}" {{
  source = "{source}"

  providers = {{
    aws            = aws
    aws.cur_bucket = aws
  }}

  external_id        = "{external_id}"
  account_type       = "{account_type}"
  use_stackset       = false
  cur_s3_bucket_name = "{bucket}"
  cur_s3_prefix      = "{prefix}"
  cur_role_trust     = "principal_only"
}}
"""
OLD = (
    "aws_iam_role.alphaus_acct_access_role",
    "aws_iam_role.AlphausAcctAccessCurRole",
    "aws_s3_bucket.s3_bucket_resource",
    "aws_cur_report_definition.cur_report_def",
)


def switched(user: User, *, name: str, account_type: str, prefix: str) -> dict[str, Any]:
    """The plan of a user who changes the source, without octo-tf; their own folder is copied."""
    copy = user.folder.with_name(f"{user.profile} switches")
    copy.mkdir()
    shutil.copy(user.folder / "terraform.tfstate", copy)
    prefix_of = f"module.{name}." if user.is_child else ""
    text = SWITCHED.format(
        name=name,
        source=assets.MODULE,
        external_id=EXTERNAL_ID,
        account_type=account_type,
        bucket=user.bucket,
        prefix=prefix,
    )
    if not user.is_child:
        for old in OLD:
            text += f"moved {{\n  from = {old}\n  to   = module.{name}.{old}\n}}\n"
    (copy / "main.tf").write_text(text)
    there = User(user.sandbox, user.profile, copy, user.project, user.bucket)
    there.init()
    for address in there.held():
        if not address.startswith(tuple(prefix_of + old for old in OLD)):
            there.terraform("state", "rm", address)
    there.terraform("plan", "-out=plan", "-input=false")
    return json.loads(there.terraform("show", "-json", "plan"))


def moves_everything(plan: dict[str, Any], prefix: str, name: str) -> None:
    changes = {c["address"]: c for c in plan["resource_changes"] if c["mode"] == "managed"}
    assert not [a for a, c in changes.items() if "delete" in c["change"]["actions"]]
    api, cur = list(ROLES)[:2]
    for address in (api, cur, BUCKET, REPORT):
        change = changes[f"module.{name}.{address}"]
        resource_type = in_its_module(address).split(".")[0]
        assert change["previous_address"].startswith(prefix + resource_type)
        assert change["change"]["actions"] in (["no-op"], ["update"])


def test_a_child_moves_by_a_change_of_source(child):
    plan = switched(child, name="billing", account_type="payer", prefix="octo")
    moves_everything(plan, "module.billing.", "billing")


def test_a_root_moves_by_moves_into_the_module(root):
    plan = switched(root, name="octo", account_type="standalone", prefix="pre")
    moves_everything(plan, "", "octo")


def test_without_consent_nothing_is_written(child):
    held, policies = child.held(), child.policies(ROLE)
    refused = child.adopt("--yes")
    assert refused.returncode == 5, refused.stderr
    assert "inline policy Operations: Octo loses" in refused.stderr
    assert "writes IAM, passes roles on" in refused.stderr
    assert "--purge-policies" in refused.stderr
    assert (child.held(), child.policies(ROLE)) == (held, policies)
    assert child.identities() == child.before
    assert list(child.project.folder.iterdir()) == []


def test_the_plan_is_shown_without_writing(child):
    held = child.held()
    shown = child.adopt("--plan-only", "--json", "--remove-role", "OctoChangeExecutorRole")
    assert shown.returncode == 0, shown.stderr
    plan = json.loads(shown.stdout)
    assert plan["totals"]["destroy"] == 0
    assert not [c for c in plan["changes"] if c["action"] in ("delete", "replace")]
    assert not [c for c in plan["changes"] if c["type"] in PROTECTED and c["action"] == "create"]
    assert [action["code"] for action in plan["outside"]] == [
        "config.write",
        "octo.register",
        "role.delete",
        "state.release",
    ]
    assert not (child.project.folder / "octo.yaml").exists()
    assert child.policies(ROLE) == {"CostReading", "Operations"}
    assert child.held() == held


def is_adopted(user: User, *, kept: list[str], removed: str | None = None) -> None:
    done = user.project.ran[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert failing(report) == set()
    assert report["areas"]["cur_s3"] == "pass"
    assert user.identities() == user.before
    assert user.policies(ROLE) == {"octo-cost"}
    assert user.policies(CUR_ROLE) == {"octo-cur-billing", "octo-cur-read"}
    left = {r["RoleName"] for r in user.client("iam").list_roles()["Roles"]} & LEFT
    assert left == LEFT - {removed}
    for name in LEFT:
        assert f"Not managed by octo-tf: role {name}" in done.stderr
    assert user.held() == kept
    (copy,) = user.project.root.glob("released-*.tfstate")
    assert copy.stat().st_mode & 0o777 == 0o600
    settings = (user.project.folder / "octo.yaml").read_text()
    for secret in (EXTERNAL_ID, "secret_key", "access_key"):
        assert secret not in settings
    assert EXTERNAL_ID not in done.stdout + done.stderr
    assert "cur_role_trust: principal_only" in settings


def is_idempotent(user: User, *arguments: str) -> None:
    before = user.project.state_serial()
    again = user.adopt("--yes", "--json", *arguments)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing to adopt" in again.stderr
    assert user.project.state_serial() == before
    assert user.identities() == user.before
    assert user.project("plan", "--detailed-exitcode").returncode == 0


def test_a_child_module_is_adopted(sandbox, adopted_child):
    made, checkpoint = adopted_child
    child = made.restored(sandbox, checkpoint)
    is_adopted(child, kept=["terraform_data.unrelated"], removed="OctoChangeExecutorRole")
    policies = child.client("iam").list_policies(Scope="Local")["Policies"]
    assert "OctoEverything" not in {policy["PolicyName"] for policy in policies}
    settings = (child.project.folder / "octo.yaml").read_text()
    assert "cur_s3_prefix: octo" in settings
    assert "use_stackset: true" in settings


def test_their_folder_plans_nothing_once_the_block_is_out(sandbox, adopted_child):
    made, checkpoint = adopted_child
    child = made.restored(sandbox, checkpoint)
    main = child.folder / "main.tf"
    start, _, rest = main.read_text().partition('module "billing" {')
    main.write_text(start + rest.partition("\n}\n")[2])
    child.terraform("plan", "-detailed-exitcode", "-input=false")  # 0: no changes


def test_adopting_a_child_again_changes_nothing(sandbox, adopted_child):
    made, checkpoint = adopted_child
    is_idempotent(made.restored(sandbox, checkpoint), "--remove-role", "OctoChangeExecutorRole")


def test_an_interrupted_adoption_is_run_again_and_keeps_the_old_state_on_request(
    sandbox, applied_root, kept_root
):
    made, checkpoint = kept_root
    root = made.restored(sandbox, checkpoint)
    done = root.project.ran[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert root.identities() == root.before
    before = json.loads((applied_root[0].folder / STATE).read_text())
    after = json.loads((root.folder / STATE).read_text())
    assert after["serial"] == before["serial"]
    assert f"The state in {made.folder} still has" in done.stderr


def test_a_root_module_is_adopted(sandbox, adopted_root):
    made, checkpoint = adopted_root
    root = made.restored(sandbox, checkpoint)
    is_adopted(root, kept=["data.aws_caller_identity.current"])


@pytest.mark.longer
def test_adopting_a_root_again_changes_nothing(sandbox, adopted_root):
    made, checkpoint = adopted_root
    is_idempotent(made.restored(sandbox, checkpoint))
