"""The sandbox and octo-tf judge each other, so neither imports the other's code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator import sandbox

ROOT = Path(__file__).parents[3]
SANDBOX = ROOT / "orchestrator" / "sandbox"
PUBLIC = {"orchestrator.sandbox", *(f"orchestrator.sandbox.{name}" for name in sandbox.__all__)}


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, also inside functions and TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_sandbox_imports_nothing_of_the_rest():
    foreign = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in SANDBOX.rglob("*.py")
        for name in imports(path)
        if f"{name}.".startswith("orchestrator.")
        and not f"{name}.".startswith("orchestrator.sandbox.")
    }
    assert foreign == set()


def test_the_sandbox_loads_nothing_of_the_rest():
    """Also by ``importlib``: what a started sandbox has loaded, service by service."""
    script = (
        "import sys\n"
        "from orchestrator.sandbox import Sandbox\n"
        "from orchestrator.sandbox import resources, services\n"
        "services.find(), resources.find()\n"
        "Sandbox.start(linked=1).stop()\n"
        "own = ('orchestrator', 'orchestrator.sandbox')\n"
        "print([m for m in sys.modules if f'{m}.'.startswith('orchestrator.')\n"
        "       and m not in own and not m.startswith('orchestrator.sandbox.')])\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_the_rest_imports_only_what_the_sandbox_exports():
    folders = [ROOT / name for name in ("orchestrator", "bench", "tests")]
    paths = {path for folder in folders for path in folder.rglob("*.py")}
    own_tests = set((ROOT / "tests" / "unit" / "sandbox").rglob("*.py"))
    internal = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths - set(SANDBOX.rglob("*.py")) - own_tests
        for name in imports(path)
        if f"{name}.".startswith("orchestrator.sandbox.") and name not in PUBLIC
    }
    assert internal == set()


@pytest.mark.parametrize("name", sandbox.__all__)
def test_every_exported_name_exists(name):
    assert getattr(sandbox, name)


def test_asking_a_running_sandbox_does_not_load_moto():
    script = (
        "import sys\n"
        "from orchestrator.sandbox import control, read_env_file\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('moto', 'boto3', 'yaml')])\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"
