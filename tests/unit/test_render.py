"""The rendered root: deterministic, read back, atomic; values never become structure."""

from __future__ import annotations

import json
import re
import stat

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import assets
from orchestrator.config.load import load
from orchestrator.errors import RenderError
from orchestrator.model.module_contract.addresses import BUCKET, MODULE, REPORT, STACKSET
from orchestrator.model.registration import Registration
from orchestrator.terraform import render

HOSTILE = ['${file("/etc/passwd")}', "%{ if true }x%{ endif }", '"}\nprovider "x" {', "{{ 7*7 }}"]


def test_the_same_input_gives_the_same_bytes(registered):
    one = render.render(registered(tags={"b": "2", "a": "1"}), "payer")
    two = render.render(registered(tags={"a": "1", "b": "2"}), "payer")
    assert one.files == two.files


def test_values_are_in_json_and_structure_in_hcl(registered):
    root = render.render(registered(account_name="Acme", cur_s3_prefix="billing"), "payer")
    values = json.loads(root.files[render.VALUES])
    assert values["account_id"] == "111122223333"
    assert values["cur_s3_prefix"] == "billing"
    assert b"billing" not in root.files["main.tf"]
    assert b"111122223333" not in root.files["main.tf"]
    assert "account_name" not in values  # Octo's, not the module's


def test_the_external_id_is_in_the_ignored_secret_file_only(registered):
    root = render.render(registered(), "payer")
    holders = [name for name, content in root.files.items() if b"octo-external-id" in content]
    assert holders == [render.SECRETS]
    assert b"*.auto.tfvars.json" in root.files[".gitignore"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_carried_literally(registered, value):
    tame = render.render(registered(tags={"k": "v"}), "payer")
    # Past validation, to see what the renderer itself guarantees.
    root = render.render(registered().model_copy(update={"tags": {"k": value}}), "payer")
    assert json.loads(root.files[render.VALUES])["tags"] == {"k": value}
    assert {n: c for n, c in root.files.items() if n != render.VALUES} == {
        n: c for n, c in tame.files.items() if n != render.VALUES
    }


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40), max_size=4))
def test_no_tag_changes_the_structure(tmp_path_factory, tags):
    flags = {"account_id": "111122223333", "external_id": "octo-external-id"}
    absent = tmp_path_factory.getbasetemp() / "absent.yaml"
    plain = render.render(load(absent, {**flags, "tags": {"k": "v"}}, {}), "payer")
    # Past validation, to see what the renderer itself guarantees.
    registration = load(absent, flags, {}).model_copy(update={"tags": tags})
    root = render.render(registration, "payer")
    assert root.files["main.tf"] == plain.files["main.tf"]
    assert json.loads(root.files[render.VALUES])["tags"] == tags


def test_one_provider_serves_both_regions_when_they_are_equal(registered):
    text = render.render(registered(), "payer").files["main.tf"].decode()
    assert text.count('provider "aws"') == 1
    assert "aws.cur_bucket = aws\n" in text


def test_a_bucket_in_another_region_gets_its_own_provider(registered):
    root = render.render(registered(cur_s3_bucket_region="eu-west-1"), "payer")
    text = root.files["main.tf"].decode()
    assert text.count('provider "aws"') == 2
    assert "aws.cur_bucket = aws.cur_bucket\n" in text
    assert text.count("allowed_account_ids = [var.account_id]") == 2


def test_a_linked_account_has_no_bucket_and_no_second_provider(registered):
    root = render.render(registered(cur_s3_bucket_region="eu-west-1"), "linked")
    assert root.files["main.tf"].decode().count('provider "aws"') == 1


def test_profile_and_role_reach_terraform_as_variables(registered):
    settings = {
        "credentials.profile": "payer",
        "credentials.assume_role.role_arn": "arn:aws:iam::111122223333:role/Deploy",
        "credentials.assume_role.external_id": "deploy-secret",
    }
    root = render.render(registered(**settings), "payer")
    text = root.files["main.tf"].decode()
    assert "profile             = var.profile" in text
    assert "external_id  = var.assume_role_external_id" in text
    values = json.loads(root.files[render.VALUES])
    assert values["assume_role_arn"] == "arn:aws:iam::111122223333:role/Deploy"
    assert json.loads(root.files[render.SECRETS])["assume_role_external_id"] == "deploy-secret"


def test_an_s3_backend_is_locked_and_encrypted(registered):
    backend = {"type": "s3", "bucket": "states", "key": "octo/a", "region": "us-east-1"}
    root = render.render(registered(backend=backend), "payer")
    assert hcl2.loads(root.files["main.tf"].decode())["terraform"][0]["backend"][0].keys() >= {
        '"s3"'
    }
    settings = json.loads(root.files[render.BACKEND])
    assert settings == {
        "bucket": "states",
        "key": "octo/a",
        "region": "us-east-1",
        "encrypt": True,
        "use_lockfile": True,
    }
    assert root.backend_config == render.BACKEND


