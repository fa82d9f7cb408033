"""A setting is described once, on the model; flags, schema and comments follow from it."""

from __future__ import annotations

import re

import click
import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from orchestrator.cli.shared_options import setting_options
from orchestrator.config.write import write_config
from orchestrator.model.registration import (
    EXTERNAL_ID_SOURCES,
    Access,
    ExternalIdSource,
    Registration,
    flag_of,
    settings,
)
from orchestrator.model.setting import Group, Setting, settings_of, variable_of


def test_every_setting_describes_itself():
    fields = {*Registration.model_fields, *EXTERNAL_ID_SOURCES}
    assert fields == {name for name in settings() if "." not in name}
    for name, setting in settings().items():
        assert re.match(r"[A-Z].*\.$", setting.about.help), name


def test_every_top_level_setting_but_sections_has_an_option_by_its_name():
    parameters = {p.name: p for p in click.command()(setting_options()(lambda **_: None)).params}
    for name, setting in settings().items():
        if setting.flag:
            assert flag_of(name) in parameters.pop(name.replace(".", "__")).opts
    assert parameters == {}
    without = {n for n, s in settings().items() if "." not in n and not s.flag}
    # What accept allows must stand where it is reviewed.
    assert without == {"credentials", "backend", "accept", "external_id_rotation"}


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("account_id", "--account-id"),
        ("tags", "--tag"),
        ("features", "--feature"),
        ("cur_refresh_closed_reports", "--cur-refresh-closed-reports"),
        ("credentials.profile", "--aws-profile"),
        ("credentials.assume_role.role_arn", "--role"),
        ("backend.bucket", "backend.bucket"),  # octo.yaml only
    ],
)
def test_a_flag_follows_from_the_name_and_the_type(name, flag):
    assert flag_of(name) == flag


def test_a_variable_follows_from_the_flag():
    assert variable_of("--aws-profile") == "OCTO_TF_AWS_PROFILE"


def test_a_new_field_needs_no_more_than_its_description():
    from typing import Annotated, Literal

    class Inner(BaseModel):
        deep: Annotated[int | None, Setting("A number.", Group.CUR)] = None

    class Model(BaseModel):
        colors: Annotated[
            list[Literal["red", "blue"]] | None, Setting("The colors.", Group.CUR, example=["red"])
        ] = None
        inner: Annotated[Inner, Setting("A section.", Group.CUR)] = Inner()

    colors, inner, deep = settings_of(Model)
    assert (colors.name, colors.flag, colors.choices) == ("colors", "--color", ("red", "blue"))
    assert (inner.flag, deep.name, deep.type) == ("", "inner.deep", int)
    described = Model.model_json_schema()["properties"]["colors"]
    assert described["description"] == "The colors."
    assert described["examples"] == [["red"]]


@pytest.mark.parametrize("name", [n for n, s in settings().items() if s.about.example is not None])
def test_every_example_is_valid(tmp_path, name):
    model = Registration if name not in EXTERNAL_ID_SOURCES else ExternalIdSource
    base = {
        "account_id": "111122223333",
        "external_id": None,
        "cur_s3_bucket_name": "my-billing-reports",
    }
    example = settings()[name].about.example
    if name.startswith("backend."):
        s3 = {"type": "s3", "bucket": "b", "key": "k", "region": "eu-west-1"}
        base["backend"] = {**s3, name.split(".")[1]: example}
    elif model is ExternalIdSource:
        base = {**dict.fromkeys(EXTERNAL_ID_SOURCES, "x"), name: example}
    else:
        if name == "execution_actions":
            base["features"] = ["cost", "execution"]
        *parents, last = name.split(".")
        value = {last: example}
        for parent in reversed(parents):
            value = {parent: value}
        base |= value
    model.model_validate(base)


def test_a_new_octo_yaml_says_what_each_of_its_settings_is(tmp_path):
    path = tmp_path / "octo.yaml"
    given = {
        "account_id": "111122223333",
        "account_type": "payer",
        "credentials.assume_role.role_arn": "arn:aws:iam::111122223333:role/Deploy",
        "features": ["cost"],
    }
    write_config(path, given)
    text = path.read_text()
    lines = text.splitlines()
    for name in ("account_id", "account_type", "credentials", "features"):
        (line,) = (n for n, line in enumerate(lines) if line.startswith(f"{name}:"))
        assert lines[line - 1] == f"# {settings()[name].sentence}"
    role = next(n for n, line in enumerate(lines) if "role_arn:" in line)
    about = settings()["credentials.assume_role.role_arn"].sentence
    assert lines[role - 1] == f"    # {about}"
    assert YAML(typ="safe").load(text)["credentials"]["assume_role"]["role_arn"].startswith("arn:")


def test_how_an_account_is_reached_is_part_of_what_is_registered():
    assert Access.model_fields.keys() < Registration.model_fields.keys()
