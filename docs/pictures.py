"""Take the pictures of the documentation: of a real run against the sandbox, in a real browser.

Needs Terraform, the sandbox's packages and a Chromium (tests/web/chromium.py finds one).
"""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
STYLE = "<style>pre {display: inline-block; padding: 1em; background: #0c0c0c}</style>"
COLUMNS, LINES = 80, 60  # of the picture of a terminal
OCTO_TF = [sys.executable, "-m", "orchestrator"]
sys.path.insert(0, str(ROOT))


def report(folder: Path) -> Path:
    """Register a payer with its linked accounts on the sandbox; return the report of verify."""
    environment = folder / "sandbox.env"
    up = [*OCTO_TF, "sandbox", "up", "--linked", "48", "--env-file", str(environment)]
    sandbox = subprocess.Popen(up, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        while not environment.exists():
            time.sleep(0.2)
        environ = {**os.environ, **dict(_variables(environment.read_text()))}
        environ["AWS_PROFILE"] = "payer"
        init = ["init", "--non-interactive", "--account-id", "111111111111"]
        excluded = [
            f"--stackset-excluded-account={environ[f'OCTO_SANDBOX_LINKED_{n}']}" for n in (3, 7, 20)
        ]
        page = folder / "report.html"
        for arguments in (
            [*init, "--account-name", "Acme", "--use-stackset", *excluded],
            ["apply", "--yes", "--enable-trusted-access"],
            ["verify", "--report", f"html={page}"],
        ):
            subprocess.run([*OCTO_TF, *arguments], cwd=folder, env=environ, check=True)
    finally:
        sandbox.send_signal(signal.SIGINT)
        sandbox.wait()
    return page


def demo() -> str:
    """Play the demo in a terminal of 80 columns; return what it shows at its end, as a page."""
    environ = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    shown, code = pexpect.run(
        shlex.join([*OCTO_TF, "demo"]),
        dimensions=(50, COLUMNS),
        timeout=900,
        env=environ,
        withexitstatus=True,
    )
    if code:
        sys.exit(f"The demo failed:\n{shown.decode()}")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    lines = _settled(shown.decode()).splitlines()[:LINES]
    console.print(Text.from_ansi("\n".join(lines)))
    return console.export_html(theme=MONOKAI, inline_styles=True)


def _settled(shown: str) -> str:
    """Return what is on a terminal after its lines were drawn again in their place."""
    lines, row = [""], 0
    for part in re.split(r"(\x1b\[\d*A|\x1b\[\?\d+[hl]|\x1b\[2K|\r|\n)", shown):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.endswith("A") and part.startswith("\x1b["):
            row = max(0, row - int(part[2:-1] or 1))
        elif part != "\r" and not part.startswith("\x1b[?"):
            lines[row] += part
    return "\n".join(lines)


def _variables(text: str) -> list[tuple[str, str]]:
    words = [word for line in text.splitlines() for word in shlex.split(line, comments=True)]
    return [(w.partition("=")[0], w.partition("=")[2]) for w in words if "=" in w]


def main() -> None:
    """Write ``docs/images``."""
    from tests.web import chromium

    program = chromium.find()
    if program is None:
        sys.exit(f"No Chromium: install one, or name it with {chromium.VARIABLE}")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium.launched(program) as browser:
        page = browser.new_page(viewport={"width": 900, "height": 1200}, color_scheme="light")
        page.goto(report(Path(folder)).as_uri())
        page.screenshot(path=IMAGES / "report.png")
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.set_content(STYLE + demo())
        page.locator("pre").screenshot(path=IMAGES / "demo.png")


if __name__ == "__main__":
    main()
