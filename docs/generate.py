"""Brings generated documentation up to date, or says that it is not (``--check``).

Each generator fills one marked block: ``<!-- begin NAME -->`` ... ``<!-- end NAME -->``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_origin

import feature_tables
import hcl2

ROOT = Path(__file__).parents[1]
MODULE = ROOT / "terraform/modules/octo"
# Each part that can be used alone; role-documents has no README, and is not.
PARTS = sorted(readme.parent for readme in MODULE.glob("modules/*/README.md"))
_VARIABLE = re.compile(r'^variable "(\w+)" \{.*?^\}$', re.MULTILINE | re.DOTALL)


def inputs(module: Path = MODULE) -> str:
    """A module's inputs as a table."""
    rows = ["| input | type | default | what it is |", "|---|---|---|---|"]
    for name, body in sorted(_blocks("variables.tf", "variable", module).items()):
        default = "required" if "default" not in body else f"`{_text(body['default'])}`"
        kind = _text(body["type"]).replace("${", "").replace("}", "")
        secret = " Sensitive." if body.get("sensitive") else ""
        rows.append(f"| `{name}` | `{kind}` | {default} | {_text(body['description'])}{secret} |")
    return "\n".join(rows)


def outputs(module: Path = MODULE) -> str:
    """A module's outputs as a table."""
    rows = ["| output | what it is |", "|---|---|"]
    for name, body in sorted(_blocks("outputs.tf", "output", module).items()):
        rows.append(f"| `{name}` | {_text(body['description'])} |")
    return "\n".join(rows)


def checks() -> str:
    """The verifier's checks as a table."""
    from orchestrator.verify.runner import find

    rows = ["| check | promise | IAM actions it needs |", "|---|---|---|"]
    rows += [f"| `{c.id}` | {c.promise} | {', '.join(c.permissions)} |" for c in find()]
    return "\n".join(rows)


def commands() -> str:
    """Every command with its own options, then the options that commands share, once."""
    import click

    from orchestrator import cli
    from orchestrator.cli.option import EVERYTHING
    from orchestrator.model.setting import Group

    context = click.Context(cli.group, info_name="octo-tf")
    context.meta[EVERYTHING] = True
    found = dict(_walk(cli.group, context))
    shared: dict[Group, dict[str, click.Option]] = {group: {} for group in Group}
    for command, _ in found.values():
        for option in _options(command, *Group):
            shared[option.group].setdefault(option.opts[0], option)
    parts = []
    for title, names in cli.sections().items():
        parts.append(f"## {title}")
        for path, (command, own) in found.items():
            if path.split()[1] in names:
                parts += [f"### {path}", f"```\n{command.get_usage(own)}\n```", _prose(command)]
                parts += _option_table(_options(command, None), own)
                taken = [(group, _options(command, group)) for group in Group]
                parts += (
                    ["Shared options:", *_taken(taken, shared)]
                    if any(options for _, options in taken)
                    else []
                )
    parts.append("## Shared options")
    for group, options in shared.items():
        parts += [f"### {group.value} options", *_option_table(options.values(), context)]
    return "\n\n".join(parts)


def _walk(group: Any, context: Any) -> Iterator[tuple[str, Any]]:
    import click

    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = click.Context(command, info_name=name, parent=context, max_content_width=100)
        yield own.command_path, (command, own)
        if isinstance(command, click.Group):
            yield from _walk(command, own)


def _options(command: Any, *groups: Any) -> list[Any]:
    import click

    options = [p for p in command.params if isinstance(p, click.Option)]
    return [option for option in options if getattr(option, "group", None) in groups]


def _prose(command: Any) -> str:
    """A command's help as paragraphs of one line."""
    return "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))


def _option_table(options: Iterable[Any], context: Any) -> list[str]:
    rows = ["| option | what it is | environment variable |", "|---|---|---|"]
    for option in options:
        term, _ = option.get_help_record(context)
        default = option.get_help_extra(context).get("default")
        text = f"{option.help} Default: {default}." if default else option.help
        variable = _code(option.envvar) if option.envvar else ""
        rows.append(f"| {_code(term)} | {text} | {variable} |")
    return ["\n".join(rows)] if rows[2:] else []


