"""With Octo's API: registered first, confirmed last, and nothing lost where it is down in between.

The external id is in no octo.yaml here: every run takes it from Octo.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.octo.api import OctoApi
from orchestrator.octo.credentials import find
from orchestrator.sandbox import control
from tests.e2e.conftest import Checkpoint, Project, RunningSandbox

OCTO = True
STATUS = Path(__file__).parents[2] / "docs/schemas/status-v1.json"
ACCOUNTS = Path(__file__).parents[2] / "docs/schemas/accounts-v2.json"
BUCKET = "billing-data-named-to-octo"
LOUD = {"TF_LOG": "TRACE", "OCTO_TF_VERBOSE": "1"}


@pytest.fixture
def api(sandbox, tmp_path) -> OctoApi:
    """Octo, as the tests look at it."""
    credentials = find(sandbox.environ)
    assert credentials is not None
    endpoint = sandbox.environ["OCTO_TF_OCTO_ENDPOINT"]
    return OctoApi(endpoint, credentials, token_folder=tmp_path / "tokens")


def octo_fails(sandbox: RunningSandbox, action: str, error: str, **settings: Any) -> None:
    sandbox.fault(service="octo", action=action, error=error, **settings)


def states(output: str) -> dict[str, str]:
    return {area: answer["state"] for area, answer in json.loads(output)["octo"].items()}


def written(project: Project) -> set[str]:
    return {path.name for path in project.root.rglob("*")} - {"run.lock"}


def payer_with_a_bucket(sandbox: RunningSandbox) -> Project:
    bucket = sandbox.existing_bucket("payer", BUCKET)
    return sandbox.project("payer", **bucket, cur_s3_bucket_merge_policy=True)


@pytest.fixture(scope="module")
def registered_payer(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    payer = payer_with_a_bucket(sandbox)
    applied = payer("apply", "--yes", "--json", "--wait", "60s")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def registered_both(unused_sandbox, registered_payer) -> Checkpoint:
    """The payer, and linked-1 with a registration of its own."""
    sandbox = unused_sandbox()
    sandbox.restore(registered_payer)
    applied = sandbox.project("linked-1")("apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def payer(sandbox, registered_payer) -> Project:
    """A registered payer, whose first apply was the last thing that ran."""
    return sandbox.restore(registered_payer)["payer"]


@pytest.fixture
def registered(sandbox, registered_both) -> dict[str, Project]:
    """A registered payer and a registered linked account, by profile."""
    return sandbox.restore(registered_both)


@pytest.fixture
def linked(registered) -> Project:
    """A linked account that is registered and confirmed, as its payer is."""
    return registered["linked-1"]


def test_init_leaves_the_external_id_to_octo(sandbox):
    linked = sandbox.project("linked-1")
    assert "external_id" not in (linked.folder / "octo.yaml").read_text()
    assert not (linked.folder / "octo.external-id").exists()
    assert "taken from Octo" in linked.ran[0].stderr


def test_without_octo_the_missing_external_id_is_an_error(sandbox):
    linked = sandbox.project("linked-1")
    result = linked("plan", "--no-octo")
    assert result.returncode == 64
    assert "external_id is missing" in result.stderr
    assert written(linked) == set()


def test_another_external_id_is_refused_with_nothing_written(sandbox, api):
    project = sandbox.project("linked-2", "wrong id")
    project.settings(external_id="somebody-elses-id-77aa")
    line = len((project.folder / "octo.yaml").read_text().splitlines())
    for command in (("plan",), ("apply", "--yes"), ("render",), ("verify",)):
        result = project(*command)
        assert result.returncode == 64, result.stderr
        assert f"octo.yaml:{line}:14: external_id is not the one that Octo has" in result.stderr
        assert "somebody-elses-id-77aa" not in result.stderr
    assert written(project) == set()
    assert api.status(project.account_id) is None
    by_flag = project("plan", "--external-id", "another-88bb")
    assert by_flag.returncode == 64
    assert "--external-id: external_id is not" in by_flag.stderr


def test_a_linked_account_before_its_payer_is_refused_with_nothing_written(sandbox, api):
    linked = sandbox.project("linked-1")
    result = linked("apply", "--yes")
    assert result.returncode == 1
    assert "payer 111111111111 must be registered before it" in result.stderr
    assert "Register the payer" in result.stderr
    assert written(linked) == set()
    assert api.status(linked.account_id) is None


def test_a_plan_does_not_tell_octo(sandbox, api):
    payer = payer_with_a_bucket(sandbox)
    assert payer("plan").returncode == 0
    assert api.status(payer.account_id) is None


def test_a_payer_is_registered_proved_and_confirmed_by_octo(payer, api):
    result = payer.ran[-1]
    report = json.loads(result.stdout)
    assert states(result.stdout) == {"api_access": "confirmed", "cur_s3": "confirmed"}
    assert report["can_finish"] is True
    known = api.status(payer.account_id)
    assert known is not None
    options = known.aws_options
    assert (known.account_type, options.registration_method) == ("payer", "terraform")
    assert (options.bucket_name, options.prefix, options.report_name) == (
        BUCKET,
        "pre",
        "curreport",
    )
    assert options.registration_status.is_data_available


def test_the_same_account_registered_twice_is_success(payer, api):
    before = api.status(payer.account_id)
    result = payer("apply", "--yes")
    assert result.returncode == 0, result.stderr
    assert "✓ confirmed" in result.stdout
    after = api.status(payer.account_id)
    assert before is not None
    assert after is not None
    assert before.create_time == after.create_time
    assert after.aws_options.registration_status == before.aws_options.registration_status


def test_octo_down_at_register_is_notified_afterwards(sandbox, payer, api):
    linked = sandbox.project("linked-1")
    octo_fails(sandbox, "RegisterAccount", "Unavailable", times=5)  # one call with its retries
    result = linked("apply", "--yes", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "registered with Octo afterwards" in result.stderr
    assert states(result.stdout) == {"api_access": "confirmed"}
    known = api.status(linked.account_id)
    assert known is not None
    assert known.account_type == "linked"


def test_octo_down_at_confirm_is_pending_and_confirm_finishes_it(sandbox, linked):
    octo_fails(sandbox, "CreateAccountAccess", "Unavailable")
    result = linked("verify", "--json")
    assert result.returncode == 4, result.stderr
    answer = json.loads(result.stdout)["octo"]["api_access"]
    assert answer["state"] == "unreachable"
    assert "octo-tf confirm" in answer["hint"]
    assert json.loads(result.stdout)["status"] == "pass"
    still = linked("confirm")
    assert still.returncode == 4
    sandbox.clear_faults()
    done = linked("confirm", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["octo"]["api_access"]["state"] == "confirmed"
    assert linked("confirm").returncode == 0  # nothing is left


def test_octo_that_refuses_an_area_fails_the_verification(sandbox, linked):
    octo_fails(sandbox, "CreateAccountAccess", "FailedPrecondition")
    result = linked("verify", "--report", "junit=r.xml,markdown=r.md")
    assert result.returncode == 3
    assert "✗ refused" in result.stdout
    assert "Octo must confirm API access first" in result.stdout
    assert 'failures="1"' in (linked.folder / "r.xml").read_text()
    assert "❌ refused" in (linked.folder / "r.md").read_text()


def test_a_token_that_expires_in_the_middle_is_renewed(sandbox, linked):
    octo_fails(sandbox, "CreateAccountAccess", "ExpiredToken", times=1)
    result = linked("verify", "--json")
    assert result.returncode == 0, result.stderr
    assert states(result.stdout) == {"api_access": "confirmed"}


def test_a_wrong_client_stops_before_anything_is_written(sandbox):
    project = sandbox.project("linked-2", "wrong client")
    result = project("apply", "--yes", ALPHAUS_CLIENT_SECRET="not-the-secret-31d0")
    assert result.returncode == 1
    assert "does not know the client" in result.stderr
    assert "not-the-secret-31d0" not in result.stderr
    assert written(project) == set()


def test_status_and_doctor_show_octos_side(linked):
    shown = linked("status")
    assert shown.returncode == 0
    assert "Registered  with Octo since" in shown.stdout
    assert "API access  confirmed by Octo since" in shown.stdout
    assert "To do" not in shown.stdout
    doctor = linked("doctor")
    assert "Octo knows the client" in doctor.stdout


def test_a_template_that_moves_on_is_followed_in_place(linked, sandbox, api):
    """Outdated, shown by status with the difference; granted by octo.yaml, applied, confirmed."""
    control.change_template(sandbox.endpoint, "v2")
    before = (linked.root / "ledger.json").read_bytes()
    shown = linked("status", "--json", "--detailed-exitcode")
    assert shown.returncode == 2, shown.stderr
    document = json.loads(shown.stdout)
    jsonschema.validate(document, json.loads(STATUS.read_text()))
    new = [m for m in document["outdated"]["missing"] if m["is_new"]]
    (asked,) = [m["actions"] for m in new if m["role"] == "AlphausAcctAccessRole"]
    assert {m["remedy"] for m in new} == {"additional_actions"}
    assert (linked.root / "ledger.json").read_bytes() == before
    assert f"Add to additional_actions in octo.yaml: {', '.join(asked)}" in linked("status").stdout
    assert linked("status", "--no-octo", "--detailed-exitcode").returncode == 0
    linked.settings(additional_actions=asked)
    applied = linked("apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "outdated because Octo's template has changed" in applied.stderr
    assert linked("status", "--detailed-exitcode").returncode == 0
    known = api.status(linked.account_id)
    assert known is not None
    assert (known.aws_options.status, known.aws_options.template_version) == ("latest", "v2")


def test_an_upgrade_registers_every_linked_account(sandbox, registered, api):
    payer, linked = registered["payer"], registered["linked-1"]
    second = sandbox.account("linked-2")
    assert api.status(second) is None
    payer.settings(stackset_excluded_accounts=[linked.account_id])
    result = payer("upgrade", "--yes", "--enable-trusted-access", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert states(result.stdout)["stackset"] == "confirmed"
    known = api.status(second)
    assert known is not None
    assert known.aws_options.registration_status.api_access
    again = payer("verify", "--json")
    assert again.returncode == 0
    assert states(again.stdout)["stackset"] == "confirmed"


def test_accounts_are_shown_beside_the_organization(sandbox, registered):
    payer, linked = registered["payer"], registered["linked-1"]
    result = payer("accounts", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(ACCOUNTS.read_text()))
    found = {a["account_id"]: a["state"] for a in document["accounts"]}
    assert found[payer.account_id] == "registered"
    assert found[linked.account_id] == "registered"
    assert found[sandbox.account("linked-2")] == "unregistered"
    assert "unregistered" in payer("accounts").stdout
    elsewhere = linked("accounts")  # may not read the organization
    assert elsewhere.returncode == 0
    assert "Only what Octo knows is listed" in elsewhere.stderr


def test_unregistering_asks_and_leaves_aws_alone(sandbox, linked, api):
    assert linked("unregister").returncode == 64
    assert api.status(linked.account_id) is not None
    assert linked("unregister", "--yes").returncode == 0
    assert api.status(linked.account_id) is None
    roles = sandbox.client("linked-1", "iam").list_roles()["Roles"]
    assert "AlphausAcctAccessRole" in [role["RoleName"] for role in roles]
    assert linked("apply", "--yes").returncode == 0
    assert api.status(linked.account_id) is not None


def test_no_secret_was_shown_or_written_where_it_must_not_be(sandbox, registered, api):
    credentials = find(sandbox.environ)
    assert credentials is not None
    external_id = api.template().external_id.get_secret_value()
    cache = list((sandbox.folder / "cache").rglob("*.json"))
    tokens = {json.loads(file.read_text())["access_token"] for file in cache}
    assert tokens
    assert all(file.stat().st_mode & 0o077 == 0 for file in cache)
    planted = {credentials.client_secret, external_id, *tokens}
    for command, code in ((("verify",), 0), (("accounts",), 0), (("unregister",), 64)):
        assert registered["linked-1"](*command, **LOUD).returncode == code
    assert registered["payer"]("apply", "--yes", **LOUD).returncode == 0
    for project in registered.values():
        for result in project.ran:
            assert not [s for s in planted if s in result.stdout + result.stderr], result.args
        holders = {
            path.name
            for path in project.folder.rglob("*")
            if path.is_file()
            and not path.is_symlink()
            and "providers" not in path.parts
            and any(secret.encode() in path.read_bytes() for secret in planted)
        }
        assert holders <= {
            "secrets.auto.tfvars.json",
            "terraform.tfstate",
            "terraform.tfstate.backup",
        }
        assert "secrets.auto.tfvars.json" in holders
