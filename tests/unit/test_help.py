"""Help: it fits a screen, names every option, and a mistyped word gets a suggestion."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orchestrator import cli
from orchestrator.cli.option import Option
from orchestrator.errors import ExitCode
from orchestrator.model.setting import Group

COMMANDS = Path(cli.__file__).parent / "commands"


def walk(group: click.Group, *parents: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        path = (*parents, name)
        yield " ".join(path), command
        if isinstance(command, click.Group):
            yield from walk(command, *path)


ALL = {"": cli.group, **dict(walk(cli.group))}


@pytest.fixture(params=ALL, ids=lambda path: path or "octo-tf")
def path(request) -> str:
    return request.param


@pytest.fixture
def shown(monkeypatch, capsys):
    """What ``octo-tf <path> <flag>`` prints where a line has 100 columns."""
    monkeypatch.setenv("COLUMNS", "100")

    def show(path: str, flag: str) -> str:
        assert cli.run([*path.split(), flag]) == 0
        return capsys.readouterr().out

    return show


def options(path: str) -> list[click.Option]:
    return [p for p in ALL[path].params if isinstance(p, click.Option)]


def test_help_fits_sixty_lines_of_a_hundred_columns(path, shown):
    lines = shown(path, "--help").splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100


def test_help_all_names_every_option_with_its_environment_variable(path, shown):
    text = shown(path, "--help-all")
    words = set(re.split(r"[\s,;/\]]+", text))
    for option in options(path):
        assert {*option.opts, *option.secondary_opts} <= words
        assert not option.envvar or option.envvar in words
    assert "see --help-all" not in text


def test_help_says_how_many_options_it_leaves_out(path, shown):
    text = shown(path, "--help")
    hidden = [o for o in options(path) if not getattr(o, "common", True)]
    said = [int(n) for n in re.findall(r"(\d+)(?: more)?: see --help-all", text)]
    assert sum(said) == len(hidden)
    listed = set(re.split(r"[\s,/]+", text))
    assert not listed & {flag for option in hidden for flag in option.opts}


def test_every_command_and_option_explains_itself(path):
    command = ALL[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Argument):  # the command explains it
            assert parameter.human_readable_name.strip("[].") in command.help
            continue
        assert re.match(r"[A-Z].*\.$", parameter.help or "", re.DOTALL), parameter.name


def test_each_command_is_listed_once_with_the_first_sentence_of_its_help(shown):
    lines = re.sub(r"\n {6,}", " ", shown("", "--help"))  # a long sentence is continued
    listed = re.findall(r"^  ([a-z][a-z-]*)  +(\S.*)$", lines, re.MULTILINE)
    files = {file.stem.replace("_", "-") for file in COMMANDS.glob("[a-z]*.py")}
    assert sorted(name for name, _ in listed) == sorted(files)
    for name, summary in listed:
        assert (ALL[name].help or "").split("\n")[0] == summary


REGISTERS_NOTHING = ("accounts", "confirm", "status", "unlock", "unregister")


@pytest.mark.parametrize("path", REGISTERS_NOTHING)
def test_a_command_that_registers_nothing_takes_no_option_of_what_to_register(path):
    groups = {option.group for option in options(path) if isinstance(option, Option)}
    assert not groups & {Group.API_ACCESS, Group.CUR, Group.LINKED_ACCOUNTS}


def test_destroy_takes_what_finds_resources_and_nothing_that_makes_them():
    flags = {option.opts[0] for option in options("destroy")}
    assert {"--cur-report-name", "--cur-s3-bucket-name", "--stackset-name"} <= flags
    making = {"--feature", "--permissions-boundary", "--cur-format", "--stackset-target", "--tag"}
    assert not making & flags


@pytest.mark.parametrize("path", ["verify", "doctor", "discover", "unlock"])
def test_a_command_that_plans_nothing_takes_no_option_of_a_plan(path):
    flags = {option.opts[0] for option in options(path)}
    assert "--tf-path" in flags
    assert not {"--parallelism", "--lock-timeout"} & flags


@pytest.mark.parametrize("path", ["schema", "demo", "sandbox up", "completion show"])
def test_a_command_without_an_account_takes_no_option_of_one(path):
    assert not [option for option in options(path) if getattr(option, "group", None)]


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["aply"], "apply"),
        (["stackset", "stats"], "status"),
        (["sandbox", "fault", "lst"], "list"),
        (["apply", "--acount-name"], "--account-name"),
        (["status", "--jsn"], "--json"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion_and_exit_code_64(capsys, arguments, suggestion):
    assert cli.run(arguments) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert suggestion in printed.err.partition("Did you mean")[2]
    assert printed.out == ""


def test_options_of_what_to_register_are_read_from_the_environment(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OCTO_TF_ACCOUNT_ID", "111122223333")
    monkeypatch.setenv("OCTO_TF_EXTERNAL_ID", "abc")
    monkeypatch.setenv("OCTO_TF_USE_STACKSET", "true")
    monkeypatch.setenv("OCTO_TF_FEATURE", "cost recommendations")
    assert cli.run(["init"]) == 0
    written = (tmp_path / "octo.yaml").read_text()
    assert "use_stackset: true" in written
    assert re.search(r"features:\n *- cost\n *- recommendations\n", written)


def test_a_command_that_registers_nothing_needs_no_external_id(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "octo.yaml").write_text("account_id: '111122223333'\n")
    assert cli.run(["status"]) == ExitCode.ERROR
    assert "nothing was planned, applied or verified" in capsys.readouterr().err


def test_octo_yaml_is_validated_for_a_command_that_registers_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "octo.yaml").write_text("account_id: '111122223333'\ncur_format: csv\n")
    assert cli.run(["status"]) == ExitCode.USAGE
    assert "octo.yaml:2:13" in capsys.readouterr().err


def test_every_shared_option_has_an_environment_variable():
    for option in options("apply"):
        if option.name not in ("plan_file", "as_json"):  # of one invocation, by their nature
            assert str(option.envvar).startswith("OCTO_TF_"), option.name


def test_loading_every_command_loads_no_boto3(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, click; from orchestrator import cli; "
        "context = click.Context(cli.group); "
        "[cli.group.get_command(context, n) for n in cli.group.list_commands(context)]; "
        "print([m for m in ('boto3', 'jinja2', 'moto', 'hcl2', 'requests') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=dict(os.environ),
    )
    assert result.stdout == "[]\n"
