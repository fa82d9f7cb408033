"""The scenes of the demo, in their order."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from orchestrator.app.events import LinkedAccountsProgress
from orchestrator.cli.demo.stage import Ran, Stage, command_line, quote, say
from orchestrator.errors import OctoTfError
from orchestrator.files import read_regular
from orchestrator.model.coverage import State
from orchestrator.model.module_contract import octo_names
from orchestrator.octo.api import OctoApi
from orchestrator.octo.credentials import find

_BY_HAND = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*",'
    ' "Resource": "*"}]}'
)
REPORT = "report.html"  # of the payer's upgrade, in its project
_EVENTS = "events.jsonl"  # of the same run
_PROGRESS = LinkedAccountsProgress.code
_STATES = {"SUCCEEDED": State.CURRENT, "FAILED": State.FAILED}
_RECOMMENDATIONS = ("--feature", "cost", "--feature", "recommendations")
_MARKS = {
    "pass": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "red"),
    "pending": ("…", "yellow"),
}


def tell(stage: Stage) -> None:
    """Tell the whole story.

    Raises:
        OctoTfError: a run did not end as the story goes.
    """
    _organization(stage)
    _plan(stage)
    with ThreadPoolExecutor() as pool:
        _apply(stage, pool)
        _upgrade(stage, pool)
    _octo(stage)
    _leave(stage)


def _organization(stage: Stage) -> None:
    stage.scene("An organization")
    say(
        """AWS and Octo are simulated on this machine; the rest is real: Terraform, the AWS
        provider, octo-tf. Here is a payer's organization, which Octo does not know."""
    )
    click.echo()
    _draw(stage, {})
    click.echo(f"{stage.account('standalone')} standalone, in no organization")


def _plan(stage: Stage) -> None:
    stage.scene("A plan")
    for profile in ("payer", "linked-1", "standalone"):
        (stage.folder / profile).mkdir()
        chosen = _RECOMMENDATIONS if profile == "linked-1" else ()
        stage.run(
            profile,
            *("init", "--non-interactive", "--aws-profile", profile),
            *("--account-id", stage.account(profile), "--account-name", f"Demo {profile}", *chosen),
        )
    say(
        """`octo-tf init` wrote an octo.yaml for the payer: an account id, a name, a profile. A
        plan says what would be done and what it means: what Octo may do then, by role. It
        changes nothing. Some of what a reviewer reads:"""
    )
    command_line("octo-tf plan")
    _meaning(stage.run("payer", "plan").stdout, octo_names.CUR_ROLE, "Deliveries")


def _apply(stage: Stage, pool: ThreadPoolExecutor) -> None:
    stage.scene("Apply")
    say(
        """The payer first, since Octo wants to know it before its linked accounts; then a linked
        and a standalone account, side by side. Each run makes sure whose credentials it has,
        applies exactly the plan that it has shown, and proves the result."""
    )
    command_line("octo-tf apply")
    _start_instance(stage)
    runs = {"payer": _start(stage, pool, "payer")}
    _until_registered(stage, runs["payer"])
    runs["standalone"] = _start(stage, pool, "standalone")
    runs["linked-1"] = _start(stage, pool, "linked-1")
    say(
        """A new bucket takes a minute, because the AWS provider waits for its lifecycle rule. The
        linked account is done earlier. Meanwhile:"""
    )
    _result("linked-1", runs.pop("linked-1").result())
    _by_hand(stage)
    stage.scene("Proof")
    say("The accounts with a bucket are done too, proved, and confirmed by Octo.")
    click.echo()
    for profile, run in runs.items():
        _result(profile, run.result())
    click.echo()
    say(
        """Proved means tried. Octo's own account has assumed the role with the right external id,
        and was refused without one and with a wrong one:"""
    )
    report = runs["payer"].result().report
    for check in ("api_access.assume", "cur_s3.role", "cur_s3.delivery"):
        _check(report, check)


