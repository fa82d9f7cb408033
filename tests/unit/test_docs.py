"""The documentation: links lead somewhere, commands and options exist, tables are complete."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orchestrator import cli, errors
from orchestrator.errors import ExitCode, OctoTfError
from orchestrator.model.coverage import State

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "examples/**/*.md", "terraform/**/*.md")
    for path in ROOT.glob(pattern)
    if ".terraform" not in path.parts
)
PIPELINES = sorted(
    path for path in (ROOT / "examples").glob("*/*") if path.suffix in (".yml", ".yaml")
)
KINDS = ("tutorial", "how-to", "reference", "explanation")

# Written by docs/generate.py from commands and settings; tests/module checks that they are current.
GENERATED = {DOCS / "reference/commands.md", DOCS / "reference/octo-yaml.md"}
HISTORY = ROOT / "CHANGELOG.md"  # its commands were right in their time

# Paths that exist in an installed wheel only.
INSTALLED = {"orchestrator/bundled/"}

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
# At the end of a page that shows commands: a test runs them, or they are parsed only.
MARKER = re.compile(
    r"^<!-- Commands: (?:(run) by|parsed by) (\S+?\.py)(?:\.|, not run\.) -->$", re.M
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SOURCE = re.compile(r"^(?:orchestrator|tests|docs|templates|terraform|examples|bench)/[\w./-]+$")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def inline_code(path: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(path))


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def links(path: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", prose(path))
    return [t for t in LINK.findall(text) if not t.startswith(("http://", "https://", "mailto:"))]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page):
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if target in GENERATED and not target.exists():
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_source_file_that_a_page_names_exists(page):
    named = [code for code in inline_code(page) if SOURCE.match(code) and code not in INSTALLED]
    assert not [code for code in named if not (ROOT / code).exists()]


def test_every_page_has_a_kind_and_is_in_the_index():
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links(INDEX)}
    pages = {page for page in DOCS.glob("**/*.md") if page != INDEX}
    decisions = {page for page in pages if page.parent.name == "decisions"}
    assert {page.parent.name for page in pages - decisions} == set(KINDS)
    assert pages - decisions <= listed
    assert DOCS / "decisions/README.md" in listed


def test_every_decision_is_listed_with_its_title():
    listed = (DOCS / "decisions/README.md").read_text()
    for record in (DOCS / "decisions").glob("0*.md"):
        number, title = record.read_text().splitlines()[0].removeprefix("# ").split(": ", 1)
        assert record.name.startswith(number)
        assert f"| [{number}]({record.name}) | {title} |" in listed


# Commands and their options.


def commands_in(text: str) -> Iterator[list[str]]:
    """The arguments of octo-tf in a shell text: up to a pipe, ``||`` or a comment."""
    for line in text.splitlines():
        if match := re.match(r"\s*octo-tf (.+)", line):
            lexer = shlex.shlex(match[1], posix=True, punctuation_chars="|&;>()")
            lexer.whitespace_split = True
            arguments = []
            for token in lexer:
                if set(token) <= set("|&;>()"):
                    break
                arguments.append(token)
            yield arguments


def shown_commands() -> Iterator[tuple[str, list[str]]]:
    """Where a command is shown, and its arguments."""
    for page in [page for page in PAGES if page not in {*GENERATED, HISTORY}]:
        for _, language, block in FENCE.findall(page.read_text(encoding="utf-8")):
            if language in ("", "sh", "shell", "bash"):
                yield from ((name_of(page), arguments) for arguments in commands_in(block))
        for code in inline_code(page):
            if code.startswith("octo-tf "):
                yield from ((name_of(page), arguments) for arguments in commands_in(code))
    for pipeline in PIPELINES:
        runs = re.findall(r"^\s*(?:- )?(?:run: )?(octo-tf .*)$", pipeline.read_text(), re.MULTILINE)
        yield from ((name_of(pipeline), a) for run in runs for a in commands_in(run))


def parsed(arguments: list[str]) -> None:
    """Parses a command line as octo-tf would, without converting values.

    Raises:
        click.UsageError: a command or option does not exist, or there are too many arguments.
    """
    context = click.Context(cli.group, info_name="octo-tf")
    command: click.Command = cli.group
    rest = list(arguments)
    while True:
        _, left, _ = command.make_parser(context).parse_args(list(rest))
        if not isinstance(command, click.Group) or not left:
            break
        _, found, rest = command.resolve_command(context, left)
        assert found is not None
        context = click.Context(found, info_name=found.name, parent=context)
        command = found
    if isinstance(command, click.Group):
        left = []
    takes = [p.nargs for p in command.params if isinstance(p, click.Argument)]
    if len(left) > sum(takes) and -1 not in takes:
        raise click.UsageError(f"too many arguments: {' '.join(left)}")


@pytest.mark.parametrize(("page", "arguments"), sorted(shown_commands()), ids=str)
def test_every_command_line_that_is_shown_exists(page, arguments):
    try:
        parsed(arguments)
    except click.UsageError as error:
        pytest.fail(f"{page}: octo-tf {' '.join(arguments)}: {error.message}")


@pytest.mark.parametrize(
    "line",
    ["octo-tf no-such", "octo-tf plan --no-such", "octo-tf verify too many", "octo-tf --bad"],
)
def test_a_command_line_that_does_not_exist_is_found(line):
    (arguments,) = commands_in(line)
    with pytest.raises(click.UsageError):
        parsed(arguments)


def blocks_of_commands(page: Path) -> list[str]:
    """The fenced blocks of a page that show a command of octo-tf."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    shells = [block for _, language, block in found if language in ("", "sh", "shell", "bash")]
    return [block for block in shells if any(commands_in(block))]


