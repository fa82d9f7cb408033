"""Terraform's process: it depends on no reader, is stopped in order, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from orchestrator.cancellation import Cancellation
from orchestrator.errors import EngineError
from orchestrator.model.version_constraint import Constraint
from orchestrator.terraform import binary as binaries
from orchestrator.terraform import run_log
from orchestrator.terraform.binary import Binary
from orchestrator.terraform.client import Terraform
from orchestrator.terraform.state import StateEdit
from tests.waiting import wait_until

EVENT = (
    '{"type": "apply_%s", "hook": {"resource": {"addr": "%s"}, "action": "create",'
    ' "elapsed_seconds": 1}}'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "root folder"
    path.mkdir()
    return path


@pytest.fixture
def fake(folder: Path, tmp_path: Path):
    """Makes a Terraform whose program is a shell script."""

    def make(script: str, **settings) -> Terraform:
        path = tmp_path / "terraform"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        binary = Binary((str(path),), "terraform", (1, 11, 4))
        return Terraform(binary, folder, environ=dict(os.environ), **settings)

    return make


def applied(terraform: Terraform) -> dict:
    return terraform.apply_plan(Path("octo.tfplan"))


def number_in(path: Path) -> int:
    """The number in a file that another process writes."""
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"), f"{path.name} is written")
    return int(path.read_text())


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_events_are_read_while_terraform_runs(fake, folder):
    seen: list[str] = []

    def on_event(event) -> None:
        seen.append(event.address)
        (folder / "go on").touch()

    terraform = fake(
        f"echo '{EVENT % ('start', 'a')}'; while [ ! -e 'go on' ]; do sleep 0.05; done\n"
        f"printf '%s' '{EVENT % ('complete', 'b')}'",
        on_event=on_event,
    )
    applied(terraform)
    assert seen == ["a", "b"]


def test_the_log_is_for_the_user_alone_and_gone_after_the_run(fake, folder):
    terraform = fake(
        "stat -c %a terraform-run.log > mode 2>&1 || stat -f %Lp terraform-run.log > mode"
    )
    applied(terraform)
    assert (folder / "mode").read_text().strip() == "600"
    assert not (folder / run_log.NAME).exists()


def test_what_a_reading_command_prints_never_has_a_name_on_the_disk(fake, folder):
    terraform = fake('ls > listing; echo \'{"lineage": "x", "serial": 2}\'; echo warning >&2')
    assert terraform.state_version().serial == 2
    assert run_log.NAME not in (folder / "listing").read_text()


def test_an_error_on_standard_error_is_said(fake):
    with pytest.raises(EngineError, match="terraform apply failed: no such thing"):
        applied(fake("echo 'Error: no such thing' >&2; exit 1"))


SLOW = """
trap 'echo . >> interrupts' INT
touch started
while [ ! -e interrupts ]; do sleep 0.05; done
sleep 0.5; touch finished
"""


@pytest.fixture
def cancellation():
    """A cancellation that takes this process's signals for requests."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {kind: signal.getsignal(kind) for kind in kinds}
    made = Cancellation()
    made.on_signals()
    yield made
    for kind, handler in before.items():
        signal.signal(kind, handler)


def once(path: Path, act) -> None:
    """Acts in another thread as soon as a file is there."""

    def wait_and_act() -> None:
        wait_until(path.exists, f"{path.name} is there")
        act()

    threading.Thread(target=wait_and_act).start()


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM", "SIGHUP", "another thread"])
def test_a_request_to_stop_reaches_terraform_once_and_its_end_is_waited_for(
    fake, folder, cancellation, kind
):
    said: list[str] = []

    def stop() -> None:
        if kind.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, kind))
        else:
            cancellation.request()

    once(folder / "started", stop)
    with pytest.raises(KeyboardInterrupt):
        applied(fake(SLOW, cancellation=cancellation, on_interrupt=said.append))
    assert (folder / "finished").exists()
    assert (folder / "interrupts").read_text() == ".\n"
    (sentence,) = said
    assert "finishes the calls under way" in sentence


