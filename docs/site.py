"""Build the documentation as a site: ``docs/site.py [FOLDER]``; nothing is fetched.

The sources are copied into ``FOLDER/src`` as they lie in the repository, so that the links between
documentation, module, examples and changelog hold in both. The contents follow ``docs/README.md``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SOURCES = (
    "*.md",
    "bench/*.md",
    "docs/**/*.md",
    "examples/**/*.md",
    "terraform/modules/octo/**/*.md",
)
EXTENSIONS: list[Any] = [
    "admonition",
    "attr_list",
    "md_in_html",
    "tables",
    {"toc": {"permalink": True}},
    "pymdownx.superfences",
    "pymdownx.highlight",
]
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")  # within the repository


def build(folder: Path) -> Path:
    """Build the site in a folder, which is emptied first; return its first page.

    A warning is an error.

    Raises:
        subprocess.CalledProcessError: a link leads nowhere, or the site cannot be built.
    """
    shutil.rmtree(folder, ignore_errors=True)
    pages = [p for pattern in SOURCES for p in ROOT.glob(pattern) if ".terraform" not in p.parts]
    for page in pages:
        _copy(page, folder / "src")
    config = folder / "mkdocs.yml"
    config.write_text(yaml.safe_dump(settings(), sort_keys=False))
    program = Path(sys.executable).parent / "zensical"
    command = [str(program), "build", "--clean", "--strict", "--config-file", str(config)]
    subprocess.run(command, cwd=folder, check=True)
    for page in pages:
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            file = (page.parent / link).resolve()
            if file.is_file() and file.is_relative_to(ROOT) and file.suffix != ".md":
                _copy(file, folder / "html")
    return folder / "html/index.html"


def _copy(file: Path, folder: Path) -> None:
    target = folder / file.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def settings() -> dict[str, Any]:
    """Return the site's settings, in the form of mkdocs.yml."""
    return {
        "site_name": "octo-tf",
        "site_description": "Register AWS accounts with Octo, by Terraform, and prove it.",
        "docs_dir": "src",
        "site_dir": "html",
        "use_directory_urls": False,
        "nav": contents((ROOT / "docs/README.md").read_text()),
        "theme": {
            "name": "material",
            "font": False,
            "features": ["navigation.indexes", "navigation.sections", "search.highlight"],
            "palette": [
                {
                    "media": f"(prefers-color-scheme: {scheme})",
                    "scheme": name,
                    "toggle": {"icon": f"lucide/{icon}", "name": f"Switch to {other}"},
                }
                for scheme, name, icon, other in (
                    ("light", "default", "sun", "dark"),
                    ("dark", "slate", "moon", "light"),
                )
            ],
        },
        "plugins": ["search"],
        "markdown_extensions": EXTENSIONS,
    }


def contents(index: str) -> list[dict[str, Any]]:
    """Read the contents from the index page: a section for each ``##``, a page for each link."""
    nav: list[dict[str, Any]] = [{"octo-tf": "README.md"}, {"Documentation": "docs/README.md"}]
    for section in index.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        pages: list[dict[str, Any]] = [
            {name: re.sub(r"^docs/\.\./", "", f"docs/{link}")}
            for name, link in re.findall(r"^- \[([^\]]+)\]\(([^)#]+)\)", body, re.MULTILINE)
        ]
        if title == "Explanation":
            records = sorted((ROOT / "docs/decisions").glob("0*.md"))
            pages.append({"Every decision": [f"docs/decisions/{r.name}" for r in records]})
        if title == "Reference":
            parts = sorted((ROOT / "terraform/modules/octo/modules").glob("*/README.md"))
            pages.append({"Submodules": [part.relative_to(ROOT).as_posix() for part in parts]})
        nav.append({title: pages})
    project = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"]
    project.append("terraform/modules/octo/CHANGELOG.md")
    return [*nav, {"Project": project}]


if __name__ == "__main__":
    print(build(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "site"))