@pytest.mark.parametrize("page", [p for p in PAGES if p not in {*GENERATED, HISTORY}], ids=name_of)
def test_every_page_with_commands_says_whether_a_test_runs_them(page):
    marked = MARKER.findall(page.read_text(encoding="utf-8"))
    assert len(marked) == (1 if blocks_of_commands(page) else 0)
    for runs, test in marked:
        assert test == "tests/unit/test_docs.py" or runs
        assert not runs or page.name in (ROOT / test).read_text(encoding="utf-8")


def test_command_lines_are_found_in_many_pages():
    assert len({page for page, _ in shown_commands()}) > 15


def every_command(group: click.Group = cli.group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield command
        if isinstance(command, click.Group):
            yield from every_command(command)


def test_every_option_that_a_page_names_exists():
    known = {
        flag for c in every_command() for p in c.params for flag in (*p.opts, *p.secondary_opts)
    }
    for page in [p for p in PAGES if p not in {*GENERATED, HISTORY}]:
        named = {m[0] for code in inline_code(page) if (m := re.match(r"--[a-z][a-z-]+", code))}
        assert named <= known | {"--help"}, name_of(page)


# Tables that must be complete.


def rows(page: Path, heading: str = "") -> list[list[str]]:
    """The cells of a page's table rows, without backticks; only below a heading, if given."""
    text = page.read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", DOCS / "reference/exit-codes.md"], ids=name_of
)
def test_every_exit_code_is_in_the_table(page):
    heading = "## Exit codes" if page.parent == ROOT else ""
    codes = [int(row[0]) for row in rows(page, heading) if row[0].isdigit()]
    assert codes == [int(code) for code in ExitCode]


def test_every_error_is_in_the_table_with_its_exit_code():
    table = {row[0]: row[1] for row in rows(DOCS / "reference/errors.md")}
    family = {
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, OctoTfError) and thing is not OctoTfError
    }
    expected = {error.__name__: str(int(error.exit_code)) for error in family}
    assert {name: code for name, code in table.items() if name != "kind"} == expected


def test_every_state_of_a_linked_account_is_in_the_table():
    table = rows(DOCS / "reference/linked-accounts.md", "## Account states")
    assert {row[0] for row in table} - {"state"} == {state.value for state in State}


def test_every_schema_is_in_the_table():
    shown = {Path(link).name for link in links(DOCS / "reference/schemas.md")}
    assert {path.name for path in (DOCS / "schemas").glob("*.json")} <= shown


def test_every_package_is_on_the_architecture_page():
    table = rows(DOCS / "explanation/architecture.md", "## Packages")
    packages = {path.parent.name for path in (ROOT / "orchestrator").glob("*/__init__.py")}
    assert {row[0] for row in table} - {"package"} == packages


def test_every_setting_of_linked_accounts_is_in_the_table():
    schema = json.loads((DOCS / "schemas/octo.yaml.json").read_text())
    settings = {n for n in schema["properties"] if n.startswith(("stackset_", "use_stackset"))}
    table = {row[0] for row in rows(DOCS / "reference/linked-accounts.md", "## Settings")}
    assert settings <= table


def test_readme_opens_with_one_short_sentence():
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line]
    sentence = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", lines[1])
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    assert len(sentence.split()) <= 25
    assert [line.split("#")[0].strip() for line in lines[2:6]] == [
        "```",
        "make demo",
        "make test",
        "```",
    ]
