"""The external id while Octo's is changed: Octo may present either of two, and no third one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from orchestrator.config.load import load
from orchestrator.errors import ConfigError
from orchestrator.model.module_contract.octo_names import PRINCIPAL
from orchestrator.octo.credentials import Credentials
from orchestrator.octo.external_id import decide
from orchestrator.octo.messages import AccessTemplate

OLD, NEW = "octo-external-id", "the-new-external-id"
CREDENTIALS = Credentials("client", "secret", "https://octo.example", "test")
BOTH = {"external_id_rotation.ids": [OLD, NEW]}


class Api:
    """Octo, which presents an id."""

    def __init__(self, external_id: str) -> None:
        self._external_id = external_id

    def template(self) -> AccessTemplate:
        return AccessTemplate(principal=PRINCIPAL, external_id=SecretStr(self._external_id))


def decided(presented: str, **settings: Any) -> str:
    flags = {"account_id": "111122223333", **settings}
    registration = load(Path("absent"), flags, {}, octo_has_external_id=True)
    api: Any = Api(presented)
    return decide(registration, api, CREDENTIALS, str).get_secret_value()


@pytest.mark.parametrize("presented", [OLD, NEW])
@pytest.mark.parametrize("own", [{}, {"external_id": OLD}, {"external_id": NEW}])
def test_octo_may_present_either_id_of_a_rotation(presented, own):
    assert decided(presented, **own, **BOTH) == presented


@pytest.mark.parametrize("own", [{}, {"external_id": OLD}])
def test_a_third_id_is_refused(own):
    with pytest.raises(ConfigError, match="neither of the two"):
        decided("a-third-external-id", **own, **BOTH)


def test_without_a_rotation_octo_yaml_must_not_contradict_octo():
    with pytest.raises(ConfigError, match="not the one that Octo has"):
        decided(NEW, external_id=OLD)
