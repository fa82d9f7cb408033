"""Where the Terraform module and the templates are: inside the wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_BUNDLED = _PACKAGE / "bundled"  # written by the wheel's build (pyproject.toml, force-include)
_BASE = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent

MODULE = _BASE / "terraform" / "modules" / "octo"
TEMPLATES = _BASE / "templates"
