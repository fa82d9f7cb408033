"""Brings generated documentation up to date, or says that it is not (``--check``).

Each generator fills one marked block: ``<!-- begin NAME -->`` ... ``<!-- end NAME -->``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).parents[1]
MODULE = ROOT / "terraform/modules/octo"


def inputs() -> str:
    """The module's inputs as a table."""
    rows = ["| input | type | default | what it is |", "|---|---|---|---|"]
    for name, body in sorted(_blocks("variables.tf", "variable").items()):
        default = "required" if "default" not in body else f"`{_text(body['default'])}`"
        kind = _text(body["type"]).replace("${", "").replace("}", "")
        secret = " Sensitive." if body.get("sensitive") else ""
        rows.append(f"| `{name}` | `{kind}` | {default} | {_text(body['description'])}{secret} |")
    return "\n".join(rows)


def outputs() -> str:
    """The module's outputs as a table."""
    rows = ["| output | what it is |", "|---|---|"]
    for name, body in sorted(_blocks("outputs.tf", "output").items()):
        rows.append(f"| `{name}` | {_text(body['description'])} |")
    return "\n".join(rows)


def checks() -> str:
    """The verifier's checks as a table."""
    from orchestrator.verify.runner import find

    rows = ["| check | promise | IAM actions it needs |", "|---|---|---|"]
    rows += [f"| `{c.id}` | {c.promise} | {', '.join(c.permissions)} |" for c in find()]
    return "\n".join(rows)


def commands() -> str:
    """Every command's help."""
    import click

    from orchestrator.cli import group

    context = click.Context(group, info_name="octo-tf", max_content_width=100)
    return "\n\n".join(_helps(group, context))


def _helps(group: Any, context: Any) -> list[str]:
    import click

    parts = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = click.Context(command, info_name=name, parent=context, max_content_width=100)
        parts.append(f"## {own.command_path}\n\n```\n{command.get_help(own)}\n```")
        if isinstance(command, click.Group):
            parts += _helps(command, own)
    return parts


def faults() -> str:
    """The fault matrix, from the table that its tests run."""
    sys.path.insert(0, str(ROOT))
    from tests.faults.matrix import table

    return table()


GENERATED: dict[Path, dict[str, Callable[[], str]]] = {
    MODULE / "README.md": {"inputs": inputs, "outputs": outputs},
    ROOT / "docs/reference/checks.md": {"checks": checks},
    ROOT / "docs/reference/reliability.md": {"faults": faults},
    ROOT / "docs/reference/commands.md": {"commands": commands},
}


def _blocks(file: str, kind: str) -> dict[str, dict[str, Any]]:
    parsed = hcl2.loads((MODULE / file).read_text())
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
    stale = []
    for path, blocks in GENERATED.items():
        before = text = path.read_text()
        for name, make in blocks.items():
            pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
            made = make()
            text, count = pattern.subn(lambda m, made=made: f"{m[1]}{made}\n{m[2]}", text)
            assert count == 1, f"{path}: no block {name}"
        if text != before:
            stale.append(path.relative_to(ROOT))
            if not check:
                path.write_text(text)
    for path in stale:
        print(f"{path} {'is out of date: run make docs' if check else 'written'}", file=sys.stderr)
    return 2 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
