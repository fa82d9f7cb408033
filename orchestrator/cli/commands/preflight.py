"""octo-tf preflight: predict what the organization's policies deny, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.reading import show
from orchestrator.cli.results import write_reports
from orchestrator.cli.shared_options import JSON, WITHOUT_EXTERNAL_ID, report_option
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(WITHOUT_EXTERNAL_ID, report_option("preflight"), JSON)
def command(context: AccountContext, as_json: bool, reports: dict[str, Path]) -> ExitCode:
    """Predict what the organization's policies deny, before anything is written.

    Reads the service and resource control policies of a payer's organization, and says which linked
    accounts they would cut off from a StackSet or from Octo, by which statement, and which
    exemption ends that. Nothing is changed, and no StackSet is needed. Exit code 3 means that there
    is a problem: an account is cut off, or apply would be refused.
    """
    from orchestrator import report
    from orchestrator.app.preflight import preflight

    examination = preflight(context)
    write_reports(context, reports, examination=examination)
    show(report.render_preflight(examination, "json" if as_json else "text"))
    return ExitCode.VERIFICATION_FAILED if examination.has_problem else ExitCode.DONE
