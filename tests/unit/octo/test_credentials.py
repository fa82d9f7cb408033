"""Octo's credentials are found by the vendor's names, in the documented order, and never shown."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from orchestrator.errors import ConfigError
from orchestrator.octo.credentials import AUTH_URL, find

ENVIRON = {"ALPHAUS_CLIENT_ID": "of-env", "ALPHAUS_CLIENT_SECRET": "secret-of-env"}
FILE = """
[default]
client-id = "of-default"
client-secret = "secret-of-default"

[staging]
client-id = "of-staging"
client-secret = "secret-of-staging"
auth-url = "https://login.staging.example.com/token"
"""


class Memory(KeyringBackend):
    """A keyring in memory; it may be locked."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture(autouse=True)
def ring():
    before = keyring.get_keyring()
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def home(tmp_path: Path):
    def write(text: str = FILE) -> Path:
        file = tmp_path / ".config/alphaus/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return tmp_path

    return write


def test_nothing_found_is_none(tmp_path):
    assert find({}, home=tmp_path) is None


def test_the_environment_comes_before_the_file(home):
    found = find(ENVIRON, home=home())
    assert found is not None
    assert (found.client_id, found.client_secret) == ("of-env", "secret-of-env")
    assert (found.auth_url, found.source) == (AUTH_URL, "environment")


def test_the_file_has_a_default_profile(home):
    found = find({}, home=home())
    assert found is not None
    assert (found.client_id, found.client_secret) == ("of-default", "secret-of-default")


def test_a_profile_that_is_asked_for_comes_before_everything(home, ring):
    ring.set_password("octo-tf", "of-env", "stored")
    found = find(ENVIRON, profile="staging", home=home())
    assert found is not None
    assert found.client_id == "of-staging"
    assert found.auth_url == "https://login.staging.example.com/token"


def test_the_keyring_holds_the_secret_of_a_client_that_is_named(home, ring):
    ring.set_password("octo-tf", "of-env", "stored")
    named = find({"ALPHAUS_CLIENT_ID": "of-env"}, home=home())
    assert named is not None
    assert (named.client_secret, named.source) == ("stored", "keyring")
    both = find(ENVIRON, home=home())
    assert both is not None
    assert both.client_secret == "secret-of-env"  # the environment comes first


def test_the_keyring_comes_before_the_files_own_secret(home, ring):
    ring.set_password("octo-tf", "of-default", "stored")
    found = find({}, home=home())
    assert found is not None
    assert found.client_secret == "stored"


def test_a_locked_keyring_is_no_obstacle(home, ring):
    ring.locked = True
    found = find({}, home=home())
    assert found is not None
    assert found.client_secret == "secret-of-default"


def test_the_auth_url_may_be_set(tmp_path):
    environ = {**ENVIRON, "ALPHAUS_AUTH_URL": "http://127.0.0.1:1/token"}
    found = find(environ, home=tmp_path)
    assert found is not None
    assert found.auth_url == "http://127.0.0.1:1/token"


@pytest.mark.parametrize(
    ("environ", "text", "profile", "words"),
    [
        ({"ALPHAUS_CLIENT_ID": "x"}, FILE, None, "ALPHAUS_CLIENT_SECRET is not"),
        ({"ALPHAUS_CLIENT_SECRET": "planted-9f"}, FILE, None, "ALPHAUS_CLIENT_ID is not"),
        ({}, FILE, "none", "has no profile none; it has: default, staging"),
        ({}, "", "none", "it has: none"),
        ({}, "[default]\nclient-id = 'x'\n", None, "has no client-secret"),
        ({}, "[default]\nclient-secret = 'planted-9f'\n", None, "has no client-id"),
        ({}, "default = 'planted-9f'\n", None, "has no profile default"),
        ({}, "[default\nclient-secret = 'planted-9f'\n", None, "is not valid TOML"),
        ({}, "[default]\nclient-secret = planted-9f\n", None, "is not valid TOML"),
        ({}, "[default]\nclient-id = 7\n", None, "has no profile default"),
    ],
)
def test_half_of_it_is_an_error_that_shows_no_secret(home, environ, text, profile, words):
    with pytest.raises(ConfigError) as caught:
        find(environ, profile=profile, home=home(text))
    shown = f"{caught.value} {caught.value.hint}"
    assert words in shown
    assert "planted-9f" not in shown


def test_credentials_do_not_show_their_secret(tmp_path):
    assert "secret-of-env" not in repr(find(ENVIRON, home=tmp_path))
