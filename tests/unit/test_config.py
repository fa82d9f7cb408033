"""octo.yaml and flags become a Registration, or an error that points at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.load import load, place_of
from orchestrator.errors import ConfigError, ExitCode
from orchestrator.model.registration import flag_of
from tests.values import cases

MINIMAL = "account_id: '111122223333'\nexternal_id: octo-external-id\n"


@pytest.fixture
def write(tmp_path: Path):
    def make(text: str) -> Path:
        path = tmp_path / "octo.yaml"
        path.write_text(text)
        return path

    return make


def error_of(path: Path, flags=None, environ=None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, flags or {}, environ or {})
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value


def test_a_minimal_file_is_enough(write):
    registration = load(write(MINIMAL), {}, {})
    assert registration.account_id == "111122223333"
    assert registration.external_id.get_secret_value() == "octo-external-id"
    assert registration.use_stackset is False
    assert registration.backend.type == "local"


def test_flags_win_over_the_file(write):
    path = write(MINIMAL + "region: us-east-1\ncredentials:\n  profile: file\n")
    flags = {"region": "eu-west-1", "credentials.profile": "flag", "account_name": None}
    registration = load(path, flags, {})
    assert registration.region == "eu-west-1"
    assert registration.credentials.profile == "flag"


def test_an_unquoted_account_id_is_understood(write):
    path = write("account_id: 111122223333\nexternal_id: octo-external-id\n")
    assert load(path, {}, {}).account_id == "111122223333"


ROTATION = f"{MINIMAL}external_id_rotation:\n  "
TWO = "octo-external-id\nthe-new-external-id\n"


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("ids_file: both\n", {}),
        ("ids_file: by_windows\n", {}),
        ("ids_env: BOTH\n", {"BOTH": TWO}),
        ("ids_env: BOTH\n", {"BOTH": TWO.replace("\n", " ")}),
        ("ids: [octo-external-id, the-new-external-id]\n", {}),
    ],
)
def test_the_ids_of_a_rotation_come_from_where_octo_yaml_says(write, tmp_path, text, environ):
    (tmp_path / "both").write_text(TWO)
    (tmp_path / "by_windows").write_bytes(TWO.replace("\n", "\r\n").encode("utf-8-sig"))
    registration = load(write(ROTATION + text), {}, environ)
    ids = [secret.get_secret_value() for secret in registration.accepted_external_ids]
    assert ids == TWO.split()
    assert TWO.split()[1] not in repr(registration)


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("since: now\n", {}, "must have one of ids, ids_env and ids_file"),
        ("ids_env: A\n  ids_file: b\n", {}, "must have one of"),
        ("ids_env: A\n", {}, "octo.yaml:4:12: external_id_rotation.ids_env: the environment"),
        ("ids_file: absent.txt\n", {}, "octo.yaml:4:13: external_id_rotation.ids_file: the file"),
        ("ids: the-new-external-id\n", {}, "must be a list of texts"),
        ("ids: [1, 2]\n", {}, "must be a list of texts"),
        ("ids_env: A\n", {"A": "the-new-external-id"}, "must hold two external ids, not 1"),
        ("ids_env: A\n", {"A": "a-1 b-2 c-3"}, "must hold two external ids, not 3"),
        ("ids_env: A\n", {"A": "same-id same-id"}, "must have two different ids"),
        ("ids_env: A\n", {"A": "octo-external-id x"}, "must be 2 to 1224 characters"),
        ("ids: [new-id-1, new-id-2]\n", {}, "must hold the present external_id as one of its two"),
        ("ids_env: A\n  since: yesterday\n", {"A": TWO}, "since: must be a time with its offset"),
        ("ids_env: A\n  since: '2026-11-27'\n", {"A": TWO}, "must be a time with its offset"),
        ("ids_env: A\n  until: x\n", {"A": TWO}, "unknown key 'external_id_rotation.until'"),
    ],
)
def test_a_mistake_in_a_rotation_is_named_without_the_ids(write, text, environ, said):
    error = error_of(write(ROTATION + text), environ=environ)
    assert said in f"{error}"
    assert "the-new-external-id" not in f"{error} {error.hint}"


@pytest.mark.parametrize("typed", ["AKIAQZXVBNMLKJHG", "QZXVBNM", "QZX_7VB_NM", "qzx+vb=="])
def test_an_external_id_typed_as_the_name_of_a_variable_is_not_echoed(write, typed):
    error = error_of(write(f"account_id: '111122223333'\nexternal_id_env: {typed}\n"))
    assert "octo.yaml:2:18" in str(error)
    assert typed not in f"{error} {error.hint}"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("account_id: 012345678901\nexternal_id: abc\n", ":1:13", "in quotes"),
        ("account_id: '1234'\nexternal_id: abc\n", ":1:13", "12 digits"),
        (MINIMAL + "regionn: x\n", ":3:1", "did you mean region?"),
        (MINIMAL + "use_stackset: 'yes'\n", ":3:15", "true or false"),
        (MINIMAL + "cur_format: CSV\n", ":3:13", "'textORcsv' or 'Parquet'"),
        (MINIMAL + "region: Frankfurt\n", ":3:9", "like us-east-1"),
        (MINIMAL + "credentials:\n  profil: x\n", ":4:3", "did you mean profile?"),
        (MINIMAL + "credentials:\n  assume_role:\n    role_arn: nope\n", ":5:15", "AWS does not"),
        (MINIMAL + "backend:\n  type: s3\n  bucket: b\n", ":4:3", "backend.key is missing"),
        (MINIMAL + "backend:\n  type: gcs\n", ":4:3", "gcs"),
        (MINIMAL + "features: [recommendations]\n", ":3:11", "must include cost"),
        (MINIMAL + "features: [cost, recomendations]\n", ":3:18", "'recommendations'"),
        (MINIMAL + "principal: '999999999999'\n", ":3:12", "131920598436"),
        (MINIMAL + "provider_version: 6.0\n", ":3:19", "in quotes, like '5.100.0' or '~> 6.0'"),
        (MINIMAL + "provider_version: latest\n", ":3:19", "a Terraform version constraint"),
        (MINIMAL + "provider_version: 5.99.0\n", ":3:19", "works with (>= 5.100.0, < 7.0.0)"),
        (MINIMAL + "tags: [a]\n", ":3:7", "mapping of text to text"),
        (MINIMAL + "cur_s3_bucket_option: USE_EXISTING\n", ":3:23", "needs cur_s3_bucket_name"),
        (MINIMAL + "tags:\n  a: b\n  aws:x: y\n", ":5:10", "1 to 128 characters"),
        (MINIMAL + "cur_format: Parquet\n", ":3:13", "set both or neither"),
        (MINIMAL + "cur_s3_prefix: a/\n", ":3:16", "no slash at either end"),
        (MINIMAL + "stackset_name: 1x\n", ":3:16", "start with a letter"),
        (MINIMAL + "permissions_boundary: x\n", ":3:23", "the ARN of a policy, like"),
        ("account_id: '111122223333'\nexternal_id: 'a b'\n", ":2:14", "2 to 1224 characters"),
        ("account_id: '111122223333'\n", ":1:1", "external_id is missing"),
        ("- a\n", ":1:1", "mapping of settings"),
        ("a: [\n", ":2:1", "not valid YAML"),
        ("a: 1\na: 2\n", ":2:1", "not valid YAML"),
    ],
)
def test_each_mistake_is_shown_at_its_place(write, text, place, words):
    error = error_of(write(text))
    assert f"octo.yaml{place}: " in str(error)
    assert words in str(error)


def test_a_provider_version_is_kept_in_one_form(write):
    path = write(MINIMAL)
    assert load(path, {}, {}).provider_version == "5.100.0"
    assert load(path, {"provider_version": ">=5.100,<6"}, {}).provider_version == (
        ">= 5.100.0, < 6.0.0"
    )
    assert str(error_of(path, {"provider_version": "six"})).startswith("--provider-version: ")


def test_all_mistakes_are_shown_at_once_in_the_files_order(write):
    text = "acount_id: '1'\nexternal_id: abc\nregion: X\naccount_id: '1'\n"
    lines = str(error_of(write(text))).splitlines()
    assert [line.split("octo.yaml:")[1].split(":")[0] for line in lines] == ["1", "3", "4"]


def test_a_mistake_in_a_flag_names_the_flag(write):
    error = error_of(write(MINIMAL), {"region": "nowhere", "credentials.profile": ""})
    assert "--region: region: must be an AWS region" in str(error)
    assert "--aws-profile: " in str(error)


def test_without_a_file_the_way_to_one_is_shown(tmp_path):
    error = error_of(tmp_path / "octo.yaml")
    assert "account_id is missing" in str(error)
    assert "octo-tf init" in error.hint


def test_the_external_id_comes_from_a_variable_or_a_file(write, tmp_path):
    (tmp_path / "id.txt").write_text("from-file\n")
    base = "account_id: '111122223333'\n"
    by_file = load(write(base + "external_id_file: id.txt\n"), {}, {})
    assert by_file.external_id.get_secret_value() == "from-file"
    by_env = load(write(base + "external_id_env: THE_ID\n"), {}, {"THE_ID": "from-env"})
    assert by_env.external_id.get_secret_value() == "from-env"
    by_flag = load(write(base + "external_id_env: THE_ID\n"), {"external_id": "from-flag"}, {})
    assert by_flag.external_id.get_secret_value() == "from-flag"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("external_id_env: THE_ID\n", ":2:18", "variable that it names is not set"),
        ("external_id_file: none.txt\n", ":2:19", "cannot be read"),
        ("external_id: abc\nexternal_id_env: X\n", ":3:18", "keep one"),
        ("external_id: 12345\n", ":2:14", "must be text, in quotes"),
    ],
)
def test_a_wrong_source_of_the_external_id_is_shown(write, text, place, words):
    error = error_of(write("account_id: '111122223333'\n" + text))
    assert f"octo.yaml{place}: " in str(error)
    assert words in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "account_id: '111122223333'\nexternal_id: 's3cr3t value'\n",
        "account_id: '1'\nexternal_id: s3cr3t\n",
        "account_id: '111122223333'\nexternal_id: [s3cr3t]\n",
        "external_id: 's3cr3t\n",
        "external_id: s3cr3t: x\n",
    ],
)
def test_no_error_shows_the_external_id(write, text):
    error = error_of(write(text))
    assert "s3cr3t" not in f"{error} {error.hint}"


def test_the_external_id_does_not_show_in_the_registration(write):
    assert "octo-external-id" not in repr(load(write(MINIMAL), {}, {}))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: " + b"x" * 1_000_001, b"[" * 5000])
def test_a_file_that_is_no_yaml_is_an_error_not_a_crash(tmp_path, content):
    path = tmp_path / "octo.yaml"
    path.write_bytes(content)
    error_of(path)


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    field=st.sampled_from(["account_id", "tags", "credentials", "backend", "cur_format", "region"]),
    value=yaml_values,
)
def test_any_value_of_a_setting_is_taken_or_refused_in_order(tmp_path_factory, field, value):
    flags = {"account_id": "111122223333", "external_id": "octo-external-id", field: value}
    try:
        load(tmp_path_factory.getbasetemp() / "absent.yaml", flags, {})
    except ConfigError as error:
        assert error.where


def test_the_external_id_may_be_left_out_where_octo_has_it(write):
    path = write("account_id: '111122223333'\n")
    assert load(path, {}, {}, octo_has_external_id=True).external_id is None
    with pytest.raises(ConfigError, match="unknown key"):
        load(write("account_id: '111122223333'\nx: 1\n"), {}, {}, octo_has_external_id=True)


def test_a_setting_is_found_where_it_was_set(write):
    path = write(MINIMAL)
    assert place_of(path, {}, "external_id") == f"{path}:2:14"
    assert place_of(path, {"external_id_env": "X"}, "external_id_env") == "--external-id-env"


@pytest.mark.parametrize(("given", "refused"), cases(), ids=lambda value: str(value)[:50])
def test_values_are_refused_where_the_module_refuses_them(write, given, refused):
    path = write("{}")
    flags = {"account_id": "111122223333", "external_id": "octo-external-id", **given}
    if refused:
        assert set(given) & {name for name in given if flag_of(name) in error_of(path, flags).where}
    else:
        load(path, flags, {})
