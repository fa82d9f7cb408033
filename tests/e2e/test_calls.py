"""Whole commands ask AWS for each fact once, and after a change once more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests import calls
from tests.e2e.conftest import TWELVE, Project

SANDBOX = TWELVE
PARENTS = 6  # the organization's root and OUs


def made(project: Project, *arguments: str) -> Counter[str]:
    """The calls that octo-tf itself made, Terraform's left out; bench/README.md has them."""
    file = project.folder.parent / "calls.json"
    result = subprocess.run(
        [sys.executable, calls.__file__, str(file), *arguments],
        cwd=project.folder,
        env={**project.environ, "PYTHONPATH": str(Path(calls.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    counts = Counter(json.loads(file.read_text()))
    print(f"{sum(counts.values())} calls: octo-tf {' '.join(arguments)}: {dict(counts)}")
    return counts


def of_the_organization(counts: Counter[str]) -> tuple[int, ...]:
    names = ("DescribeOrganization", "ListRoots", "ListAccountsForParent", "ListStackInstances")
    return tuple(counts[name] for name in names)


def test_the_organization_and_the_instances_are_read_once_before_and_once_after(
    sandbox, registered_payer
):
    payer = sandbox.restore(registered_payer)["payer"]
    assert made(payer, "verify")["GetRole"] == 2
    payer.settings(use_stackset=True)
    first = made(payer, "apply", "--yes", "--enable-trusted-access")
    # There are no instances before.
    assert of_the_organization(first) == (2, 2, 2 * PARENTS, 1)
    assert first["GetRole"] == 2 * 2 + 12, "and the role of each linked account, before"
    nothing = made(payer, "apply", "--yes")
    assert of_the_organization(nothing) == (1, 1, PARENTS, 1)
    verified = made(payer, "verify")
    assert of_the_organization(verified) == (1, 1, PARENTS, 1)
    assert (verified["GetRole"], verified["DescribeStackSet"]) == (2, 1)
    discovered = made(payer, "discover")
    assert of_the_organization(discovered) == (1, 1, PARENTS, 1)
    assert (discovered["GetCallerIdentity"], discovered["DescribeStackSet"]) == (1, 1)
    examined = made(payer, "doctor")
    assert of_the_organization(examined) == (1, 1, PARENTS, 1)
    assert examined["GetCallerIdentity"] == 2, "one of them for its time"
