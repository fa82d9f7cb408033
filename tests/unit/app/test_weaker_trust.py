"""The weaker trust is a plan of its own: octo.yaml and the role change after its consent only."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app.weaker_trust import apply_weaker_trust
from orchestrator.model.outside_action import CONFIGURE
from tests.unit.app.fakes import ACCOUNT, Scene, scene

TEXT = f"# ours\naccount_id: '{ACCOUNT.account_id}'\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "octo.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


def test_octo_yaml_says_it_once_the_user_consented(made, config):
    applied = apply_weaker_trust(made.context, config, consent=made.agree)
    first = applied.review.outside[0]
    assert (first.code, first.summary) == (CONFIGURE, f"Set cur_role_trust in {config}.")
    assert config.read_text() == f'{TEXT}cur_role_trust: "principal_only"\n'
    written = (made.context.folder / "terraform.tfvars.json").read_text()
    assert '"cur_role_trust": "principal_only"' in written


def test_nothing_changes_before_consent(made, config):
    def refuse(_review: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_weaker_trust(made.context, config, consent=refuse)
    assert config.read_text() == TEXT
    assert made.recording.writes == []
