"""What octo-tf says of a provider's version is what ``terraform init`` does."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from orchestrator.model.version_constraint import Constraint, Version
from orchestrator.terraform import binary
from orchestrator.terraform.provider_lock import NAME

VERSIONS = ("5.99.0", "5.100.0", "5.100.1", "6.0.0-beta1", "6.0.0", "6.3.0", "7.0.0")
TAKEN = (
    *("5.100.0", "= 5.100.0", "5.100", "5.1000", "5", "05.100.0"),
    *("~> 6", "~> 6.0", "~> 5.100", "~> 5.100.0", "~>5.99.0", "~> 6.3.1"),
    *("> 5.100.0", "> 5", "< 6", "<= 6", ">=5.100.0,<7.0.0", "!= 7.0.0, != 6.3.0"),
    *("5.100.0, 6.0.0", "> 5.100.0 , < 5.100.1"),
    *("6.0.0-beta1", "~> 6.0.0-beta1", "~> 6.0-beta1", "< 6.0.0", "!= 6.0.0-beta1"),
    *(">= 6.0.0-beta1, < 6.0.0", "6.0.0-beta1, >= 5.100.0", "> 6.0.0-beta1, < 6.3.0"),
)
REFUSED = (
    *("", " ", "x", "v5.100.0", "== 5.100.0", "=> 5.100.0", "^5.0", "5.100.x", "5.*"),
    *("5.100.0.0", ">= 5.100.0 < 7.0.0", ">= 5.100.0,", ">=  5.100.0", "6.0.0beta1"),
)


class Init:
    """``terraform init`` with a mirror that holds packages by name only: init runs none."""

    def __init__(self, folder: Path) -> None:
        program, _, self._environ = binary.current()
        self._mirror, self._root = folder / "mirror", folder / "root"
        self._address = binary.provider_address(program)
        self._command = [*program.command, "init", "-no-color", f"-plugin-dir={self._mirror}"]
        self._root.mkdir()
        for version in VERSIONS:
            package = self._mirror / self._address / version / binary.target()
            package.mkdir(parents=True)
            (package / f"terraform-provider-aws_v{version}").write_text(f"#!/bin/sh\n#{version}\n")
            (package / f"terraform-provider-aws_v{version}").chmod(0o755)

    def __call__(self, constraint: str, locked: str = "") -> str | None:
        """The version that init takes; None where it takes none."""
        required = {"aws": {"source": "hashicorp/aws", "version": constraint}}
        main = {"terraform": {"required_providers": required}}
        (self._root / "main.tf.json").write_text(json.dumps(main))
        lock = self._root / NAME
        lock.unlink(missing_ok=True)
        if locked:
            lock.write_text(f'provider "{self._address}" {{\n  version = "{locked}"\n}}\n')
        result = subprocess.run(
            self._command, cwd=self._root, env=self._environ, capture_output=True, check=False
        )
        found = re.search(r'version += "(.*)"', lock.read_text()) if lock.exists() else None
        return found[1] if found and result.returncode == 0 else None


@pytest.fixture(scope="module")
def init(tmp_path_factory) -> Init:
    return Init(tmp_path_factory.mktemp("init"))


@pytest.mark.parametrize("text", TAKEN)
def test_the_newest_version_that_is_admitted_is_the_one_that_init_takes(init, text):
    admitted = [v for v in map(Version.parse, VERSIONS) if Constraint.parse(text).admits(v)]
    assert init(text) == (str(max(admitted)) if admitted else None)


@pytest.mark.parametrize("text", TAKEN)
def test_the_one_form_is_taken_as_what_was_written(init, text):
    assert init(str(Constraint.parse(text))) == init(text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_constraint_for_octo_tf_is_none_for_terraform(init, text):
    with pytest.raises(ValueError, match="not a version constraint"):
        Constraint.parse(text)
    assert init(text) is None


@pytest.mark.parametrize("locked", ["5.99.0", "6.0.0-beta1", "6.3.0"])
@pytest.mark.parametrize("text", TAKEN[::3])
def test_a_locked_version_passes_init_where_it_is_admitted(init, text, locked):
    admitted = Constraint.parse(text).admits(Version.parse(locked))
    assert init(text, locked) == (locked if admitted else None)
