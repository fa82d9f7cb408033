"""Errors: advice that can be followed, crash files without secrets, JSON in place of data."""

from __future__ import annotations

import ast
import json
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from orchestrator import cli, redaction
from orchestrator.cli import advice, crash, failures
from orchestrator.errors import OctoTfError
from orchestrator.terraform import guard
from tests.unit.test_docs import every_command, parsed

ROOT = Path(__file__).parents[2]
ERROR_SCHEMA = json.loads((ROOT / "docs/schemas/error-v1.json").read_text())

# --- the last resort --------------------------------------------------------------------------


@pytest.fixture
def crashing(monkeypatch, tmp_path):
    """A command that fails by an exception which nothing explains; its crash file's folder."""

    def fail(error: BaseException) -> Path:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def command(as_json: bool) -> None:
            raise error

        monkeypatch.setattr(cli.group, "get_command", lambda _context, _name: command)
        return tmp_path

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return fail


def test_an_unexplained_error_ends_in_two_lines_and_a_private_file(crashing, capsys):
    folder = crashing(KeyError("no such thing"))
    assert cli.run(["schema"]) == 1
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Traceback" in file.read_text()
    error, hint = capsys.readouterr().err.splitlines()
    assert error == f"Error: {file}: octo-tf failed unexpectedly: KeyError: 'no such thing'"
    assert "Report it with that file" in hint


def test_a_crash_holds_no_secret(crashing, capsys, monkeypatch):
    monkeypatch.setenv("ALPHAUS_CLIENT_SECRET", "secret-of-octo")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-aws")
    redaction.keep_out("the-external-id")
    texts = ("secret-of-octo", "token-of-aws", "the-external-id", "AKIAIOSFODNN7EXAMPLE")
    folder = crashing(KeyError(" ".join(texts) + " Bearer abc.def.ghi http://u:pw@proxy"))
    cli.run(["schema", "--json"])
    (file,) = folder.iterdir()
    shown = capsys.readouterr()
    for secret in (*texts, "abc.def.ghi", "u:pw"):
        assert secret not in file.read_text() + shown.out + shown.err


def test_a_crash_without_a_folder_says_where_in_the_code_it_was(crashing, capsys, monkeypatch):
    crashing(KeyError("no such thing"))
    monkeypatch.setattr(crash, "_folders", lambda: iter([Path("/proc")]))
    assert cli.run(["schema"]) == 1
    assert re.search(r"Error: \S+\.py:\d+; no folder takes a crash file: ", capsys.readouterr().err)


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit()])
def test_an_exception_that_ends_python_is_left_alone(crashing, error):
    folder = crashing(error)
    with pytest.raises(type(error)):
        cli.run(["schema"])
    assert not [*folder.iterdir()]


class _ClosedTerminal:
    """Stderr of a terminal whose window was closed."""

    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort(), EOFError()])
def test_an_interrupt_that_cannot_be_reported_ends_as_one(crashing, monkeypatch, error):
    crashing(error)
    monkeypatch.setattr(sys, "stderr", _ClosedTerminal())
    assert cli.run(["schema"]) == 130


def test_an_interrupt_is_answered_as_json_too(crashing, capsys):
    crashing(KeyboardInterrupt())
    assert cli.run(["schema", "--json"]) == 130
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, ERROR_SCHEMA)
    assert (document["error"], document["exit_code"]) == ("interrupted", 130)


