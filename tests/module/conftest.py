"""The module in a folder of its own, initialized once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator import assets
from orchestrator.terraform import binary


class TerraformCli:
    """Terraform as a module author runs it."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        program, self._mirror, environ = binary.current()
        self._program, self._folder = program.path, folder
        self._environ = {**environ, "TF_DATA_DIR": str(data_dir)}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *arguments],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def init(self) -> None:
        mirror = [f"-plugin-dir={self._mirror}"] if self._mirror else []
        result = self("init", "-backend=false", "-no-color", *mirror)
        assert result.returncode == 0, result.stderr


@pytest.fixture(scope="session")
def terraform(tmp_path_factory) -> TerraformCli:
    """Terraform in a copy of the module, provider included."""
    folder = tmp_path_factory.mktemp("module") / "octo"
    shutil.copytree(assets.MODULE, folder)
    cli = TerraformCli(folder, folder / ".terraform")
    cli.init()
    return cli
