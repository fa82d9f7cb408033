"""How octo-tf grows with the organization, against a sequential boto3 loop.

    make bench-scale      # 1,000, 3,000 and 10,000 linked accounts; prints the table
    .venv/bin/python bench/scale.py 1000 --latency 20 100      # an AWS that is farther away, too

For each size, on a sandbox of its own: a payer is registered, then upgraded to StackSet (timed),
then verified with latency added to every call (timed; peak memory). The loop asks the same of AWS,
one call after the other: it is timed on some accounts and multiplied by their number.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from run import octo_tf, project, sandbox

from orchestrator.aws.organizations import account_state
from orchestrator.model.module_contract import octo_names
from orchestrator.sandbox import control

SAMPLE = 100  # accounts that the loop really goes through
EXTERNAL_ID = "bench-external-id"


def loop(linked: int, environ: dict[str, str]) -> float:
    """Seconds that one call after the other would take for the same questions."""
    before = dict(os.environ)
    os.environ.update(environ)
    payer, octo = boto3.Session(profile_name="payer"), boto3.Session(profile_name="octo")
    started = time.perf_counter()
    pages = payer.client("organizations").get_paginator("list_accounts").paginate()
    listed_accounts = [account for page in pages for account in page["Accounts"]]
    accounts = [a["Id"] for a in listed_accounts if account_state(a) == "ACTIVE"]
    instances = payer.client("cloudformation").get_paginator("list_stack_instances")
    reached = [
        summary["Account"]
        for page in instances.paginate(StackSetName=octo_names.STACKSET)
        for summary in page["Summaries"]
        if summary["Account"] in set(accounts[:SAMPLE]) | {accounts[-1]}
    ]
    listed = time.perf_counter()
    sts = octo.client("sts")
    for account in reached[:SAMPLE]:
        for more in ({"ExternalId": EXTERNAL_ID}, {}, {"ExternalId": "wrong"}):
            arguments: dict[str, Any] = {
                "RoleArn": f"arn:aws:iam::{account}:role/{octo_names.API_ROLE}",
                "RoleSessionName": "bench",
                **more,
            }
            try:
                sts.assume_role(**arguments)
            except ClientError as error:
                if more == {"ExternalId": EXTERNAL_ID}:
                    raise SystemExit(f"{account}: {error}") from error
    os.environ.clear()
    os.environ.update(before)
    each = (time.perf_counter() - listed) / len(reached[:SAMPLE])
    return (listed - started) + each * linked


def measure(linked: int, latencies: list[int]) -> Iterator[str]:
    """Rows of the table, one for each latency (milliseconds)."""
    with (
        tempfile.TemporaryDirectory() as name,
        sandbox(Path(name), "--linked", str(linked)) as environ,
    ):
        folder = project(Path(name) / "project", environ).parents[1]
        octo_tf(folder, environ, "apply", "--yes")
        upgrade, _, _ = octo_tf(folder, environ, "upgrade", "--yes", "--enable-trusted-access")
        for latency in latencies:
            control.clear_faults(environ["AWS_ENDPOINT_URL"])
            control.add_fault(environ["AWS_ENDPOINT_URL"], {"latency": latency / 1000})
            verify, _, memory = octo_tf(folder, environ, "verify")
            sequential = loop(linked, environ)
            yield (
                f"| {linked:,} | {upgrade:.0f} s | {latency} ms | {verify:.1f} s"
                f" | {memory / 1e6:.0f} MB | {sequential:.0f} s | {verify / sequential:.2f} |"
            )


def main() -> None:
    """Measures each size, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 3_000, 10_000])
    parser.add_argument("--latency", type=int, nargs="+", default=[20], help="milliseconds a call")
    arguments = parser.parse_args()
    print("| linked accounts | upgrade | latency | verify | its memory | boto3 loop | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for size in arguments.sizes:
        for row in measure(size, arguments.latency):
            print(row, flush=True)
        print(f"{size} done", file=sys.stderr)


if __name__ == "__main__":
    main()
