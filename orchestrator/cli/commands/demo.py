"""octo-tf demo: register three accounts on the sandbox, then every linked account of the payer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.help import Command
from orchestrator.errors import ExitCode, OctoTfError
from orchestrator.model import resource_names

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi

_START_SECONDS = 30.0
_ACCOUNTS = {
    "payer": "the management account: API access, and the Cost and Usage Report with its bucket",
    "linked-1": "a member account: API access only, its payer has the billing data",
    "standalone": "in no organization: it pays for itself, so it has a report of its own",
}


@click.command(cls=Command)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep octo.yaml, the rendered roots and their state in this folder.",
)
def command(keep: Path | None) -> ExitCode:
    """Register three accounts on the sandbox, then every linked account of the payer."""
    folder = keep or Path(tempfile.mkdtemp(prefix="octo-tf-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    from orchestrator.cli import watch

    try:
        with _sandbox(folder) as environ, watch.told(_octo(environ), _names(environ)):
            worst = _register_all(folder, environ)
            _break_and_mend(folder, environ)
            _upgrade(folder, environ)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    _say(
        f"""
        Done in {time.monotonic() - started:.0f} s. All of it was real Terraform with the real AWS
        provider; only AWS itself was played by the sandbox. With your own account:

            octo-tf init      # asks for the account id, and the external id that Octo shows
            octo-tf plan      # changes nothing
            octo-tf apply     # asks before it changes anything, then proves the result
        """
    )
    return worst


def _register_all(folder: Path, environ: dict[str, str]) -> ExitCode:
    from orchestrator.cli import watch

    _say("Three accounts are to be registered with Octo:")
    for profile, what in _ACCOUNTS.items():
        _say(f"  {profile:11} {what}")
        (folder / profile).mkdir()
        _run(
            folder / profile,
            environ,
            *("init", "--non-interactive", "--aws-profile", profile),
            *("--account-id", environ[_variable(profile)], "--account-name", f"Demo {profile}"),
        )
    _say("\n`octo-tf init` has written an octo.yaml for each. The payer's:\n")
    _say(_indented((folder / "payer" / "octo.yaml").read_text()))
    _say(
        """
        No external id is in it: there are credentials for Octo's API (here the sandbox's Octo), so
        each run takes it from there, tells Octo of the account first, and has Octo confirm every
        area that passes: Octo itself assumes the role and reads the report.
        """
    )
    _say(
        """
        Now `octo-tf apply` for all three, side by side. Each makes sure whose credentials it has,
        finds out the account's type, renders the Terraform root, plans, lets the guard judge the
        plan, applies exactly that plan, and then proves every area. The payer's bucket takes a
        minute: the AWS provider waits that long for a lifecycle rule.
        """
    )
    with ThreadPoolExecutor() as pool:
        running = {}
        for profile in _ACCOUNTS:
            running[profile] = pool.submit(_apply, folder, environ, profile)
            if profile == "payer":  # Octo wants it before its linked accounts
                watch.until_registered(_octo(environ), environ[_variable(profile)], _START_SECONDS)
        results = {profile: apply.result() for profile, apply in running.items()}
    for profile, result in results.items():
        _say(f"\n{profile}: exit code {result.returncode}\n")
        click.echo(result.stdout)
    return ExitCode(max(result.returncode for result in results.values()))


def _break_and_mend(folder: Path, environ: dict[str, str]) -> None:
    from orchestrator.aws.session import connect

    _say(
        """
        What if somebody changes something by hand? Here a second policy is put on the linked
        account's role, in AWS, behind Terraform's back. `octo-tf verify` says:
        """
    )
    with _environment(environ):
        connect(region="us-east-1", profile="linked-1").client("iam").put_role_policy(
            RoleName=resource_names.API_ROLE,
            PolicyName="put-there-by-hand",
            PolicyDocument='{"Version": "2012-10-17", "Statement": '
            '[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}',
        )
    click.echo(_run(folder / "linked-1", environ, "verify", accepted={3}).stdout)
    _say("`octo-tf apply` repairs it: the role may hold exactly what the module gives it.\n")
    repaired = _apply(folder, environ, "linked-1")
    click.echo(repaired.stdout)
    if repaired.returncode != 0:
        raise OctoTfError("the linked account was not repaired", where="linked-1")


def _upgrade(folder: Path, environ: dict[str, str]) -> None:
    linked = environ[_variable("linked-1")]
    _say(
        """
        Now the payer's other linked accounts, all at once and in place: `octo-tf upgrade` has
        CloudFormation make the role in each of them. First it looks whether that can go well:
        """
    )
    payer = folder / "payer"
    refused = _run(payer, environ, "upgrade", "--yes", "--enable-trusted-access", accepted={5})
    _say(_indented(refused.stderr.strip()))
    _say(
        """
        linked-1 was registered on its own above: it keeps its role, and is left out. The plan adds
        two resources, changes none and destroys none; what is there is compared before and after.
        """
    )
    with (payer / "octo.yaml").open("a") as octo_yaml:
        octo_yaml.write(f"# Registered on its own.\nstackset_excluded_accounts: ['{linked}']\n")
    upgraded = _run(
        payer,
        environ,
        *("upgrade", "--yes", "--verbose", "--enable-trusted-access"),
        accepted={0, 3, 4},
        progress_of=f"{'payer':11}",
    )
    click.echo(upgraded.stdout)
    if upgraded.returncode != 0:
        raise OctoTfError("the payer was not upgraded", where="payer")
    _say("Every linked account, by `octo-tf stackset status --all`:\n")
    click.echo(_run(payer, environ, "stackset", "status", "--all").stdout)
    _say("And what Octo knows, by `octo-tf accounts`:\n")
    click.echo(_run(payer, environ, "accounts").stdout)


def _apply(folder: Path, environ: dict[str, str], profile: str) -> subprocess.CompletedProcess[str]:
    arguments = ("apply", "--yes", "--verbose", "--wait", "60s")
    return _run(
        folder / profile, environ, *arguments, accepted={0, 3, 4}, progress_of=f"{profile:11}"
    )


def _run(
    folder: Path,
    environ: dict[str, str],
    *arguments: str,
    accepted: set[int] | None = None,
    progress_of: str = "",
) -> subprocess.CompletedProcess[str]:
    """octo-tf itself, as a user would run it; its progress is passed on as it comes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=folder,
        env={**os.environ, **environ, "COLUMNS": "110"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors: list[str] = []

    def pass_on() -> None:
        for line in process.stderr or ():
            errors.append(line)
            if progress_of:
                click.echo(f"  {progress_of} {line.rstrip()}", err=True)

    reader = threading.Thread(target=pass_on, daemon=True)
    reader.start()
    output = process.stdout.read() if process.stdout else ""
    process.wait()
    reader.join()
    if process.returncode not in (accepted or {0}):
        raise OctoTfError(
            f"octo-tf {arguments[0]} ended with exit code {process.returncode}:\n"
            + "".join(errors),
            where=folder.name,
        )
    return subprocess.CompletedProcess(arguments, process.returncode, output, "".join(errors))


@contextmanager
def _sandbox(folder: Path) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own; gives the environment that leads to it."""
    from orchestrator.sandbox import read_env_file

    env_file = folder / "sandbox.env"
    _say("Starting the sandbox: an AWS on this machine, with an organization and Octo's account.")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "orchestrator", "sandbox", "up"),
            *("--stop-with-parent", "--env-file", str(env_file)),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not env_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise OctoTfError(
                    "the sandbox did not start",
                    hint="Run `octo-tf sandbox up` to see why.",
                )
            time.sleep(0.05)
        # Octo's tokens are kept with the rest of the demo, not in the user's own cache.
        yield {**read_env_file(env_file), "XDG_CACHE_HOME": str(folder / "cache")}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)


@contextmanager
def _environment(environ: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _octo(environ: dict[str, str]) -> OctoApi:
    """The sandbox's Octo, as the demo itself looks at it."""
    from orchestrator.octo.api import OctoApi
    from orchestrator.octo.credentials import find

    credentials = find(environ)
    if credentials is None:
        raise OctoTfError("the sandbox names no Octo")
    folder = Path(environ["XDG_CACHE_HOME"])
    return OctoApi(environ["OCTO_TF_OCTO_ENDPOINT"], credentials, token_folder=folder)


def _names(environ: dict[str, str]) -> dict[str, str]:
    """Profiles by account id."""
    profiles = (*_ACCOUNTS, "linked-2", "linked-3")
    return {environ[_variable(profile)]: profile for profile in profiles}


def _variable(profile: str) -> str:
    """The env file's variable with a profile's account id: ``linked-1`` → OCTO_SANDBOX_LINKED_1."""
    return "OCTO_SANDBOX_" + profile.upper().replace("-", "_")


def _say(text: str) -> None:
    lines = text.strip("\n").splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    keep = 0 if len(lines) == 1 else margin
    click.echo(
        "\n".join(line[keep:] for line in lines) + ("\n" if len(lines) > 1 else ""), err=True
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
