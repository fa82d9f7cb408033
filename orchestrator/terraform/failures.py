"""Put a failed Terraform command into words: what happened, and what to do."""

from __future__ import annotations

import re
import shutil
import signal
import socket
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from pathlib import Path

from orchestrator.errors import EngineError
from orchestrator.model.words import counted
from orchestrator.terraform import state_files
from orchestrator.terraform.events import Diagnostic
from orchestrator.terraform.state_files import FALLBACK, StateFiles

_LOCKED = "Error acquiring the state lock"
# What Terraform says where files that init installed are missing or damaged.
_INSTALLATION = (
    "Required plugins are not installed",
    "failed to read module manifest",
    "Module not installed",
    "Backend initialization required",
)
# The codes of IAM (EntityAlreadyExists), S3 (BucketAlreadyExists, BucketAlreadyOwnedByYou),
# CloudFormation (NameAlreadyExistsException) and CUR, in the provider's texts.
_EXISTS = re.compile(r"\w+Already(Exists|OwnedByYou)|DuplicateReportName")
# S3's error for a name that another account owns; a bucket of this account gives other errors.
_TAKEN = re.compile(r"CreateBucket\b.*BucketAlreadyExists", re.DOTALL)
ENCRYPTED_HINT = (
    "If OpenTofu has encrypted the state, run octo-tf with OpenTofu (--tf-path tofu) and the same"
    " encryption settings, in the folder's files or in TF_ENCRYPTION."
)
# What to do about the usual errors of AWS and of the provider, the most telling first.
_ADVICE = tuple(
    (re.compile(sign), advice)
    for sign, advice in (
        (
            r"Expired ?Token|RequestExpired|token included in the request is expired",
            "Renew the credentials (sign in again, or get a new session), then run the same command"
            " again.",
        ),
        (
            r"s3Prefix' failed to satisfy constraint",
            "AWS no longer takes the report's prefix: set cur_s3_prefix to one with at least two"
            " characters and no dot at its end, and run the same command again. AWS then delivers"
            " there, and what it has delivered stays where it is.",
        ),
        (
            r"with an explicit deny in|because no permissions boundary"
            r"|because no (service control|resource control|session|VPC endpoint) policy",
            "A grant elsewhere does not help: have the policy, or kind of policy, that the error"
            " names changed, or use another caller, then run the same command again.",
        ),
        (
            r'does not have a "version" attribute|state file is encrypted',
            f"{ENCRYPTED_HINT} Then run the same command again.",
        ),
        (
            r"(?s)HeadObject\b.*StatusCode: 403",
            "S3 does not say which permission is missing. Give the credentials that read the state"
            " (backend.profile in octo.yaml, else the ambient ones) s3:GetObject on that object,"
            " s3:ListBucket on its bucket (without it, S3 answers 403 even if the object does not"
            " exist), and kms:Decrypt on the KMS key, if one encrypts the object. Then run the same"
            " command again.",
        ),
        (
            r"(?s)HeadBucket\b.*StatusCode: 403",
            "S3 does not say why: grant the caller s3:ListBucket on that bucket, or correct the"
            " bucket's name if another account owns it, then run the same command again.",
        ),
        (
            r"AccessDenied|UnauthorizedOperation|not authorized to perform",
            "Grant the caller what the error names, then run the same command again;"
            " docs/reference/aws-permissions.md lists all that is needed.",
        ),
        (
            r"plugin did not respond|panic: |[Pp]lugin crashed|bug in the provider",
            "This is an error of the provider: run the same command again. If it stays, set"
            " provider_version in octo.yaml to another version.",
        ),
        (
            r"Throttl|SlowDown|RequestLimitExceeded|StatusCode: 5\d\d|InternalFailure"
            r"|ServiceUnavailable|connection reset|i/o timeout|EOF",
            "AWS had a temporary fault, and there is nothing to correct: run the same command"
            " again, in some minutes if it persists.",
        ),
    )
)
_SUBJECTS = {"output": "the state cannot be read", "state pull": "the state cannot be read"}
_UNREADABLE = (
    "Free some space if the disk is full, then run octo-tf apply: its plan moves the file aside,"
    " and imports what this account's registration made."
)
_FALLBACK = (
    f"Terraform could not save its state in the backend and kept it in {FALLBACK}. Once the"
    " backend takes it again, run octo-tf apply: its plan saves that state there."
)
_FULL_BYTES = 1_000_000


def failure(
    command: str,
    returncode: int,
    lines: list[str],
    diagnostics: list[Diagnostic],
    folder: Path,
) -> EngineError:
    """Return the error for a command that failed.

    Args:
        command: Terraform's name for it, e.g. ``apply``.
        returncode: its exit code; negative if a signal killed it.
        lines: its output that is not an event.
    """
    for diagnostic in diagnostics:
        if diagnostic.summary == _LOCKED and (lock := _lock(diagnostic)):
            return _locked(lock, folder)
    subject = _SUBJECTS.get(command, f"terraform {command} failed")
    states = state_files.inspect(folder)
    for path, reason in states.unreadable.items():
        if path.name == state_files.LOCAL_STATE:
            return EngineError(
                f"{_SUBJECTS.get(command, f'{subject}: the state cannot be read')}: {reason}",
                where=str(path),
                hint=_UNREADABLE,
            )
    if killed := killed_by(returncode):
        return EngineError(
            f"terraform {command} was killed by {killed}",
            where=str(folder),
            hint=_killed_hint(command, killed, states),
        )
    texts = [
        ": ".join(part for part in (d.address or d.place, d.summary, d.detail) if part)
        for d in diagnostics
    ]
    if not texts:
        texts = [boxed_error(lines) or f"it gave no reason (exit code {returncode})"]
    return EngineError(
        f"{subject}: " + "\n".join(texts),
        where=str(folder),
        hint=_hint(command, texts, states, folder),
    )


