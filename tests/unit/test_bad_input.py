"""Whatever comes in ends in a clear error with its place, or is carried literally to Terraform.

No value may change the structure of the rendered HCL: the ``.tf`` files of a hostile value are
those of a harmless one, byte for byte, and the value is in ``terraform.tfvars.json``, which
Terraform takes literally
(https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files).
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestrator import cli
from orchestrator.cli import results
from orchestrator.config.load import load
from orchestrator.errors import ConfigError, ExitCode, OctoTfError
from orchestrator.model.registration import Registration
from orchestrator.report.page import Page
from orchestrator.terraform import render
from orchestrator.verify.model import Area, Report, Status

ID = "planted-external-id-55d1"
RIGHT: dict[str, Any] = {"account_id": "111122223333", "external_id": ID}
HEAD = f"account_id: '111122223333'\nexternal_id: {ID}\n"
# Settings that take free text, each with a harmless value.
FREE = {
    "account_name": "Acme",
    "stackset_name": "octo",
    "permissions_boundary": "arn:aws:iam::111122223333:policy/b",
    "cur_s3_bucket_name": "acme-billing",
    "cur_s3_prefix": "pre",
    "cur_report_name": "report",
}


def refused(path: Path, *, flags: dict[str, Any] | None = None, environ=None) -> ConfigError:
    """The error; octo-tf itself ends the same way, without a traceback, and writes nothing."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(ConfigError) as caught:
        load(path, flags or {}, environ or {})
    error = caught.value
    assert error.exit_code is ExitCode.USAGE
    assert str(path) in error.where or error.where.startswith("--"), error.where
    assert ID not in f"{error} {error.hint}"
    assert sorted(path.parent.rglob("*")) == before
    return error