def test_a_damaged_template_is_noticed_before_it_is_used(registered, tmp_path, monkeypatch):
    folder = tmp_path / "root"
    folder.mkdir()
    for template in (assets.TEMPLATES / "root").iterdir():
        text = template.read_text()
        (folder / template.name).write_text(text.replace("[var.account_id]", "[]"))
    monkeypatch.setattr(assets, "TEMPLATES", tmp_path)
    damaged = render.render(registered(), "payer")
    with pytest.raises(RenderError, match="providers"):
        render.write(damaged, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_taken_over_is_named_in_hcl_and_identified_in_json(registered, tmp_path):
    plain = render.render(registered(), "payer")
    policy = 'module.octo.module.api_access.aws_iam_role_policy.api_access["octo-cost"]'
    ids = {
        policy: "R:octo-cost",
        "module.octo.module.cur_export[0].aws_s3_bucket.cur[0]": '${file("x")}',
    }
    root = render.importing(plain, ids)
    assert root.values["import_ids"] == ids
    assert b"file" not in root.files[render.IMPORTS]
    render.write(root, tmp_path)  # reads it back
    assert policy in (tmp_path / render.IMPORTS).read_text()
    assert render.diff(plain, tmp_path) == ""  # of one run: no difference to what is meant
    render.write(plain, tmp_path)
    assert not (tmp_path / render.IMPORTS).exists()
    assert not (tmp_path / render.IMPORT_IDS).exists()


def test_a_damaged_import_is_noticed_before_it_is_used(registered, tmp_path):
    root = render.importing(render.render(registered(), "payer"), {"module.octo.a.b": "id"})
    other = root.files[render.IMPORTS].replace(b"module.octo.a.b\n", b"module.octo.a.c\n")
    damaged = render.Root({**root.files, render.IMPORTS: other}, root.meant)
    with pytest.raises(RenderError, match="imports"):
        render.write(damaged, tmp_path)


def test_write_makes_private_files_and_then_finds_nothing_to_do(registered, tmp_path):
    root = render.render(registered(), "payer")
    folder = tmp_path / "root folder"
    assert set(render.write(root, folder)) == set(root.files)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert render.write(root, folder) == []
    assert render.diff(root, folder) == ""


def test_write_leaves_state_alone_and_removes_stale_module_files(registered, tmp_path):
    lost = [MODULE + BUCKET, MODULE + REPORT, MODULE + STACKSET]
    root = render.render(registered(), "payer", allow_destroy=lost)
    render.write(root, tmp_path)
    (tmp_path / "terraform.tfstate").write_text("{}")
    modules = tmp_path / "modules/octo/modules"
    override = modules / "cur-export/allow_destroy_override.tf"
    assert re.findall(r'resource "(\w+)" "cur"', override.read_text()) == [
        "aws_cur_report_definition",
        "aws_s3_bucket",
    ]
    assert (modules / "linked-accounts/allow_destroy_override.tf").is_file()
    render.write(render.render(registered(), "payer"), tmp_path)
    assert not override.exists()
    assert (tmp_path / "terraform.tfstate").exists()


def test_the_diff_shows_values_but_never_the_external_id(registered, tmp_path):
    render.write(render.render(registered(), "payer"), tmp_path)
    changed = registered(external_id="another-secret", cur_report_name="other")
    shown = render.diff(render.render(changed, "payer"), tmp_path)
    assert '+  "cur_report_name": "other",' in shown
    assert "secrets.auto.tfvars.json: differs" in shown
    assert "another-secret" not in shown
    assert "octo-external-id" not in shown


def test_an_absent_secret_file_is_no_difference(registered, tmp_path):
    root = render.render(registered(), "payer")
    render.write(root, tmp_path)
    (tmp_path / render.SECRETS).unlink()
    assert render.diff(root, tmp_path) == ""


def test_a_folder_that_cannot_be_written_is_an_error_with_its_place(registered, tmp_path):
    (tmp_path / "modules").write_text("a file where a folder must be")
    with pytest.raises(RenderError) as caught:
        render.write(render.render(registered(), "payer"), tmp_path)
    assert str(tmp_path) in caught.value.where


@pytest.mark.parametrize("address", ["x", "module.octo.", "module.octo.aws_s3_bucket", 'a"} b'])
def test_an_address_that_is_none_is_refused(registered, address):
    with pytest.raises(RenderError, match="not the address"):
        render.render(registered(), "payer", allow_destroy=[address])


def test_every_input_of_the_module_can_be_set_in_octo_yaml():
    declared = {
        name.strip('"')
        for block in hcl2.loads((assets.MODULE / "variables.tf").read_text())["variable"]
        for name in block
        if not name.startswith("__")
    }
    found_out = {"cur_s3_bucket_has_policy"}  # by the pipeline
    declared -= {"accepted_external_ids"}  # from external_id_rotation
    of_the_root = {"account_name", "region", "credentials", "backend", "provider_version"}
    of_the_root |= {"accept", "enrolment", "external_id_rotation"}
    ours = set(Registration.model_fields) - of_the_root
    assert declared - found_out == ours


EXAMPLES = sorted((assets.MODULE.parents[2] / "examples").glob("*/octo.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.parent.name for path in EXAMPLES])
def test_every_example_loads_and_renders(path):
    registration = load(path, {}, {"OCTO_EXTERNAL_ID": "octo-external-id"})
    root = render.render(registration, registration.account_type or "payer")
    assert json.loads(root.files[render.VALUES])["account_id"] == registration.account_id


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


def test_the_applied_inputs_are_settings_without_secrets_and_nothing_that_aws_changes(registered):
    wanted = registered(
        cur_s3_bucket_option="USE_EXISTING",
        cur_s3_bucket_name="acme-billing",
        cur_s3_bucket_merge_policy=True,
    )
    root = render.render(wanted, "payer", bucket_has_policy=False)
    assert "cur_s3_bucket_has_policy" in root.meant["inputs"]
    assert not {"cur_s3_bucket_has_policy", "external_id"} & {*root.meant["applied"]}
    assert "cur_s3_bucket_name" in root.meant["applied"]
