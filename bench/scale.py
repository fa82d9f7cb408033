"""How octo-tf grows with the organization, against plain boto3 that makes one call after the other.

    make bench-scale                                                   # every row, in hours
    .venv/bin/python bench/scale.py 3000 --latency 100 --only verify   # one of them

For each size a sandbox of its own, in which every call takes the latency longer. A payer that was
applied is examined, planned and upgraded to StackSet, verified, and registered with Octo together
with its linked accounts. The loop asks the same of AWS and Octo; what it asks for each account is
timed on some of them, and multiplied. Terraform's own time counts in no ratio.
"""

from __future__ import annotations

import argparse
import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from run import OCTO_TF, project, sandbox, watch_memory

from orchestrator.aws import cloudformation, organizations
from orchestrator.aws.session import connect
from orchestrator.model.module_contract.octo_names import API_ROLE, STACKSET
from orchestrator.octo import credentials
from orchestrator.octo.api import OctoApi
from orchestrator.sandbox import control

SAMPLE = 100  # accounts that the loop really goes through
EXTERNAL_ID = "bench-external-id"
MEMBER_ROLE = "OrganizationAccountAccessRole"
UPGRADE = ("--use-stackset", "--enable-trusted-access")
# The rows: a command, and what the loop asks in its place.
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "reading the organization": ((), ("organization",)),
    "preflight": (("preflight",), ("organization", "entering")),
    "plan": (("plan", *UPGRADE), ("organization", "entering")),
    "upgrade": (
        ("upgrade", "--yes", "--enable-trusted-access"),
        ("organization", "entering", "organization", "instances"),
    ),
    "reading the stack instances": ((), ("instances",)),
    "stackset status": (("stackset", "status"), ("organization", "instances")),
    "verify": (("verify",), ("organization", "instances")),
    "verify as Octo, too": (("verify",), ("organization", "instances", "assuming")),
    "apply, nothing to change": (("apply", "--yes"), ("organization", "instances")),
    "registering with Octo": (
        ("apply", "--yes"),
        ("organization", "instances", "registering"),
    ),
    "accounts": (("accounts",), ("organization", "listing")),
}
BEFORE = ("reading the organization", "preflight", "plan")  # before the upgrade
OCTO = ("registering with Octo", "accounts")  # the rows in which Octo's API is called
HEAD = (
    *("linked accounts", "a call", "what", "calls", "octo-tf", "of which Terraform"),
    *("its memory", "boto3 loop", "ratio"),
)
_TERRAFORM = re.compile(r"(?:Preparing Terraform|Planning[\w ]*|Applying): ([\d.]+) s")


@dataclass(frozen=True)
class Measured:
    """Of one run: seconds, those of Terraform, calls to AWS and Octo, its own memory in bytes."""

    seconds: float
    terraform: float
    calls: int
    memory: int


class Loop:
    """Calls one after the other; each method returns the seconds for all accounts."""

    def __init__(self, linked: int) -> None:
        self._linked = linked
        self._payer = boto3.Session(profile_name="payer")
        self._accounts: list[str] = []

    def organization(self) -> float:
        """Read the tree of OUs, and the accounts of each."""
        client = self._payer.client("organizations")
        started = time.perf_counter()
        client.describe_organization()
        parents, found = [client.list_roots()["Roots"][0]["Id"]], []
        for parent in parents:
            below = client.get_paginator("list_organizational_units_for_parent")
            for units in below.paginate(ParentId=parent):
                parents += [unit["Id"] for unit in units["OrganizationalUnits"]]
            for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent):
                found += page["Accounts"]
        seconds = time.perf_counter() - started
        own = os.environ["OCTO_SANDBOX_PAYER"]
        active = (a["Id"] for a in found if organizations.account_state(a) == "ACTIVE")
        self._accounts = [account for account in active if account != own]
        return seconds

    def instances(self) -> float:
        """Read the StackSet and its stack instances."""
        client = self._payer.client("cloudformation")
        started = time.perf_counter()
        client.describe_stack_set(StackSetName=STACKSET)
        for _ in client.get_paginator("list_stack_instances").paginate(StackSetName=STACKSET):
            pass
        return time.perf_counter() - started

    def entering(self) -> float:
        """Enter each account as the payer, and ask for Octo's role."""
        sts = self._payer.client("sts")

        def enter(account: str) -> None:
            role = f"arn:aws:iam::{account}:role/{MEMBER_ROLE}"
            given = sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
            keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
            client = self._payer.client("iam", None, None, True, None, None, *keys)
            with suppress(client.exceptions.NoSuchEntityException):
                client.get_role(RoleName=API_ROLE)

        return self._each(enter)

    def assuming(self) -> float:
        """Assume Octo's role in each account with the right external id, none, and a wrong one."""
        sts = boto3.Session(profile_name="octo").client("sts")

        def assume(account: str) -> None:
            role = f"arn:aws:iam::{account}:role/{API_ROLE}"
            given: dict[str, Any]
            for given in ({"ExternalId": EXTERNAL_ID}, {}, {"ExternalId": "wrong"}):
                try:
                    sts.assume_role(RoleArn=role, RoleSessionName="bench", **given)
                except ClientError as error:
                    if given == {"ExternalId": EXTERNAL_ID}:
                        raise SystemExit(f"{account}: {error}") from error

        return self._each(assume)

    def registering(self) -> float:
        """Make one call of Octo's API for each account."""
        return self._each(octo().status)

    def listing(self) -> float:
        """List the accounts that Octo knows."""
        started = time.perf_counter()
        list(octo().status_of_all())
        return time.perf_counter() - started

    def _each(self, call: Callable[[str], object]) -> float:
        if not self._accounts:
            self.organization()
        sample = self._accounts[:SAMPLE]
        started = time.perf_counter()
        for account in sample:
            call(account)
        return (time.perf_counter() - started) / len(sample) * self._linked