def hcl(registration: Registration) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The rendered ``.tf`` files, and the values beside them."""
    files = render.render(registration, "payer").files
    values = {**json.loads(files[render.VALUES]), **json.loads(files[render.SECRETS])}
    return {name: text for name, text in files.items() if name.endswith(".tf")}, values


def carried(field: str, value: Any, harmless: Any) -> None:
    """The value is in the variables as it is, and the HCL is that of a harmless one.

    The value is set past the model, which refuses most of them: HCL is safe by itself.
    """
    right = Registration.model_validate({**RIGHT, field: harmless})
    made, values = hcl(right.model_copy(update={field: value}))
    plain, _ = hcl(right)
    assert made == plain
    if field != "account_name":  # Octo's own, not Terraform's
        assert values[field] == value


# --- octo.yaml as a file ----------------------------------------------------------------------

BROKEN_FILES = {
    "a tab for indent": HEAD + "credentials:\n\tprofile: a\n",
    "a quote without end": HEAD + "account_name: 'Acme\n",
    "a bracket without end": HEAD + "features: [cost\n",
    "a brace without end": HEAD + "tags: {a: b\n",
    "a wrong indent": HEAD + "  region: us-east-1\n",
    "two values on a line": HEAD + "region: a: b\n",
    "a key twice": HEAD + "region: us-east-1\nregion: us-west-2\n",
    "the external id twice": HEAD + f"external_id: {ID}\n",
    "an unknown alias": HEAD + "account_name: *nowhere\n",
    "an anchor alone": HEAD + "account_name: &\n",
    "two documents": HEAD + "---\n" + HEAD,
    "a directive of no kind": "%FOO\n" + HEAD,
    "a YAML version of no kind": "%YAML 9.9\n---\n" + HEAD,
    "a reserved sign": HEAD + "account_name: @acme\n",
    "a backtick": HEAD + "account_name: `id`\n",
    "template syntax unquoted": HEAD + "account_name: {{ name }}\n",
    "a template block": HEAD + "{% if true %}\naccount_name: a\n{% endif %}\n",
    "a bad escape": HEAD + 'account_name: "\\q"\n',
    "a control character": HEAD + "account_name: a\x07b\n",
    "a NUL": HEAD + "account_name: a\x00b\n",
    "a list": "- a\n- b\n",
    "a word": "hello\n",
    "a number": "42\n",
    "a number without digits": "-_",
    "a setting of a number without digits": HEAD + "account_name: +_\n",
    "a JSON list": "[1, 2]\n",
    "a Python object": HEAD + "account_name: !!python/object:os.system x\n",
    "a tag of one's own": HEAD + "account_name: !secret x\n",
    "a set": "!!set {a, b}\n",
    "HTML": "<!doctype html><html><body>404</body></html>\n",
    "INI": "[octo]\naccount_id=111122223333\n",
    "HCL": 'account_id = "111122223333"\n',
    "a key that is null": HEAD + "~: a\n",
    "a key that is a list": HEAD + "? [a, b]\n: c\n",
    "a key that is a number": HEAD + "7: a\n",
    "a nested unknown key": HEAD + "credentials: {secret_key: x}\n",
    "an unknown key": HEAD + "acount_name: Acme\n",
    "a merge of nothing": HEAD + "<<: 7\n",
    "deep nesting": HEAD + "tags: " + "[" * 5000 + "]" * 5000 + "\n",
    "many aliases": HEAD
    + "".join(f"x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'x'}]\n" for i in range(9)),
    "a file of a megabyte": HEAD + "#" * 1_000_001,
    "only comments": "# nothing here yet\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", BROKEN_FILES.values(), ids=BROKEN_FILES.keys())
def test_a_broken_file_is_refused_at_its_place(tmp_path, text):
    path = tmp_path / "octo.yaml"
    path.write_text(text)
    refused(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" + HEAD.encode("utf-16-le"),
        HEAD.encode() + "account_name: Müller\n".encode("latin-1"),
        bytes(range(256)),
        b"\x7fELF\x02\x01\x01\x00" * 40,
        HEAD.encode() + b"account_name: \xed\xa0\x80\n",
    ],
    ids=["UTF-16", "Latin-1", "every byte", "a program", "a lone surrogate"],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, content):
    path = tmp_path / "octo.yaml"
    path.write_bytes(content)
    refused(path)


def test_a_byte_order_mark_and_windows_lines_are_taken(tmp_path):
    path = tmp_path / "octo.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load(path, {}, {}).account_id == "111122223333"


def test_a_folder_in_the_file_s_place_is_refused(tmp_path):
    path = tmp_path / "octo.yaml"
    path.mkdir()
    refused(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "octo.yaml"
    path.write_text(HEAD)
    path.chmod(0)
    refused(path)


# --- values of the wrong kind -----------------------------------------------------------------

WRONG = {
    "account_id": [
        "",
        "1234",
        "11112222333x",
        "1111222233334",
        1.5,
        True,
        None,
        [],
        "१२३४५६७८९०१२",
    ],
    "account_name": ["", 7, [], {}, "a\nb", "a\tb", "x" * 1025],
    "account_type": ["Payer", "master", 1, []],
    "external_id": ["", "a", "two words", "x" * 1225, "ключ", 7, [], "a\nb", "${x}"],
    "principal": ["111122223333", 131920598436, "*", ""],
    "use_stackset": ["yes", 1, "true", [], "no"],
    "features": ["cost", [], ["write"], ["recommendations"], [1], {}],
    "cur_s3_bucket_option": ["create_new", "", True],
    "cur_s3_bucket_region": ["Frankfurt", "eu-central", "", 1, "us-east-1 ", "us-east-1\n"],
    "cur_time_unit": ["hourly", "YEARLY", 1],
    "cur_additional_schema_elements": ["RESOURCES", [["RESOURCES"]], ["resources"]],
    "tags": [[], "a=b", {"": "x"}, {"a": 1}, {"a": None}, {"a\nb": "x"}],
    "region": ["us_east_1", "", None, 1, "us-east-1; rm -rf /"],
    "credentials": ["default", [], {"access_key": "x"}, {"profile": ""}, {"profile": 1}],
    "backend": ["s3", {}, {"type": "gcs"}, {"type": "s3"}, {"type": "local", "path": "x"}, []],
}
WRONG_CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize(
    ("name", "value"), WRONG_CASES, ids=[f"{n}={str(v)[:24]!r}" for n, v in WRONG_CASES]
)
def test_a_wrong_value_is_refused_by_name(tmp_path, name, value):
    path = tmp_path / "octo.yaml"
    path.write_text(json.dumps({**RIGHT, name: value}, indent=1))
    error = refused(path)
    assert name in str(error) or "12 digits" in str(error)


@pytest.mark.parametrize("name", ["Country", "on", "0o17", "1e3", "2026-11-24", ".nan", "12:30:45"])
def test_yaml_s_own_ideas_of_a_word_are_refused_or_kept(tmp_path, name):
    path = tmp_path / "octo.yaml"
    path.write_text(HEAD + f"account_name: {name}\n")
    try:
        assert load(path, {}, {}).account_name == name
    except ConfigError as error:
        assert "account_name must be text (in quotes)" in str(error)


# --- paths and sources ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folder", ["with space", "ünïcode", "quo'te", 'dou"ble', "a$HOME", "-rf", "{{ x }}"]
)
def test_any_folder_will_do(tmp_path, folder):
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / "octo.yaml"
    path.write_text("account_id: '111122223333'\nexternal_id_file: id file.txt\n")
    (tmp_path / folder / "id file.txt").write_text(f"{ID}\n")
    assert load(path, {}, {}).external_id.get_secret_value() == ID


@pytest.mark.parametrize(
    "source",
    [
        "external_id_file: nowhere.txt",
        "external_id_file: .",
        "external_id_file: binary",
        "external_id_file: empty",
        "external_id_file: [a]",
        "external_id_env: NOT_SET",
        "external_id_env: EMPTY",
        "external_id_env: 7",
        f"external_id: {ID}\nexternal_id_env: SET",
    ],
)
def test_an_external_id_that_cannot_be_had_is_refused(tmp_path, source):
    path = tmp_path / "octo.yaml"
    path.write_text(f"account_id: '111122223333'\n{source}\n")
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    (tmp_path / "empty").write_text("\n")
    refused(path, environ={"EMPTY": "", "SET": "abc"})


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["plan", "--nonsense"], "--nonsense"),
        (["plam"], "plam"),
        (["plan", "extra"], "extra"),
        (["plan", "--account-id"], "--account-id"),
        (["plan", "--account-id", "12"], "--account-id"),
        (["plan", "--tag", "novalue"], "--tag"),
        (["plan", "--region", "Mars"], "--region"),
        (["plan", "--feature", "write"], "--feature"),
        (["plan", "--parallelism", "0"], "--parallelism"),
        (["plan", "--lock-timeout", "soon"], "--lock-timeout"),
        (["apply", "--wait", "-5"], "--wait"),
        (["apply", "--plan", "nowhere.tfplan"], "--plan"),
        (["verify", "--report", "pdf=x"], "--report"),
        (["plan", "--report", "junit=x"], "--report"),
        (["adopt", "--plan-only", "--report", "junit=x"], "--report"),
        (["verify", "--report", "json"], "--report"),
        (["plan", "--config", "."], "--config"),
        (["unlock"], "LOCK_ID"),
    ],
)
def test_a_wrong_command_line_names_the_option(tmp_path, monkeypatch, capsys, arguments, names):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "octo.yaml").write_text(HEAD)
    assert cli.run(arguments) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert names in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert [path.name for path in tmp_path.rglob("*")] == ["octo.yaml"]


# --- hostile text -----------------------------------------------------------------------------

HOSTILE = [
    "${aws_iam_role.x.arn}",
    "$${escaped}",
    "%{ for x in y }a%{ endfor }",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# note #}",
    '" } resource',
    '"',
    "'",
    "\\",
    '\\"',
    "a\\nb",
    "<<EOT",
    "# comment",
    "// comment",
    "/* comment",
    "; rm -rf /",
    "$(id)",
    "`id`",
    "../../etc/passwd",
    "a" * 1024,
    "Ünïcödé",
    "日本語",
    "مرحبا",
    "\u202etxt.exe",
    "e\u0301",
    "👩‍👩‍👧",
    "\u2028",
    "\u00a0",
    "\ufeff",
    "null",
    "true",
    "0777",
    "-1",
    "<script>",
    "[bold]x[/]",
    "%s%n",
]


@pytest.mark.parametrize("field", [*FREE, "tags"])
@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text)[:24] for text in HOSTILE])
def test_hostile_text_is_carried_literally(field, text):
    if field == "tags":
        value, harmless = {text: text, "k": "v"}, {"a": "b", "k": "v"}
    else:
        value, harmless = text, FREE[field]
    carried(field, value, harmless)


def test_hostile_text_does_not_pass_through_a_backend_or_credentials():
    backend = {"type": "s3", "bucket": '"}${x}', "key": "{{ k }}/%{if}", "region": "us-east-1"}
    harmless = {"type": "s3", "bucket": "b", "key": "k", "region": "us-east-1"}
    made, plain = (
        render.render(
            Registration.model_validate({**RIGHT, "backend": b, "credentials": {"profile": p}}),
            "linked",
        ).files
        for b, p in ((backend, "${p}"), (harmless, "p"))
    )
    assert {n: t for n, t in made.items() if n.endswith(".tf")} == {
        n: t for n, t in plain.items() if n.endswith(".tf")
    }
    assert json.loads(made[render.BACKEND])["bucket"] == backend["bucket"]
    assert json.loads(made[render.VALUES])["profile"] == "${p}"


# --- a thousand and more ----------------------------------------------------------------------

MANY = settings(
    max_examples=4 * settings.default.max_examples,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@MANY
@given(text=st.text(max_size=200))
def test_any_text_is_a_registration_or_an_error(tmp_path, text):
    path = tmp_path / "octo.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    refused(path)


@MANY
@given(name=st.sampled_from(sorted(Registration.model_fields)), value=ANYTHING)
def test_any_value_of_any_setting_is_taken_or_refused(tmp_path, name, value):
    path = tmp_path / "octo.yaml"
    try:
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump({**RIGHT, name: value}, file)
    except (UnicodeEncodeError, ValueError, OverflowError):
        assume(False)  # no file can say that
    try:
        made = load(path, {}, {})
    except ConfigError:
        refused(path)
    else:
        hcl(made)


@MANY
@given(field=st.sampled_from(sorted(FREE)), text=st.text(max_size=60))
def test_any_text_of_any_free_setting_leaves_the_hcl_alone(field, text):
    carried(field, text, FREE[field])


@MANY
@given(text=st.text(min_size=1, max_size=40))
def test_no_external_id_is_ever_in_an_error(tmp_path, text):
    secret = f"zq9{text}9qz"
    path = tmp_path / "octo.yaml"
    path.write_text("account_id: '1'\n")
    with pytest.raises(ConfigError) as caught:
        load(path, {"external_id": secret, "region": "nowhere"}, {})
    assert secret not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["rotate-external-id", "new-id", ID],
        ["rotate-external-id", f"--{ID}"],
        ["rotate-external-id", "--new-external-id-file", ID],
        ["rotate-external-id", "--new-external-id-env", ID],
        ["rotate-external-id", f"{ID} $"],
        ["plan", "--external-id", "the-id", ID],
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_external_id_at_a_wrong_place_is_not_shown(
    tmp_path, monkeypatch, capsys, arguments, options
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    (tmp_path / "octo.yaml").write_text("account_id: '111122223333'\nexternal_id: present-id\n")
    command, *rest = arguments
    assert cli.run([command, *options, "--no-octo", *rest]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert ID not in captured.out + captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--name", 'a"b'], "is no beginning of a role's name"),
        (["--name", ""], "is no beginning of a role's name"),
        (["--name", "x" * 59], "is no beginning of a role's name"),
        (["--release-stack", "a*"], "is no stack's name"),
        (["--remove-role", "a/*"], "is no role's name"),
        (["--bucket-key", "*"], "is no ARN of a KMS key"),
        (["--oidc", ""], "is neither github:ORG/REPO"),
        (["--oidc-audience", "x"], "need --oidc"),
    ],
)
def test_what_would_make_a_policy_wider_or_none_is_refused(tmp_path, capsys, arguments, said):
    (tmp_path / "octo.yaml").write_text(f"{HEAD}account_type: payer\n")
    config = ["-c", str(tmp_path / "octo.yaml")]
    assert cli.run(["policy", *config, *arguments]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert said in captured.err
    assert not captured.out


@pytest.mark.parametrize("name", ["folder", "file/report.html", "x" * 300])
def test_a_report_that_cannot_be_written_is_refused_before_the_run(tmp_path, capsys, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    report = f"html={tmp_path / name}"
    config = tmp_path / "octo.yaml"
    config.write_text(HEAD)
    for command in ("apply", "rotate-external-id", "destroy"):
        assert cli.run([command, "-c", str(config), "--report", report]) == ExitCode.USAGE
        assert "Invalid value for '--report'" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_keeps_no_other_from_being_written(tmp_path, monkeypatch):
    report = Report("111122223333", "payer", "", (), dict.fromkeys(Area, Status.PASS))
    page = Page("verify", datetime.now(timezone.utc), report=report)
    monkeypatch.setattr(results, "_page", lambda *_: page)
    files = {"json": tmp_path, "junit": tmp_path / "junit.xml"}
    with pytest.raises(OctoTfError, match="the report cannot be written"):
        results.write_reports(None, files, report=report)  # type: ignore[arg-type]
    assert files["junit"].is_file()
