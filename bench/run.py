"""octo-tf against bare Terraform on the same root, in the same run, alternating.

    make bench            # five rounds, a quarter of an hour; prints the table of bench/README.md

Each round has a sandbox of its own. Bare Terraform is what one would type: init, plan -out,
show -json, apply of the plan, output -json. Ratios are of medians; spread is (max - min) / median.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orchestrator
from orchestrator.sandbox import read_env_file
from orchestrator.terraform import binary

OCTO_TF = [sys.executable, "-m", "orchestrator"]


@dataclass
class Times:
    """Seconds of every round, by what was timed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        """One more measurement."""
        self.seconds.setdefault(name, []).append(seconds)

    def median(self, name: str) -> float:
        """The median in seconds."""
        return statistics.median(self.seconds[name])

    def spread(self, name: str) -> float:
        """(max - min) / median."""
        values = self.seconds[name]
        return (max(values) - min(values)) / self.median(name)


@contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """A new sandbox; gives the environment that leads to it."""
    env_file = folder / "sandbox.env"
    process = subprocess.Popen(
        [*OCTO_TF, "sandbox", "up", "--stop-with-parent", "--env-file", str(env_file), *options],
        stderr=subprocess.DEVNULL,
    )
    while not env_file.exists():
        if process.poll() is not None:
            raise SystemExit("the sandbox did not start")
        time.sleep(0.05)
    try:
        # Without Octo's API: bare Terraform does not tell it either.
        yield {**os.environ, **read_env_file(env_file), "OCTO_TF_OCTO": "false"}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def project(folder: Path, environ: dict[str, str]) -> Path:
    """A payer's octo.yaml in a new folder; gives the root folder, rendered."""
    folder.mkdir()
    account = environ["OCTO_SANDBOX_PAYER"]
    identity = ["--account-id", account, "--external-id", "bench-external-id"]
    for words in (["init", "--aws-profile", "payer", *identity], ["render"]):
        subprocess.run([*OCTO_TF, *words], cwd=folder, env=environ, check=True, capture_output=True)
    return folder / ".octo-tf" / account


def bare(root: Path, environ: dict[str, str]) -> dict[str, float]:
    """Seconds that bare Terraform takes, by command."""
    program, mirror, _ = binary.current()
    ours = binary.clean_environment(environ)
    # What one would type has no setting of Go's collector.
    environ = {n: v for n, v in ours.items() if n != "GOGC" or n in environ}
    steps = [
        ["init", "-input=false", *([f"-plugin-dir={mirror}"] if mirror else [])],
        ["plan", "-input=false", "-out=bench.tfplan"],
        ["show", "-json", "bench.tfplan"],
        ["apply", "-input=false", "bench.tfplan"],
        ["output", "-json"],
    ]
    seconds = {}
    for step in steps:
        started = time.perf_counter()
        subprocess.run(
            [*program.command, *step], cwd=root, env=environ, check=True, capture_output=True
        )
        seconds[step[0]] = time.perf_counter() - started
    return seconds


def octo_tf(folder: Path, environ: dict[str, str], *words: str) -> tuple[float, float, int]:
    """Seconds of an octo-tf command, how many of them verified, and its own memory in bytes."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*OCTO_TF, *words, "-v"],
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = [0]
    watcher = threading.Thread(target=watch_memory, args=(process, peak))
    watcher.start()
    last = started
    verified = 0.0
    # A step's line comes when it is done; none comes for a verification beside the plan.
    for line in process.stderr or ():
        now = time.perf_counter()
        if line.startswith("Verifying"):
            verified = now - last
        last = now
    process.wait()
    watcher.join()
    seconds = time.perf_counter() - started
    if process.returncode not in (0, 4):
        raise SystemExit(f"octo-tf {words[0]} ended with {process.returncode}")
    return seconds, verified, peak[0]


def watch_memory(process: subprocess.Popen[str], peak: list[int]) -> None:
    """Keeps the highest memory (bytes) of a process in ``peak`` until it ends (Linux)."""
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            high = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            peak[0] = max(peak[0], int(high.split()[1]) * 1024)
        except (OSError, StopIteration):
            return
        time.sleep(0.05)


def startup(times: Times) -> None:
    """``octo-tf --help`` against importing click alone."""
    program = shutil.which("octo-tf", path=str(Path(sys.executable).parent))
    for name, words in (
        ("help", [program, "--help"] if program else [*OCTO_TF, "--help"]),
        ("import click", [sys.executable, "-c", "import click"]),
    ):
        started = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        times.add(name, time.perf_counter() - started)


def measure(rounds: int) -> tuple[Times, int]:
    """All measurements, and the orchestrator's peak memory in bytes."""
    # As pip leaves what it installs; an editable install may have no compiled files.
    compileall.compile_dir(Path(orchestrator.__file__).parent, quiet=1)
    times, memory = Times(), 0
    for _ in range(5 * rounds):
        startup(times)
    for number in range(rounds):
        order = ("bare", "octo-tf") if number % 2 else ("octo-tf", "bare")
        for who in order:
            with tempfile.TemporaryDirectory() as name, sandbox(Path(name)) as environ:
                root = project(Path(name) / "project", environ)
                for what in ("first", *("nothing",) * 4):
                    if who == "bare":
                        steps = bare(root, environ)
                        times.add(f"bare {what}", sum(steps.values()))
                        times.add(f"bare {what}: plan", steps["plan"])
                        continue
                    seconds, verified, peak = octo_tf(root.parents[1], environ, "apply", "--yes")
                    memory = max(memory, peak)
                    times.add(f"octo-tf {what}", seconds)
                    times.add(f"octo-tf {what} without verification", seconds - verified)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return times, memory


def table(times: Times, memory: int) -> str:
    """The measurements as Markdown."""
    rows = [
        (
            "first apply, without verification",
            "octo-tf first without verification",
            "bare first",
            "1.03",
        ),
        ("first apply, verified", "octo-tf first", "bare first", "1.15"),
        ("nothing to change, verified", "octo-tf nothing", "bare nothing", "0.45"),
        ("of which `terraform plan`, the minimum", "bare nothing: plan", "bare nothing", ""),
        ("`--help` against `import click`", "help", "import click", "1.5"),
    ]
    lines = [
        "| what | octo-tf | against | ratio | aim |",
        "| --- | --- | --- | --- | --- |",
    ]
    for what, ours, theirs, aim in rows:
        cells = [
            f"{times.median(name):.2f} s (spread {times.spread(name):.0%})"
            for name in (ours, theirs)
        ]
        ratio = times.median(ours) / times.median(theirs)
        lines.append(f"| {what} | {cells[0]} | {cells[1]} | {ratio:.2f} | {aim} |")
    lines.append(f"| memory of octo-tf itself | {memory / 1e6:.0f} MB | | | 120 MB |")
    return "\n".join(lines)


def main() -> None:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write every measurement here")
    arguments = parser.parse_args()
    times, memory = measure(arguments.rounds)
    if arguments.json:
        arguments.json.write_text(json.dumps({"seconds": times.seconds, "memory": memory}))
    print(table(times, memory))


if __name__ == "__main__":
    main()
