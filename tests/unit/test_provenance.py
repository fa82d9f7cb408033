"""A saved plan is applied only to what it was made from."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.config.load import load
from orchestrator.errors import EngineError, ExitCode, PlanRefused, WrongAccount
from orchestrator.terraform import plan_file, preview, provenance, render
from orchestrator.terraform.plan import Plan, ResourceValues
from orchestrator.terraform.state import NO_STATE, StateVersion

FLAGS = {"account_id": "111122223333", "external_id": "planted-external-id"}
AWS = "registry.terraform.io/hashicorp/aws"
LOCK = """
provider "registry.terraform.io/hashicorp/aws" {
  version     = "%s"
  constraints = ">= 5.80.0"
  hashes = [
    "h1:%s",
    "zh:registry",
  ]
}
"""
STATE = StateVersion("lineage-1", 7)


def rendered(**flags):
    registration = load(Path("absent.yaml"), {**FLAGS, **flags}, {})
    root = render.render(registration, "linked")
    return registration, root


def inputs_of(root: render.Root) -> dict:
    return {**json.loads(root.files[render.VALUES]), **json.loads(root.files[render.SECRETS])}


def saved(root: render.Root, *, lock: str = LOCK % ("5.100.0", "a"), state=STATE, **inputs):
    config = {name: text for name, text in root.files.items() if name.endswith(".tf")}
    plan = Plan(Path("tfplan"), (), True, inputs={**inputs_of(root), **inputs})
    return plan, plan_file.PlanFile(config, lock, state, {})


def examine(plan, file, *, lock: str = LOCK % ("5.100.0", "a"), state=STATE, **flags) -> None:
    registration, root = rendered(**flags)
    provenance.check(plan, file, registration=registration, root=root, lock_file=lock, state=state)


def refusal(*args, **settings) -> str:
    with pytest.raises(PlanRefused) as caught:
        examine(*args, **settings)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert "octo-tf plan --out" in caught.value.hint
    assert "planted" not in f"{caught.value} {caught.value.hint}"
    return str(caught.value)


def test_a_plan_made_from_what_is_here_passes():
    examine(*saved(rendered()[1]))


def test_a_plan_for_another_account_is_refused_first():
    other = rendered(account_id="444455556666")[1]
    with pytest.raises(WrongAccount, match="444455556666, not 111122223333"):
        examine(*saved(other))


def test_a_plan_made_with_another_version_of_the_provider_is_refused():
    made = saved(rendered(provider_version="~> 6.0")[1])
    assert "main.tf: differs in the plan" in refusal(*made)


def test_another_value_is_named_but_never_shown():
    assert "external_id: has another value" in refusal(
        *saved(rendered(external_id="planted-before")[1])
    )
    assert "tags: has another value" in refusal(*saved(rendered(tags={"a": "b"})[1]))


def test_another_module_is_named_by_file():
    root = rendered()[1]
    plan, file = saved(root)
    name = "modules/octo/modules/api-access/main.tf"
    file.config[name] += b"# changed"
    assert f"{name}: differs in the plan" in refusal(plan, file)
    del file.config[name]
    assert f"{name}: is not in the plan" in refusal(plan, file)
    file.config[name] = root.files[name]
    file.config["extra.tf"] = b""
    assert "extra.tf: is in the plan only" in refusal(plan, file)


def test_allow_destroy_must_be_the_same_in_plan_and_apply():
    plan, file = saved(rendered()[1])
    file.config["modules/octo/modules/cur-export/allow_destroy_override.tf"] = b"resource..."
    assert "--allow-destroy: the plan was made with other addresses" in refusal(plan, file)


def test_a_plan_of_an_edited_copy_of_the_state_differs_by_its_backend_alone():
    plan, file = saved(rendered()[1])
    file.config[preview.BACKEND] = b"terraform {}"
    examine(plan, file)


def test_another_provider_is_refused():
    saved_plan = saved(rendered()[1])
    assert f"{AWS} 5.100.0 in the plan, 6.1.0 here" in refusal(
        *saved_plan, lock=LOCK % ("6.1.0", "a")
    )
    other = (LOCK % ("5.100.0", "b")).replace("zh:registry", "zh:other")
    assert "another package" in refusal(*saved_plan, lock=other)
    assert "5.100.0 in the plan, none here" in refusal(*saved_plan, lock="")


def test_a_registry_and_a_mirror_lock_the_same_package():
    examine(*saved(rendered()[1]), lock=LOCK % ("5.100.0", "mirror"))


def test_a_state_that_moved_on_is_named():
    saved_plan = saved(rendered()[1])
    assert "serial 7 in the plan, 8 now" in refusal(*saved_plan, state=StateVersion("lineage-1", 8))
    assert "another one than the plan's" in refusal(*saved_plan, state=StateVersion("other", 7))
    first = saved(rendered()[1], state=NO_STATE)
    assert "no state yet" in refusal(*first)
    examine(*first, state=NO_STATE)


ROLE, BUCKET = "module.octo.aws_iam_role.api", "module.octo.aws_s3_bucket.cur[0]"


def planned(address: str, action: str = "noop", *, unknown=(), after=None, **before) -> Plan:
    kind = address.rsplit(".", 2)[1]
    after = before if after is None else after
    values = ResourceValues(address, kind, action, before, before, after, frozenset(unknown))
    return Plan(Path("tfplan"), (), True, resources=(values,))


def drift(reviewed: Plan, now: Plan, *repairs: str) -> str:
    with pytest.raises(PlanRefused) as caught:
        provenance.check_drift(reviewed, now, repairs)
    assert "octo-tf plan --out" in caught.value.hint
    assert "planted" not in str(caught.value)
    return str(caught.value)


def test_a_plan_of_what_aws_still_has_is_applied():
    made = planned(ROLE, "update", tags={}, after={"tags": {"a": "b"}})
    assert provenance.check_drift(made, made, ()) == {}
    later = planned(ROLE, "create", unknown=["arn"], after={"name": "x", "arn": None})
    assert provenance.check_drift(later, later, ()) == {}


def test_a_role_that_was_changed_after_the_review_is_refused_though_the_plan_leaves_it():
    reviewed, now = planned(ROLE, inline_policy=[]), planned(ROLE, inline_policy=["planted"])
    said = drift(reviewed, now, "AlphausAcctAccessRole: inline policy hand is removed")
    assert f"{ROLE}: inline_policy\n" in said
    assert "inline policy hand is removed" in said


def test_what_the_plan_changes_must_be_as_it_was():
    reviewed = planned(BUCKET, "update", tags={}, after={"tags": {"a": "b"}})
    now = planned(BUCKET, "update", tags={"a": "planted"}, after={"tags": {"a": "b"}})
    assert f"{BUCKET}: tags" in drift(reviewed, now)
    from_data = planned(BUCKET, "update", tags={}, after={"tags": {"a": "planted"}})
    assert f"{BUCKET}: tags" in drift(reviewed, from_data)
    gone = replace(now, resources=(replace(now.resources[0], before=None),))
    assert f"{BUCKET}: it was deleted" in drift(reviewed, gone)
    assert "a new plan would destroy it" in drift(reviewed, Plan(Path("x"), (), True, (BUCKET,)))


def test_another_resource_that_the_plan_leaves_is_named():
    left = provenance.check_drift(planned(BUCKET, tags={}), planned(BUCKET, tags={"a": "b"}), ())
    assert left == {BUCKET: "tags"}


def plan_zip(path: Path, **parts: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {
            "tfconfig/modules.json": json.dumps(
                [{"Key": "", "Dir": "."}, {"Key": "octo", "Dir": "modules/octo"}]
            ),
            "tfconfig/m-/main.tf": "root",
            "tfconfig/m-octo/cur.tf": "module",
            "tfstate": json.dumps(
                {"lineage": "x", "serial": 3, "outputs": {"name": {"value": [1], "type": "x"}}}
            ),
            "tfstate-prev": json.dumps({"lineage": "", "serial": 0}),  # as OpenTofu has it
            ".terraform.lock.hcl": LOCK % ("5.100.0", "a"),
            **parts,
        }.items():
            archive.writestr(name, text)
    return path


def test_a_plan_file_tells_what_it_was_made_from(tmp_path):
    file = plan_file.read(plan_zip(tmp_path / "tfplan"))
    assert file.config == {"main.tf": b"root", "modules/octo/cur.tf": b"module"}
    assert plan_file.locked(file.lock_file) == {
        AWS: ("5.100.0", frozenset({"h1:a", "zh:registry"}))
    }
    assert file.state == StateVersion("x", 3)
    assert file.outputs == {"name": [1]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"not a zip"),
        lambda path: path.write_bytes(path.read_bytes()[:200]),
        lambda path: path.write_bytes(b""),
        lambda path: plan_zip(path, tfstate="{}"),
        lambda path: plan_zip(path, **{"tfconfig/modules.json": "[1]"}),
        lambda path: plan_zip(path, **{"tfconfig/m-stray/a.tf": ""}),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["no zip", "cut", "empty", "no serial", "odd modules", "stray module", "folder"],
)
def test_what_is_no_plan_file_is_said_with_its_place(tmp_path, spoil):
    path = plan_zip(tmp_path / "tfplan")
    spoil(path)
    with pytest.raises(EngineError) as caught:
        plan_file.read(path)
    assert caught.value.where == str(path)
