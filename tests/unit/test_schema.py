"""The JSON Schema of octo.yaml says what octo-tf itself says."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from orchestrator import cli
from orchestrator.config.load import load
from orchestrator.errors import ConfigError

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs/schemas/octo.yaml.json"
RIGHT = "account_id: '111122223333'\nexternal_id: abc\n"


@pytest.fixture(scope="module")
def schema() -> dict:
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert cli.run(["schema"]) == 0
    return json.loads(printed.getvalue())


def test_the_published_schema_is_the_printed_one(schema):
    # Bring it up to date by: octo-tf schema > docs/schemas/octo.yaml.json
    assert json.loads(PUBLISHED.read_text()) == schema


def test_every_setting_explains_itself(schema):
    unexplained = {n for n, s in schema["properties"].items() if "description" not in s}
    assert unexplained <= {"credentials", "backend"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/octo.yaml")), ids=str)
def test_the_examples_keep_to_it(schema, path):
    jsonschema.validate(YAML(typ="safe").load(path), schema)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (RIGHT, True),
        ("account_id: 111122223333\nexternal_id_env: OCTO_EXTERNAL_ID\n", True),
        (RIGHT + "credentials: {profile: a}\n", True),
        (RIGHT + "backend: {type: s3, bucket: b, key: k, region: eu-west-1}\n", True),
        (RIGHT + "tags: {a: b}\n", True),
        (RIGHT + "provider_version: '>= 5.100.0, < 6.0.0'\n", True),
        (RIGHT + "provider_version: ~> 6\n", True),
        (RIGHT + "provider_version: 6.0\n", False),
        (RIGHT + "provider_version: ^6.0\n", False),
        ("account_id: '1234'\nexternal_id: abc\n", False),
        ("external_id: abc\n", False),
        ("account_id: '111122223333'\n", True),  # Octo has the external id
        (RIGHT + "external_id_file: x\n", False),
        (RIGHT + "regionn: eu-west-1\n", False),
        (RIGHT + "region: Europe\n", False),
        (RIGHT + "use_stackset: 'yes'\n", False),
        (RIGHT + "cur_time_unit: YEARLY\n", False),
        (RIGHT + "tags: [a]\n", False),
        (RIGHT + "credentials: {access_key: x}\n", False),
        (RIGHT + "backend: {type: gcs}\n", False),
        (RIGHT + "backend: {type: s3, bucket: b}\n", False),
    ],
)
def test_it_judges_as_octo_tf_does(schema, tmp_path, text, right):
    path = tmp_path / "octo.yaml"
    path.write_text(text)
    assert jsonschema.Draft202012Validator(schema).is_valid(YAML(typ="safe").load(path)) is right
    try:
        load(path, {}, {"OCTO_EXTERNAL_ID": "abc"}, octo_has_external_id=True)
        accepted = True
    except ConfigError:
        accepted = False
    assert accepted is right
