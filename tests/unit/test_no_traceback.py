"""Whatever is wrong with the machine, every command ends in an error with a place and a fix."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from orchestrator import cli
from orchestrator.errors import ExitCode

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/error-v1.json").read_text())
SECRET = "planted-secret-5d1c77"
DONE = {ExitCode.DONE, ExitCode.VERIFICATION_FAILED, ExitCode.VERIFICATION_PENDING}
# Arguments that a command needs to come as far as its work; the sandbox would run for ever.
ARGUMENTS = {
    "unlock": ["--yes", "2d1f7a52-lock"],
    "sandbox up": ["--port", "65536"],
    "sandbox pace": ["1"],
    "demo": ["--keep", "file/within"],
    "init": ["--config", "another.yaml", "--account-id", "111122223333"],
    "console template": ["api-access"],
    "console link": ["api-access"],
    "console check": ["api-access"],
    "discover": ["--account-id", "111122223333"],
    "unregister": ["--yes"],
    "stackset retry": ["--yes"],
    "apply": ["--yes"],
    "upgrade": ["--yes"],
    "adopt": ["--yes"],
    "completion show": ["--shell", "bash"],
    "completion install": ["--shell", "bash"],
}


def leaves(group: click.Group = cli.group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group) and not command.invoke_without_command:
            yield from leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(leaves())


class Machine:
    """A project in a folder, on a machine of which one thing is wrong."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.project, self.home = folder / "project", folder / "home"
        for made in (self.project, self.home, self.home / "tmp"):
            made.mkdir()
        (self.project / "file").write_text("")
        self.config("account_id: '111122223333'\nexternal_id: {SECRET}\n")
        for name in [*os.environ]:
            if name.startswith(("AWS_", "ALPHAUS_", "OCTO_", "XDG_")):
                patch.delenv(name)
        self.environ(
            HOME=str(self.home),
            AWS_EC2_METADATA_DISABLED="true",
            OCTO_TF_OCTO="false",
            OCTO_TF_TF_PATH="/nonexistent/terraform",
        )
        patch.chdir(self.project)

    def config(self, text: str) -> None:
        (self.project / "octo.yaml").write_text(text.replace("{SECRET}", SECRET))

    def environ(self, **variables: str) -> None:
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def aws_profile(self, text: str) -> None:
        """Let a profile of the AWS configuration be the credentials."""
        file = self.home / "aws-config"
        file.write_text(f"[profile a]\nregion = us-east-1\n{text}\n")
        self.environ(AWS_CONFIG_FILE=str(file), AWS_PROFILE="a")

    def octo(self, text: str = "") -> None:
        """Let Octo's credentials be those of a configuration file, or of the environment."""
        self.environ(OCTO_TF_OCTO="true", OCTO_TF_OCTO_ENDPOINT="https://127.0.0.1:9")
        if text:
            folder = self.home / ".config/alphaus"
            folder.mkdir(parents=True)
            (folder / "config.toml").write_text(text)
        else:
            self.environ(
                ALPHAUS_CLIENT_ID="client",
                ALPHAUS_CLIENT_SECRET=SECRET,
                ALPHAUS_AUTH_URL="https://127.0.0.1:9/token",
            )

    def files(self) -> set[str]:
        """What a command must leave alone: all but the work folder and temporary files."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*"))
        return {str(p) for p in found if ".octo-tf" not in p.parts and "tmp" not in p.parts}


def process(output: str) -> Callable[[Machine], None]:
    def wrong(machine: Machine) -> None:
        program = machine.home / "program"
        program.write_text(f"#!/bin/sh\n{output}\n")
        program.chmod(0o755)
        machine.aws_profile(f"credential_process = {program}")

    return wrong


def expired(machine: Machine) -> None:
    keys = {"Version": 1, "AccessKeyId": "AKIAEXAMPLEEXAMPLE", "SecretAccessKey": SECRET}
    answer = {**keys, "SessionToken": SECRET, "Expiration": "2001-01-01T00:00:00Z"}
    process(f"echo '{json.dumps(answer)}'")(machine)


def web_identity(path: str) -> Callable[[Machine], None]:
    return lambda machine: machine.environ(
        AWS_WEB_IDENTITY_TOKEN_FILE=path, AWS_ROLE_ARN="arn:aws:iam::111122223333:role/a"
    )


def configured(path: str) -> Callable[[Machine], None]:
    def wrong(machine: Machine) -> None:
        machine.patch.delenv("OCTO_TF_CONFIG", raising=False)
        (machine.project / "octo.yaml").unlink()
        (machine.project / "octo.yaml").symlink_to(path)

    return wrong


def pipe(machine: Machine) -> None:
    (machine.project / "octo.yaml").unlink()
    os.mkfifo(machine.project / "octo.yaml")


def no_home(machine: Machine) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    machine.patch.delenv("HOME")
    machine.patch.setattr(Path, "home", unknown)


def broken_keyring(machine: Machine) -> None:
    class Keyring:
        @staticmethod
        def get_password(*_: str) -> str:
            raise ConnectionError("the session bus is gone")

    machine.octo()
    machine.patch.delenv("ALPHAUS_CLIENT_SECRET")
    machine.patch.setitem(sys.modules, "keyring", Keyring)


def octo_through(**environ: str) -> Callable[[Machine], None]:
    def wrong(machine: Machine) -> None:
        machine.octo()
        machine.environ(**environ)

    return wrong


WRONG: dict[str, Callable[[Machine], None]] = {
    "no AWS credentials": lambda machine: None,
    "credential_process is missing": lambda m: m.aws_profile("credential_process = /nonexistent/a"),
    "credential_process prints garbage": process("echo garbage"),
    "credential_process prints an incomplete answer": process("""echo '{"Version": 1}'"""),
    "credential_process prints bytes": process(r"printf '\377\376'"),
    "credential_process gives expired keys": expired,
    "credential_process fails": process("echo cannot sign in >&2; exit 3"),
    "credential_process has an open quote": lambda m: m.aws_profile('credential_process = "a'),
    "the web identity token is missing": web_identity("/nonexistent/token"),
    "the web identity token is no text": web_identity(sys.executable),
    "the container's token is missing": lambda m: m.environ(
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9/",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/nonexistent/token",
    ),
    "the container's address is foreign": lambda m: m.environ(
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://example.com/"
    ),
    "the SSO session has no token": lambda m: m.aws_profile(
        "sso_session = s\nsso_account_id = 111122223333\nsso_role_name = a\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.com/start"
    ),
    "the SSO session is unknown": lambda m: m.aws_profile(
        "sso_session = s\nsso_account_id = 111122223333\nsso_role_name = a"
    ),
    "the profile is unknown": lambda m: m.environ(AWS_PROFILE="unknown"),
    "the profile has half a key": lambda m: m.aws_profile("aws_access_key_id = AKIAEXAMPLE"),
    "the profiles lead in a circle": lambda m: m.aws_profile(
        "role_arn = arn:aws:iam::111122223333:role/a\nsource_profile = b\n"
        "[profile b]\nrole_arn = arn:aws:iam::111122223333:role/b\nsource_profile = a"
    ),
    "the AWS configuration is no INI file": lambda m: m.aws_profile("["),
    "the AWS configuration is no text": lambda m: m.environ(AWS_CONFIG_FILE=sys.executable),
    "the AWS endpoint is no URL": lambda m: m.environ(
        AWS_ENDPOINT_URL="not a url", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY=SECRET
    ),
    "the AWS key holds a line break": lambda m: m.environ(
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID="AKIA\nEXAMPLE",
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_SESSION_TOKEN=SECRET,
    ),
    "octo.yaml is a folder": configured("/"),
    "octo.yaml is endless": configured("/dev/zero"),
    "octo.yaml points at itself": configured("octo.yaml"),
    "octo.yaml is a program": configured(sys.executable),
    "octo.yaml is a pipe without a writer": pipe,
    "octo.yaml is no YAML": lambda m: m.config("account_id: [\nexternal_id: {SECRET}\n"),
    "the external id's file is endless": lambda m: m.config(
        "account_id: '111122223333'\nexternal_id_file: /dev/zero\n"
    ),
    "Octo's configuration is no TOML": lambda m: m.octo(f"[default]\nclient-secret = {SECRET}\n"),
    "Octo's configuration is half": lambda m: m.octo(f'[default]\nclient-secret = "{SECRET}"\n'),
    "Octo's CA bundle is missing": octo_through(REQUESTS_CA_BUNDLE="/nonexistent/ca.pem"),
    "Octo's address is no URL": octo_through(ALPHAUS_AUTH_URL="nonsense"),
    "the keyring fails": broken_keyring,
    "there is no home": no_home,
    "home is read-only": lambda m: m.environ(HOME="/proc"),
    "the temporary folder is missing": lambda m: m.environ(TMPDIR="/nonexistent"),
    "the work folder is below a file": lambda m: m.environ(
        OCTO_TF_WORKDIR=str(m.project / "file" / "within")
    ),
    "the terminal's width is a word": lambda m: m.environ(COLUMNS="wide"),
}


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    """A machine without a network, whose calls fail at once instead of after retries."""

    def refused(*_: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return Machine(tmp_path, monkeypatch)


def is_explained(text: str) -> bool:
    """Whether stderr ends with an error, its place and its fix, as click or octo-tf write them."""
    if re.search(r"^Usage: .*^Error: ", text, re.MULTILINE | re.DOTALL):
        return True
    error = re.search(
        r"^(?:Error|octo\.yaml or flags are wrong): (\S.*?): .*\n  \S",
        text,
        re.DOTALL | re.MULTILINE,
    )
    return error is not None


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_every_command_ends_in_words(machine, capsys, wrong):
    wrong(machine)
    before, mistakes = machine.files(), []
    for name, command in COMMANDS.items():
        arguments = [*name.split(), *ARGUMENTS.get(name, [])]
        as_json = any("--json" in parameter.opts for parameter in command.params)
        code = cli.run([*arguments, "--json"] if as_json else arguments)
        shown = capsys.readouterr()
        text = shown.out + shown.err
        assert SECRET not in text, name
        assert "Traceback" not in text, name
        assert code in {int(known) for known in ExitCode}, name
        if "unexpectedly" in text:
            mistakes.append(f"{name} crashed: {shown.err}")
        document = json.loads(shown.out) if as_json and code else {"schema": "octo-tf/error/v1"}
        if code in DONE or document["schema"] != "octo-tf/error/v1":
            continue  # a report, which has a hint for each check
        if not is_explained(shown.err):
            mistakes.append(f"{name} ({code}): {shown.err}")
        if as_json:
            jsonschema.validate(document, SCHEMA)
            assert document["exit_code"] == code
            if not (document["where"] and document["hint"]):
                mistakes.append(f"{name} ({code}): {document}")
    assert not mistakes, "\n".join(mistakes)
    made = machine.files() - before
    assert not {path for path in made if not path.startswith(WRITTEN)}, made


# What `init`, `console template` and `completion install` are for, and click's own cache.
WRITTEN = ("project/another.yaml", "project/octo.external-id", "home/.bashrc", "home/.local")
