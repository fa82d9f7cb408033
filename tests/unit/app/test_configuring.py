"""What is written to octo.yaml is a line of the plan, and only what was said is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app import configuring
from orchestrator.errors import ConfigError

EXISTING = "# ours\naccount_id: '111122223333'  # payer\ncredentials:\n  profile: mine\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "octo.yaml"
    path.write_text(EXISTING)
    return path


def summaries(path: Path, settings: dict[str, object]) -> list[str]:
    return [action.summary for action in configuring.announce(path, settings)]


def test_a_new_octo_yaml_is_announced_and_written_with_its_secret_beside_it(tmp_path):
    path = tmp_path / "octo.yaml"
    settings = {"account_id": "111122223333", "external_id": "octo-external-id"}
    assert summaries(path, settings) == [f"Write {path} and the file of the external id."]
    assert not path.exists()
    configuring.write(path, settings)
    assert "octo-external-id" not in path.read_text()
    assert (tmp_path / "octo.external-id").read_text() == "octo-external-id\n"


def test_what_an_existing_octo_yaml_lacks_is_announced_and_set_with_comments_kept(config):
    settings = {"account_id": "111122223333", "tags": {"team": "finance"}}
    assert summaries(config, settings) == [f"Set tags in {config}."]
    configuring.write(config, settings)
    assert config.read_text() == EXISTING + 'tags: {"team": "finance"}\n'
    assert summaries(config, settings) == []


def test_how_to_reach_aws_is_not_written_to_an_existing_octo_yaml(config):
    settings = {"credentials.profile": "another"}
    assert summaries(config, settings) == []
    configuring.write(config, settings)
    assert config.read_text() == EXISTING


def test_an_external_id_replaces_its_other_source_and_stays_out_of_the_file(config):
    config.write_text(EXISTING + "external_id_env: OCTO_ID\n")
    settings = {"external_id": "octo-external-id"}
    assert summaries(config, settings) == [f"Set external_id_file in {config}."]
    configuring.write(config, settings)
    assert config.read_text() == EXISTING + 'external_id_file: "octo.external-id"\n'


def test_an_octo_yaml_of_another_account_is_refused(config):
    with pytest.raises(ConfigError, match="is for account 111122223333"):
        configuring.announce(config, {"account_id": "222233334444"})