def _start_instance(stage: Stage) -> None:
    """Start an instance in linked-1, which has nothing to do."""
    from orchestrator.aws.session import connect

    with stage.in_environment():
        aws: Any = connect(region="us-east-1", profile="linked-1")
        idle = {"ImageId": "ami-12c6146b", "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1}
        aws.client("ec2").run_instances(**idle)


def _by_hand(stage: Stage) -> None:
    from orchestrator.aws.session import connect

    stage.scene("Somebody changes something by hand")
    say("In AWS, behind Terraform's back, the role in linked-1 gets one policy more: s3:* on *.")
    with stage.in_environment():
        connect(region="us-east-1", profile="linked-1").client("iam").put_role_policy(
            RoleName=octo_names.API_ROLE,
            PolicyName="added-by-hand",
            PolicyDocument=_BY_HAND,
        )
    command_line("octo-tf verify")
    _check(stage.run("linked-1", "verify", "--json", accepted=(3,)).report, "api_access.policies")
    command_line("octo-tf plan")
    _meaning(stage.run("linked-1", "plan").stdout, "Changed outside")
    command_line("octo-tf apply")
    repaired = stage.run("linked-1", "apply", "--yes", "--json")
    _check(repaired.report, "api_access.policies")


def _upgrade(stage: Stage, pool: ThreadPoolExecutor) -> None:
    stage.scene("Upgrade in place")
    say(
        """Now every other linked account, by one StackSet of the payer. Nothing is deleted or
        registered again. First octo-tf checks whether it can succeed:"""
    )
    upgrade = ("upgrade", "--yes", "--enable-trusted-access")
    command_line("octo-tf upgrade --enable-trusted-access")
    quote(_sentence(stage.run("payer", *upgrade, accepted=(5,)).stderr, "Error: "))
    say("linked-1 was registered on its own: it keeps its role, and is excluded.")
    excluded = ("--stackset-excluded-account", stage.account("linked-1"))
    command_line("octo-tf upgrade --enable-trusted-access", *excluded)
    written = ("--json", "--report", f"html={REPORT}", "--events", f"jsonl={_EVENTS}")
    run = pool.submit(stage.run, "payer", *upgrade, *excluded, *written)
    _watch(stage, run, stage.folder / "payer" / _EVENTS)
    upgraded = run.result()
    kept = _sentence(upgraded.stderr, "Kept as it was").partition(", check ")[0]
    quote(f"{kept}, and every check that passed.")
    _result("payer", upgraded)
    click.echo()
    listed = stage.run("payer", "stackset", "status", "--all", "--json").report["accounts"]
    _draw(stage, {account: State(seen["state"]) for account, seen in listed.items()})


def _watch(stage: Stage, run: Future[Ran], events: Path) -> None:
    """Draw the organization again with each account that is deployed to, on a terminal."""
    if not sys.stdout.isatty():
        return
    from orchestrator.ui.redrawing import redrawing

    say("The tree fills up:")
    with redrawing() as draw:
        while not run.done():
            draw(_tree(stage, _deployed(events)))
            time.sleep(0.5)


def _deployed(events: Path) -> dict[str, State]:
    """Read from a run's events how far each linked account is; empty before any is."""
    lines = read_regular(events).splitlines() if events.exists() else []
    progress = [event for line in lines if (event := json.loads(line))["event"] == _PROGRESS]
    accounts = progress[-1]["accounts"] if progress else {}
    return {
        account: _STATES.get(seen["status"], State.RUNNING) for account, seen in accounts.items()
    }


def _octo(stage: Stage) -> None:
    stage.scene("What Octo knows")
    command_line("octo-tf accounts")
    for known in stage.run("payer", "accounts", "--json").report["accounts"]:
        areas = ", ".join(octo_names.Area(area).label for area in known["areas"])
        line = f"{known['account_id']}  {known['account_type']:8}{known['state']:14}{areas}"
        click.echo(line.rstrip())
    say("linked-1 has the feature recommendations. By its role, Octo now recommends:")
    credentials = find(stage.environ)
    if credentials is None:
        raise OctoTfError("the sandbox has no credentials of Octo's API")
    octo = OctoApi(stage.environ["OCTO_TF_OCTO_ENDPOINT"], credentials)
    for one in octo.recommendations(stage.account("linked-1")):
        saves = f"which saves {one.estimated_monthly_savings:.2f} USD a month."
        say(f"{one.name} {one.resource_id}, {saves}", mark="✓ ", color="green")


def _leave(stage: Stage) -> None:
    stage.scene("Leaving")
    say("The standalone account leaves. Its bucket stays, with the billing data in it.")
    command_line("octo-tf destroy")
    confirmed = ("--yes", "--confirm-account", stage.account("standalone"))
    left = stage.run("standalone", "destroy", *confirmed).stderr
    quote(_sentence(left, "Plan: "))
    quote("\n".join(left[left.rindex("Account ") :].splitlines()[:3]))


def _start(stage: Stage, pool: ThreadPoolExecutor, profile: str) -> Future[Ran]:
    return pool.submit(stage.run, profile, "apply", "--yes", "--json", "--wait", "60s")


def _until_registered(stage: Stage, run: Future[Ran]) -> None:
    """Wait until Octo knows the payer, or its run has ended."""
    payer = stage.account("payer")
    while not run.done():
        known = stage.run("payer", "accounts", "--json").report["accounts"]
        if any(a["account_id"] == payer and a["state"] != "unregistered" for a in known):
            return
        time.sleep(0.5)


def _draw(stage: Stage, states: dict[str, State]) -> None:
    click.echo(_tree(stage, states))


def _tree(stage: Stage, states: dict[str, State]) -> str:
    from orchestrator.aws import organizations
    from orchestrator.aws.session import connect
    from orchestrator.report.organization import as_tree

    with stage.in_environment():
        aws = connect(region="us-east-1", profile="payer")
        organization = organizations.read(aws)
    return as_tree(organization, states=states, color=True)


def _result(profile: str, ran: Ran) -> None:
    """Print one line for a verified account: its areas, and what Octo has confirmed."""
    report = ran.report
    areas = "  ".join(
        click.style(f"{_MARKS[status][0]} {octo_names.Area(area).label}", fg=_MARKS[status][1])
        for area, status in report["areas"].items()
        if status in _MARKS
    )
    says = [said["state"] == "confirmed" for said in report["octo"].values()]
    confirms = "all" if all(says) else f"{sum(says)} of {len(says)}"
    click.echo(f"{profile:11} {areas}  Octo confirms {confirms}")


def _check(report: dict[str, Any], name: str) -> None:
    """Print one check of a report."""
    for check in report["checks"]:
        if check["id"] == name:
            mark, color = _MARKS.get(check["status"], ("-", "white"))
            say(check["summary"], mark=f"{mark} ", color=color)


def _meaning(planned: str, *titles: str) -> None:
    """Print those sections of a plan that say what it means to a reviewer, and its totals."""
    is_shown = False
    for line in planned.rstrip().splitlines():
        if not line.startswith(" "):
            is_shown = line.startswith((*titles, "Plan: "))
        if is_shown:
            quote(line)


def _sentence(text: str, beginning: str) -> str:
    """Return the line of a text that begins so."""
    return next((line for line in text.splitlines() if line.startswith(beginning)), "")
