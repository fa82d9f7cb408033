"""octo-tf demo: see a registration from plan to proof, on a simulated AWS."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from orchestrator.cli.help import Command


@click.command(cls=Command)
@click.option("--step", is_flag=True, help="Wait for a key before each scene.")
@click.option(
    "--keep",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the projects in FOLDER, and leave the sandbox running.",
)
def command(step: bool, keep: Path | None) -> None:
    """See a registration from plan to proof, on a simulated AWS.

    Real Terraform and the real AWS provider; no AWS account and no credentials are needed. It
    takes two to three minutes.
    """
    from orchestrator.cli.demo.stage import Stage, sandbox
    from orchestrator.cli.demo.story import REPORT, tell

    if step and not sys.stdin.isatty():
        raise click.UsageError("--step waits for a key, and there is no terminal")
    folder = (keep or Path(tempfile.mkdtemp(prefix="octo-tf-demo-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        with sandbox(folder, keep=keep is not None) as environ:
            stage = Stage(folder, environ, step=step)
            tell(stage)
        page = folder / "payer" / REPORT
        if keep is None:  # it outlives the demo
            descriptor, name = tempfile.mkstemp(prefix="octo-tf-demo-", suffix=".html")
            os.close(descriptor)
            page = Path(shutil.copyfile(page, name))
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - started
    stage.scene(f"Done in {seconds:.0f} s")
    if keep is not None:
        program = shutil.which("octo-tf") or Path(sys.argv[0]).absolute()
        click.echo(
            "The sandbox is still running. To play on:\n\n"
            f"  cd {folder / 'payer'}; set -a; . ../sandbox.env; set +a\n"
            f"  {program} verify\n"
            f"  {program} stackset status --all\n"
            f"  kill {environ['OCTO_TF_DEMO_SANDBOX']}   # stops the sandbox\n"
        )
    click.echo(f"The payer's upgrade as a page, with its plan: {page}\n")
    click.echo(
        "With your own account:\n\n"
        "  octo-tf init    # asks for the account id\n"
        "  octo-tf plan    # changes nothing\n"
        "  octo-tf apply   # asks before it changes anything, then proves the result"
    )