@pytest.mark.parametrize(
    ("error", "what", "where"),
    [
        (PermissionError(13, "Permission denied", "/a"), "Permission denied", "/a"),
        (OSError(30, "Read-only file system", "/a", None, "/b"), "Read-only", "/a and /b"),
        (OSError(28, "No space left on device"), "No space left", "operating system"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe", "operating system"),
        (MemoryError(), "too little memory", "memory"),
        (ModuleNotFoundError("No module named 'a'"), "No module named 'a'", "/"),
        (RuntimeError("Could not determine home directory."), "home folder", "HOME"),
    ],
)
def test_what_the_system_raises_has_a_place_and_a_fix(crashing, capsys, error, what, where):
    folder = crashing(error)
    assert cli.run(["schema"]) == 1
    shown, hint = capsys.readouterr().err.splitlines()
    assert what in shown
    assert where in shown.partition(":")[2]
    assert hint.strip()
    assert not [*folder.iterdir()]


# --- advice -----------------------------------------------------------------------------------


def fitting(hint: str, command: str) -> str:
    return advice.fitting(hint, command.split(), cli.group)


def test_advice_that_the_command_can_follow_stays():
    hint = "Undo the setting, or allow it: --allow-destroy 'a.b'."
    assert fitting(hint, "apply --yes") == hint


def test_an_option_of_another_command_is_named_with_it():
    shown = fitting("Undo the setting, or allow it: --allow-destroy 'a.b'.", "adopt --yes")
    assert re.search(r"\(--allow-destroy is an option of octo-tf .*apply.*\.\)$", shown)


def test_an_option_of_a_setting_is_named_with_its_setting():
    shown = fitting("Name a profile with --aws-profile.", "confirm --json")
    assert "set credentials.profile in octo.yaml" in shown


def test_a_command_about_octo_is_not_advised_to_do_without_it():
    hint = "Check the profile; --no-octo works without Octo's API."
    assert "--no-octo" not in fitting(hint, "accounts")
    assert "--no-octo" in fitting(hint, "apply")


def test_options_of_a_command_that_the_hint_names_are_its_own():
    hint = "Consent to it with octo-tf adopt --purge-policies, or move it elsewhere first."
    assert fitting(hint, "plan") == hint


def test_what_nothing_allows_is_not_advised_to_be_allowed():
    verdict = guard.Verdict({"a.b": "the action is unknown"}, frozenset({"a.b"}))
    with pytest.raises(OctoTfError) as refused:
        verdict.enforce()
    assert "--allow-destroy" not in refused.value.hint


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the code that names a command, with its place; docstrings are no advice."""

    def text_of(node: ast.AST) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.JoinedStr):
            return "".join(text_of(v) if isinstance(v, ast.Constant) else "X" for v in node.values)
        return ""

    for path in sorted((ROOT / "orchestrator").rglob("*.py")):
        tree = ast.parse(path.read_text())
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        parts = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            if id(node) not in docstrings | parts and "octo-tf " in (text := text_of(node)):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text


NAMES = "|".join(sorted({c.name or "" for c in every_command() if c.name}, key=len, reverse=True))
FIRST = "|".join(cli.group.list_commands(click.Context(cli.group)))
VALUE = r"(?:FILE|ID|X|'[^']*'|\d+[smh]|jsonl=\S+)"
WORD = rf"(?:--?[a-z][\w-]*(?:[ =]{VALUE})?|X|FILE|(?:{NAMES})(?![\w-]))"
ADVISED = re.compile(rf"octo-tf ((?:{FIRST})(?![\w-])(?: {WORD})*)")


def advised() -> list[tuple[str, str]]:
    found = ((place, match[1]) for place, text in texts() for match in ADVISED.finditer(text))
    # A suite of JUnit is named like a command.
    return [(place, line) for place, line in found if "junit" not in place]


def test_commands_are_advised_in_many_places():
    assert len({place for place, _ in advised()}) > 40


@pytest.mark.parametrize(("place", "line"), sorted(advised()), ids=str)
def test_every_command_that_is_advised_exists(place, line):
    arguments = line.replace("'", "").split()
    try:
        parsed(arguments)
    except click.BadOptionUsage:
        pass  # the text leaves the option's value out
    except click.UsageError as error:
        pytest.fail(f"{place}: octo-tf {line}: {error.message}")


# Options of other programs, where a hint tells to run one.
FOREIGN = {"--force-reinstall": "pip", "--profile": "aws"}


def hints() -> Iterator[tuple[str, str]]:
    """Every hint that an error is given, with its place."""
    for path in sorted((ROOT / "orchestrator").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                texts = [
                    part.value
                    for part in ast.walk(node.value)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                yield f"{path.relative_to(ROOT)}:{node.value.lineno}", " ".join(texts)


def test_every_option_that_a_hint_names_exists():
    known = {option for command in every_command() for p in command.params for option in p.opts}
    known |= {o for command in every_command() for p in command.params for o in p.secondary_opts}
    known.add("--help")
    found = [
        (place, option)
        for place, text in hints()
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]", text)
        if FOREIGN.get(option, "no program") not in text
    ]
    assert len(found) > 20
    assert [(place, option) for place, option in found if option not in known] == []


# --- JSON -------------------------------------------------------------------------------------


def test_an_error_is_json_for_a_command_that_was_given_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["status", "--json"]) == 64
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    jsonschema.validate(document, ERROR_SCHEMA)
    assert document["hint"] in shown.err
    assert document["where"] == "octo.yaml or --account-id"


def test_wrong_usage_is_json_too(capsys):
    assert cli.run(["status", "--json", "--nonsense"]) == 64
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, ERROR_SCHEMA)
    assert "--nonsense" in document["error"]


def test_a_document_that_was_printed_is_not_followed_by_another(monkeypatch, capsys):
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:
        click.echo('{"schema": "octo-tf/plan/v1"}')
        raise OctoTfError("the plan is refused")

    monkeypatch.setattr(cli.group, "get_command", lambda _context, _name: command)
    assert cli.run(["plan", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"schema": "octo-tf/plan/v1"}


def test_explained_errors_name_the_schema_that_is_published():
    assert ERROR_SCHEMA["properties"]["schema"]["const"] == failures.SCHEMA
