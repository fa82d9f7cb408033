"""octo-tf verify: what AWS has, area by area."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import JSON, REPORT, WAIT, run_options, write_reports
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.run import Run


@click.command()
@run_options
@WAIT
@REPORT
@JSON
def command(run: Run, as_json: bool, reports: dict[str, Path]) -> ExitCode:
    """Prove the registration: API access, CUR and S3, StackSet."""
    from orchestrator import pipeline, report

    with run.locked():
        result = pipeline.verify(run)
    write_reports(reports, result)
    click.echo(
        report.render_verification(result, "json" if as_json else "table", color=run.progress.color)
    )
    return result.exit_code