def test_an_interrupt_that_nobody_takes_for_a_request_stops_terraform_too(fake, folder):
    once(folder / "started", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        applied(fake(SLOW))
    assert (folder / "finished").exists()


def test_a_second_request_is_forwarded_and_says_what_may_be_left(fake, folder, cancellation):
    said: list[str] = []
    script = "n=0; trap 'n=$((n+1)); touch got$n' INT; touch started\n"
    script += "while [ $n -lt 2 ]; do sleep 0.05; done; exit 1"
    once(folder / "started", cancellation.request)
    once(folder / "got1", cancellation.request)
    with pytest.raises(KeyboardInterrupt):
        applied(fake(script, cancellation=cancellation, on_interrupt=said.append))
    assert "resources may exist that its state does not know" in said[1]


def test_after_a_request_no_terraform_is_started(fake, folder, cancellation):
    cancellation._requested.set()
    with pytest.raises(KeyboardInterrupt):
        applied(fake("touch started", cancellation=cancellation))
    assert not (folder / "started").exists()


def test_a_terminal_that_is_gone_does_not_end_the_run(fake, folder, cancellation):
    def gone(_what) -> None:
        raise OSError(5, "Input/output error")

    once(folder / "started", cancellation.request)
    terraform = fake(
        f"echo '{EVENT % ('start', 'a')}'\n{SLOW}",
        cancellation=cancellation,
        on_event=gone,
        on_interrupt=gone,
    )
    with pytest.raises(KeyboardInterrupt):
        applied(terraform)
    assert (folder / "finished").exists()


@pytest.mark.parametrize("ignores", ["", "trap '' INT;", "trap '' INT TERM;"])
def test_no_child_of_terraform_outlives_it(fake, folder, monkeypatch, ignores):
    monkeypatch.setattr("orchestrator.terraform.process_group._GRACE_SECONDS", 0.5)
    script = f"({ignores} echo > child; while :; do sleep 0.1; done) & echo $! > pid\n"
    script += "while [ ! -e child ]; do sleep 0.05; done; kill -9 $$"
    with pytest.raises(EngineError, match="terraform apply was killed by SIGKILL"):
        applied(fake(script))
    child = number_in(folder / "pid")
    wait_until(lambda: not is_running(child), "the child has ended")


@pytest.mark.parametrize(
    ("end", "name"),
    [("kill -9 $$", "SIGKILL"), ("exit 137", "SIGKILL"), ("kill -TERM $$", "SIGTERM")],
    ids=["killed", "killed behind a shell", "terminated"],
)
def test_a_killed_terraform_is_said_with_the_cause_and_the_way_on(fake, end, name):
    with pytest.raises(EngineError, match=f"terraform apply was killed by {name}") as caught:
        applied(fake(end))
    assert ("memory" in caught.value.hint) is (name == "SIGKILL")
    assert "Run the same command again" in caught.value.hint
    assert "lock" not in caught.value.hint  # a local state's lock ends with its process


def test_a_killed_terraform_with_a_remote_state_may_leave_a_lock(fake, folder):
    (folder / "backend.tfbackend.json").write_text("{}")
    with pytest.raises(EngineError) as caught:
        applied(fake("kill -9 $$"))
    assert "If the state is still locked" in caught.value.hint


# When octo-tf itself is killed

ALONE = """
import os, sys
from pathlib import Path
from orchestrator.terraform.binary import Binary
from orchestrator.terraform.client import Terraform
binary = Binary((sys.argv[1],), "terraform", (1, 11, 4))
Terraform(binary, Path(sys.argv[2]), environ=dict(os.environ)).apply_plan(Path("octo.tfplan"))
"""


@pytest.fixture
def killed(fake, folder):
    """Runs a Terraform in a process of its own, which is killed once a file is there."""

    def kill(script: str, *, when: str) -> None:
        program = fake(script).binary.path
        process = subprocess.Popen([sys.executable, "-c", ALONE, program, str(folder)])
        log = folder / run_log.NAME
        wait_until(
            lambda: (folder / when).exists() and "runs as process" in log.read_text(),
            "Terraform runs",
        )
        process.kill()
        process.wait()

    return kill


LINES = "while [ ! -e 'go on' ]; do echo line; sleep 0.05; done; touch finished"


def test_terraform_goes_on_alone_and_the_next_one_waits_for_it(killed, fake, folder):
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        (folder / "go on").touch()

    killed(f"echo $$ > pid; touch started; {LINES}", when="started")
    applied(fake("[ -e finished ] || exit 1", on_interrupt=say))
    pid = number_in(folder / "pid")
    assert said == [f"An earlier Terraform (process {pid}) is still finishing: waiting for it."]
    assert not (folder / run_log.NAME).exists()


def test_the_wait_for_an_earlier_terraform_can_be_interrupted(killed, fake, folder, cancellation):
    killed("touch started; while [ ! -e stop ]; do sleep 0.05; done", when="started")
    said: list[str] = []

    def interrupt(text: str) -> None:
        said.append(text)
        cancellation.request()

    with pytest.raises(KeyboardInterrupt):
        applied(fake("touch second", cancellation=cancellation, on_interrupt=interrupt))
    (folder / "stop").touch()
    assert "is still finishing" in said[0]
    assert not (folder / "second").exists()


def test_an_earlier_terraform_that_has_ended_is_not_waited_for(killed, fake, folder):
    said: list[str] = []
    script = "echo $$ > pid; touch started; while [ ! -e stop ]; do sleep 0.05; done"
    killed(script, when="started")
    (folder / "stop").touch()
    pid = number_in(folder / "pid")
    wait_until(lambda: not is_running(pid), "the earlier Terraform has ended")
    applied(fake("exit 0", on_interrupt=said.append))
    assert said == []


def test_providers_of_a_terraform_that_was_killed_too_are_ended(killed, fake, folder):
    """octo-tf and Terraform were killed: nothing was left to end the provider."""
    provider = folder / "terraform-provider-aws"
    provider.write_text("#!/bin/sh\necho $$ > provider; while :; do sleep 0.1; done\n")
    provider.chmod(0o755)
    killed("./terraform-provider-aws & echo $$ > pid; wait", when="provider")
    pid = number_in(folder / "provider")
    os.kill(number_in(folder / "pid"), signal.SIGKILL)
    assert is_running(pid)
    applied(fake("exit 0"))
    wait_until(lambda: not is_running(pid), "the provider has ended")


def test_opentofu_does_not_ask_for_encryption_of_the_state_that_a_preview_is_made_from(
    fake, folder, monkeypatch
):
    monkeypatch.setattr(binaries, "provider_mirror", lambda *_: None)
    monkeypatch.setenv("TF_ENCRYPTION", "state { method = method.aes_gcm.m }")
    terraform = fake(f'echo "$1 $TF_ENCRYPTION" >> "{folder}/calls"')
    edits = [StateEdit("set_aside", "terraform.tfstate")]
    wanted = Constraint.parse("5.100.0")
    terraform.preview(folder / "a.tfplan", edits, provider_version=wanted)
    terraform.init(provider_version=wanted)
    assert (folder / "calls").read_text().splitlines() == [
        "init ",
        "plan ",
        "init state { method = method.aes_gcm.m }",
    ]


def test_a_preview_takes_the_provider_that_the_root_folder_has(fake, folder, monkeypatch):
    """Without a mirror it would be downloaded again, for each preview."""
    monkeypatch.setattr(binaries, "provider_mirror", lambda *_: None)
    log = folder / "calls"
    installing = "mkdir -p .terraform/providers && touch .terraform/providers/aws"
    terraform = fake(f'echo "$@" >> "{log}"; [ "$1" != init ] || {{ {installing}; }}')
    wanted = Constraint.parse("5.100.0")
    edits = [StateEdit("set_aside", "terraform.tfstate")]

    def asked() -> str:
        calls = log.read_text().splitlines()
        log.unlink()
        return next(call for call in calls if call.startswith("init"))

    terraform.preview(folder / "a.tfplan", edits, provider_version=wanted)
    assert "-plugin-dir" not in asked()  # nothing is installed yet
    terraform.init(provider_version=wanted)
    assert "-plugin-dir" not in asked()
    terraform.preview(folder / "a.tfplan", edits, provider_version=wanted)
    assert f"-plugin-dir={folder / '.terraform/providers'}" in asked()