def _taken(taken: Iterable[Any], shared: dict[Any, dict[str, Any]]) -> list[str]:
    """The groups that a command takes; where it takes a part, which part."""
    lines = []
    for group, options in taken:
        flags = [option.opts[0] for option in options]
        others = [flag for flag in shared[group] if flag not in flags]
        names = flags if len(flags) < len(others) else others
        part = (": " if names is flags else " without ") + ", ".join(map(_code, names))
        if options:
            anchor = f"{group.value} options".lower().replace(" ", "-")
            lines.append(f"- [{group.value}](#{anchor}){part if others else ''}")
    return ["\n".join(lines)]


def settings() -> str:
    """Every setting of octo.yaml, by group."""
    from orchestrator.model.registration import settings as known
    from orchestrator.model.setting import Group, variable_of

    module = _blocks("variables.tf", "variable")
    parts = []
    for group in Group:
        rows = [
            "| setting | what it is | type | default | option and variable | example |",
            "|---|---|---|---|---|---|",
        ]
        for setting in known().values():
            if setting.about.group is not group:
                continue
            option = f"{_code(setting.flag)} {_code(variable_of(setting.flag))}"
            cells = (
                _code(setting.name),
                setting.about.help,
                _kind(setting),
                _default(setting, module),
                option if setting.flag else "octo.yaml only",
                "" if setting.about.example is None else _code(json.dumps(setting.about.example)),
            )
            rows.append(f"| {' | '.join(cells)} |")
        if rows[2:]:
            parts += [f"## {group.value}", "\n".join(rows)]
    return "\n\n".join(parts)


def _kind(setting: Any) -> str:
    origin = get_origin(setting.type)
    if setting.choices:
        return ("list of " if origin is list else "") + ", ".join(map(_code, setting.choices))
    names = {bool: "true or false", int: "number", str: "text", list: "list of text"}
    return names.get(setting.type) or names.get(origin) or "mapping"


def _default(setting: Any, module: dict[str, Any]) -> str:
    """What holds where octo.yaml has no such setting: the model's word, or the module's."""
    if setting.required:
        return "required"
    if setting.about.default:
        return setting.about.default
    if isinstance(setting.default, (bool, str)):
        return _code(json.dumps(setting.default).strip('"'))
    default = module.get(setting.name, {}).get("default")
    return "" if default in (None, "null") else _code(_text(default))


def _code(text: object) -> str:
    """Text as code in a cell of a table."""
    return "`" + str(text).replace("|", "\\|") + "`"


def faults() -> str:
    """The fault matrix, from the table that its tests run."""
    sys.path.insert(0, str(ROOT))
    from tests.faults.matrix import table

    return table()


def from_aws() -> str:
    """How the sandbox's answers compare with AWS's, and each difference that stays."""
    folder = ROOT / "tests/contract/sandbox"
    areas = [json.loads(path.read_text()) for path in (folder / "answers").glob("*.json")]
    known = json.loads((folder / "known_differences.json").read_text())
    count = sum("label" in call for calls in areas for call in calls)
    lines = [
        f"{count} answers that were recorded on AWS, or that AWS documents, are compared with the"
        f" sandbox's by a test: {count - len(known)} agree.",
        "",
        "| call | what differs | why |",
        "|---|---|---|",
    ]
    for label, entry in sorted(known.items()):
        what = "; ".join(f"`{difference}`" for difference in entry["differences"])
        lines.append(f"| {label} | {what} | {entry['reason']} |")
    return "\n".join(lines)


def consent() -> str:
    """What changes without consent, from the table that its tests run."""
    sys.path.insert(0, str(ROOT))
    from tests.e2e.consent import table

    return table()


def engines() -> str:
    """What was proved with each engine, from the results that `make engines` wrote."""
    results = json.loads((ROOT / "docs/reference/engines.json").read_text())
    rows = ["| engine | provider | proved | on |", "|---|---|---|---|"]
    for name, parts in sorted(results.items(), key=_by_version, reverse=True):
        runs: dict[tuple[str, str], list[str]] = {}  # what was run with one provider on one day
        for part in sorted(parts):
            result = parts[part]
            runs.setdefault((result["provider"], result["date"]), []).append(result["proved"])
        for (provider, date), proved in sorted(runs.items(), reverse=True):
            rows.append(f"| {name} | {provider} | {', '.join(proved)} | {date} |")
    return "\n".join(rows)