class AlreadyExists(EngineError):
    """An apply failed because resources that it was to create exist already."""

    def __init__(self, error: EngineError, addresses: Collection[str]) -> None:
        super().__init__(error.what, where=error.where, hint=error.hint)
        self.addresses = tuple(addresses)


def already_existing(diagnostics: list[Diagnostic]) -> tuple[str, ...]:
    """Return the addresses of resources that could not be created because they exist already."""
    texts = {d.address: f"{d.summary} {d.detail}" for d in diagnostics if d.address}
    return tuple(a for a, text in texts.items() if _EXISTS.search(text) and not _TAKEN.search(text))


_COLOR = re.compile(r"\x1b\[[0-9;]*m")  # OpenTofu uses colors even if the output is no terminal


def is_of_installation(lines: list[str], diagnostics: list[Diagnostic]) -> bool:
    """Tell whether a command failed because init has to install something again."""
    texts = [*lines, *(d.summary for d in diagnostics)]
    return any(sign in text for sign in _INSTALLATION for text in texts)


def killed_by(returncode: int) -> str:
    """Name the signal that killed a process, e.g. ``SIGKILL``; empty if none did.

    A shell in between reports it as 128 and the signal's number.
    """
    number = -returncode if returncode < 0 else returncode - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def address_of(diagnostic: Diagnostic) -> str:
    """Return the resource that a prevent_destroy error is about.

    The error's text says "Resource ADDRESS has".
    """
    if diagnostic.address:
        return diagnostic.address
    words = diagnostic.detail.split()
    return words[1] if len(words) > 1 else diagnostic.place


def boxed_error(lines: list[str]) -> str:
    """Return Terraform's boxed error text on one line, without the box and its colors."""
    plain = (_COLOR.sub("", line) for line in lines)
    text = " ".join(line.strip("╷│╵ \n\r") for line in plain)
    return " ".join(text.split()).partition("Error: ")[2] or " ".join(text.split())[-2000:]


def _hint(command: str, texts: list[str], states: StateFiles, folder: Path) -> str:
    if is_of_installation(texts, []):
        return "Run the same command again: octo-tf installs provider and modules again."
    if states.fallback:
        return _FALLBACK
    if states.unreadable:
        return (
            f"Terraform could not save its state completely ({FALLBACK} is unreadable). Free disk"
            " space if there is none, then run octo-tf apply: what was made and is not in the state"
            " is imported."
        )
    if shutil.disk_usage(folder).free < _FULL_BYTES:
        return "The disk is full: free some space, then run the same command again."
    if any(map(_TAKEN.search, texts)):
        return (
            "Another AWS account has a bucket of that name: set another cur_s3_bucket_name in"
            " octo.yaml, then run octo-tf apply again."
        )
    if any(map(_EXISTS.search, texts)):
        return (
            "It did not exist when the plan was made: another working folder may be at work on this"
            " account. If one is, go on there, and delete this folder. Else run octo-tf apply"
            " again: what this run made is imported, and anything else refused."
        )
    done = "What was done before the error is in the state. " if command == "apply" else ""
    for sign, advice in _ADVICE:
        if any(sign.search(text) for text in texts):
            return f"{done}{advice}"
    return f"{done}Correct what the error names, then run the same command again." if done else ""


def _killed_hint(command: str, killed: str, states: StateFiles) -> str:
    sentences = []
    if killed == "SIGKILL":
        sentences.append(
            "Either the system ran out of memory (its log says so), or somebody killed it."
        )
    if states.fallback:
        return " ".join([*sentences, _FALLBACK])
    again = "Run the same command again"
    if command == "apply":
        again += ": what was made and is not in the state is imported"
    sentences.append(f"{again}.")
    if states.remote:
        sentences.append(
            "If the state is still locked, the error says so and names the command that unlocks it."
        )
    return " ".join(sentences)


def _lock(diagnostic: Diagnostic) -> dict[str, str]:
    """Return the lock that an error describes, in lines like ``  ID:  ...``; empty if none.

    Terraform gives the same summary to a state that cannot be read.
    """
    pairs = (line.partition(":") for line in diagnostic.detail.splitlines())
    lock = {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
    return lock if lock.get("ID") else {}


def _age(created: str) -> str:
    """Return how long ago a lock was taken, like `` (3 hours ago)``; empty if that is not known.

    Terraform writes the time in UTC, as Go's ``time.String`` does.
    """
    try:
        then = datetime.strptime(created[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return ""
    passed = datetime.now(timezone.utc) - then.replace(tzinfo=timezone.utc)
    count, unit = int(passed.total_seconds() // 60), "minute"
    if count >= 120:
        count, unit = count // 60, "hour"
    return f" ({counted(count, unit)} ago)"


def _locked(lock: Mapping[str, str], folder: Path) -> EngineError:
    """Return the error for a state lock: who holds it (``user@host``), and how to remove it."""
    who, created, lock_id = (lock.get(name, "") for name in ("Who", "Created", "ID"))
    unlock = f"octo-tf unlock {lock_id}"
    here = who.rpartition("@")[2] == socket.gethostname()
    return EngineError(
        f"the state is locked by {who or 'another run'} since {created or 'an unknown time'}"
        + _age(created),
        where=str(folder),
        # The caller keeps other octo-tf runs on this machine out of the folder.
        hint="The lock was taken on this machine, and no other octo-tf is running on this account"
        " here: unless you run terraform yourself, its run is dead. Remove the lock:"
        f" {unlock}"
        if here
        else "Wait for that run to end, and run the same command again. If that run is dead,"
        f" remove its lock: {unlock}",
    )