def octo() -> OctoApi:
    """Connect to the sandbox's Octo."""
    found = credentials.find(os.environ)
    assert found is not None
    return OctoApi(os.environ["OCTO_TF_OCTO_ENDPOINT"], found)


def octo_tf(folder: Path, words: Collection[str], **variables: str) -> Measured:
    """Run octo-tf without credentials of Octo's own account, unless ``variables`` name them."""
    environ = {**os.environ, "OCTO_TF_PRINCIPAL_PROFILE": "", **variables}
    started, before = time.perf_counter(), calls()
    process = subprocess.Popen(
        [*OCTO_TF, *words],
        cwd=folder,
        env={name: value for name, value in environ.items() if value},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = [0]
    watcher = threading.Thread(target=watch_memory, args=(process, peak))
    watcher.start()
    _, said = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode not in (0, 4):
        raise SystemExit(f"octo-tf {' '.join(words)} ended with {process.returncode}:\n{said}")
    terraform = sum(map(float, _TERRAFORM.findall(said)))
    return Measured(seconds, terraform, calls() - before, peak[0])


def read(what: Callable[[], object]) -> Measured:
    """Run a reader of octo-tf in this process."""
    started, before = time.perf_counter(), calls()
    what()
    return Measured(time.perf_counter() - started, 0.0, calls() - before, 0)


def calls() -> int:
    """Count the calls that took longer so far."""
    return sum(fault["happened"] for fault in control.faults(os.environ["AWS_ENDPOINT_URL"]))


def measure(folder: Path, what: str) -> Measured:
    """Measure what a row is about."""
    if what == "reading the organization":
        return read(lambda: organizations.read(connect(region="us-east-1", profile="payer")))
    if what == "reading the stack instances":
        payer = connect(region="us-east-1", profile="payer")
        return read(lambda: cloudformation.read_stack_set(payer, STACKSET))
    variables = {"OCTO_TF_OCTO": "true"} if what in OCTO else {}
    if what == "verify as Octo, too":
        variables["OCTO_TF_PRINCIPAL_PROFILE"] = "octo"
    return octo_tf(folder, ROWS[what][0], **variables)


def leave_few_profiles(environ: dict[str, str]) -> dict[str, str]:
    """Take the linked accounts' profiles and variables away: a payer's machine has none of them.

    Ten thousand profiles take every process that reads them 60 MB.
    """
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        file = configparser.ConfigParser(interpolation=None)
        file.read(environ[variable])
        for section in file.sections():
            if section.removeprefix("profile ") not in ("payer", "octo"):
                file.remove_section(section)
        with Path(environ[variable]).open("w", encoding="utf-8") as rewritten:
            file.write(rewritten)
    return {n: v for n, v in environ.items() if not n.startswith("OCTO_SANDBOX_LINKED_")}


class Payer:
    """A payer on a sandbox, and the folder from which it is registered."""

    def __init__(self, place: Path, linked: int) -> None:
        self._place, self._linked = place, linked
        self._url = os.environ["AWS_ENDPOINT_URL"]
        control.change_external_id(self._url, EXTERNAL_ID)
        self._folder = project(place / "project", {**os.environ}).parents[1]
        octo_tf(self._folder, ["apply", "--yes"])
        self.found: dict[tuple[int, str], Measured] = {}
        self.loop: dict[tuple[int, str], float] = {}

    def keep(self, name: str) -> None:
        """Keep all as it is now, under a name."""
        control.clear_faults(self._url)
        control.snapshot(self._url, name)
        shutil.copytree(self._folder, self._place / name, symlinks=True)

    def go_back(self, name: str) -> None:
        """Go back to what was kept."""
        control.restore(self._url, name)
        shutil.rmtree(self._folder)
        shutil.copytree(self._place / name, self._folder, symlinks=True)

    def measure(self, latency: int, rows: Collection[str]) -> None:
        """Measure rows in their order, with a latency in milliseconds."""
        for what in rows:
            self._set_latency(latency, with_octo=what in OCTO)
            self.found[latency, what] = found = measure(self._folder, what)
            print(f"{self._linked} accounts, {latency} ms: {what}: {found}", file=sys.stderr)

    def time_loop(self, latency: int, parts: Collection[str]) -> None:
        """Time parts of the loop, with a latency in milliseconds."""
        self._set_latency(latency, with_octo=False)
        for part in parts:
            self.loop[latency, part] = seconds = getattr(Loop(self._linked), part)()
            print(f"{self._linked} accounts, {latency} ms: loop {part}: {seconds}", file=sys.stderr)

    def _set_latency(self, milliseconds: int, *, with_octo: bool) -> None:
        """Make every call take longer; not those by which Octo itself tries its access."""
        control.clear_faults(self._url)
        own = {"account": os.environ["OCTO_SANDBOX_PAYER"]}
        scopes = [{"service": "octo"}, {"service": "[!o]*", **own}, {"service": "o[!c]*", **own}]
        for scope in (scopes if with_octo else [{}]) if milliseconds else []:
            control.add_fault(self._url, {**scope, "latency": milliseconds / 1000})


def rows(linked: int, latencies: list[int], only: Collection[str]) -> Iterator[str]:
    """Yield the table's rows for one size."""
    wanted = [row for row in ROWS if row in only]
    after = [row for row in wanted if row not in (*BEFORE, "upgrade")]
    parts = {part for row in wanted for part in ROWS[row][1]}
    early = parts & {"organization", "entering"}
    with (
        tempfile.TemporaryDirectory() as name,
        sandbox(Path(name), "--linked", str(linked)) as environ,
    ):
        os.environ.update({**leave_few_profiles(environ), "XDG_CACHE_HOME": name})
        payer = Payer(Path(name), linked)
        for latency in latencies:
            payer.measure(latency, [row for row in wanted if row in BEFORE])
            payer.time_loop(latency, early)
        payer.keep("applied")
        for latency in latencies if "upgrade" in only else [0]:
            payer.go_back("applied")
            payer.measure(latency, ["upgrade"])
        payer.keep("upgraded")
        for latency in latencies:
            payer.measure(latency, after)
            payer.time_loop(latency, parts - early)
            payer.go_back("upgraded")
        for latency, what in ((latency, what) for latency in latencies for what in wanted):
            loop = sum(payer.loop[latency, part] for part in ROWS[what][1])
            yield line(linked, latency, what, payer.found[latency, what], loop)


def line(linked: int, latency: int, what: str, run: Measured, loop: float) -> str:
    """Write a row of the table."""
    cells = (
        *(f"{linked:,}", f"{latency} ms", what, f"{run.calls:,}", f"{run.seconds:.1f} s"),
        f"{run.terraform:.0f} s" if run.terraform else "",
        f"{run.memory / 1e6:.0f} MB" if run.memory else "",
        *(f"{loop:.1f} s", f"{(run.seconds - run.terraform) / loop:.2f}"),
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure each size, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 3_000, 10_000])
    parser.add_argument("--latency", type=int, nargs="+", default=[20, 100], help="milliseconds")
    parser.add_argument("--only", nargs="+", default=[*ROWS], choices=[*ROWS], help="some rows")
    arguments = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for size in arguments.sizes:
        for row in rows(size, arguments.latency, arguments.only):
            print(row, flush=True)


if __name__ == "__main__":
    main()