def _by_version(item: tuple[str, Any]) -> tuple[str, list[int]]:
    product, _, version = item[0].partition(" ")
    return product, [int(number) for number in version.split(".")]


def example(name: str) -> str:
    """An example of the module, as a user's own root has it."""
    text = (MODULE / "examples" / name / "main.tf").read_text()
    text = text.replace('"../.."', '"./modules/octo"').replace('"../../', '"./modules/octo/')
    return f"```hcl\n{text}```"


def variables(part: Path) -> str:
    """The variables of a part of the module: its names, with the module's own blocks."""
    ours = {
        block[1]: block[0] for block in _VARIABLE.finditer((MODULE / "variables.tf").read_text())
    }
    names = _VARIABLE.findall((part / "variables.tf").read_text())
    return "\n\n".join(ours[name] for name in sorted(names)) + "\n"


def permissions() -> str:
    """The table of permissions, a line for the calls of each statement."""
    from orchestrator.model.permissions.table import STEPS, TABLE

    rows = [
        "| statement | resources | actions | commands | only with |",
        "|---|---|---|---|---|",
    ]
    for entry in TABLE:
        on = f"{entry.on.text}, {entry.limit.text}" if entry.limit.text else entry.on.text
        for calls in entry.calls:
            steps = ", ".join(step for step in STEPS if step in calls.steps)
            actions = ", ".join(calls.actions)
            rows.append(f"| {entry.sid} | {on} | {actions} | {steps} | {calls.case.text} |")
    return "\n".join(rows)


GENERATED: dict[Path, dict[str, Callable[[], str]]] = {
    MODULE / "README.md": {
        **{
            f"example_{folder.name}": partial(example, folder.name)
            for folder in sorted((MODULE / "examples").iterdir())
            if not folder.name.startswith("only-")
        },
        "inputs": inputs,
        "outputs": outputs,
        "features": feature_tables.features,
        "execution_actions": feature_tables.execution_actions,
        "sources": feature_tables.sources,
    },
    **{
        part / "README.md": {
            f"example_only-{part.name}": partial(example, f"only-{part.name}"),
            "inputs": partial(inputs, part),
            "outputs": partial(outputs, part),
        }
        for part in PARTS
    },
    ROOT / "README.md": {"summary": feature_tables.summary},
    ROOT / "docs/how-to/choose-features.md": {"enrolment": feature_tables.enrolment},
    ROOT / "docs/reference/checks.md": {"checks": checks},
    ROOT / "docs/reference/aws-permissions.md": {"permissions": permissions},
    ROOT / "docs/reference/reliability.md": {"faults": faults, "consent": consent},
    ROOT / "docs/reference/commands.md": {"commands": commands},
    ROOT / "docs/reference/sandbox.md": {"from_aws": from_aws},
    ROOT / "docs/reference/octo-yaml.md": {"settings": settings},
    ROOT / "docs/reference/versions.md": {"engines": engines},
}


def _blocks(file: str, kind: str, module: Path = MODULE) -> dict[str, dict[str, Any]]:
    parsed = hcl2.loads((module / file).read_text())
    return {
        name.strip('"'): body
        for block in parsed[kind]
        for name, body in block.items()
        if not name.startswith("__")
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(f'"{_text(v)}"' for v in value) + "]"
    if isinstance(value, dict):
        return "{}"
    return str(value).strip('"')


def main() -> int:
    """Writes what differs; with ``--check`` only names it and returns 2."""
    check = "--check" in sys.argv[1:]
    texts = {part / "variables.tf": variables(part) for part in PARTS}
    for path, blocks in GENERATED.items():
        text = path.read_text()
        for name, make in blocks.items():
            pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
            made = make()
            text, count = pattern.subn(lambda m, made=made: f"{m[1]}{made}\n{m[2]}", text)
            assert count == 1, f"{path}: no block {name}"
        texts[path] = text
    stale = [path for path, text in texts.items() if path.read_text() != text]
    for path in stale:
        if not check:
            path.write_text(texts[path])
        print(
            f"{path.relative_to(ROOT)} {'is out of date: run make docs' if check else 'written'}",
            file=sys.stderr,
        )
    return 2 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
