"""One place that turns every exception of a command into an error with a place and a fix.

Errors that octo-tf raises on purpose pass as they are. What the operating system, boto3 and TLS
raise becomes one of them. Whatever is left goes to a crash file (``cli/crash.py``).
"""

from __future__ import annotations

import errno
import json
import sys

import click

from orchestrator.errors import ConfigError, ExitCode, OctoTfError
from orchestrator.redaction import redact

SCHEMA = "octo-tf/error/v1"

_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PERMISSION = {errno.EACCES, errno.EPERM}
_HINTS = {
    errno.ENOENT: "Create it, or correct the path that names it.",
    errno.ENOTDIR: "A part of the path is a file: correct the path.",
    errno.EISDIR: "Name a file instead of a folder.",
    errno.EEXIST: "Move what is there away, then run the same command again.",
    errno.EROFS: "It is on a read-only file system: choose a place that can be written.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), then run the same command again.",
    errno.ENFILE: "The system has no free file handles: end other programs.",
    errno.ENAMETOOLONG: "Use a shorter path.",
    errno.ELOOP: "Correct the symbolic link, which points at itself.",
    errno.ENOMEM: "Free memory, then run the same command again.",
    errno.EADDRINUSE: "Another program uses this port: choose another one.",
    errno.EADDRNOTAVAIL: "This machine has no such address: choose another one.",
    errno.ENOEXEC: "The file is no program for this machine: correct the path.",
    errno.EIO: "Check the disk, then run the same command again.",
    errno.ESTALE: "The network file system lost the file: mount it again.",
}
_ASK_DOCTOR = "`octo-tf doctor` checks everything that a run needs."


def explain(error: Exception) -> OctoTfError | None:
    """Return the error that says what an exception means; None if nothing is known of it.

    boto3 is asked only where it is loaded already: an error of it cannot come from elsewhere.
    """
    if isinstance(error, OctoTfError):
        return error
    if "botocore" in sys.modules:
        from orchestrator.aws.errors import as_aws_error

        if explained := as_aws_error(error):
            return explained
    if isinstance(error, ImportError):
        return OctoTfError(
            f"octo-tf is not installed completely: {error}",
            where=sys.prefix,
            hint="Install it again from where it came, with pip install --force-reinstall.",
        )
    if isinstance(error, MemoryError):
        return OctoTfError(
            "the machine has too little memory", where="memory", hint=_HINTS[errno.ENOMEM]
        )
    if isinstance(error, OSError):
        return of_system(error)
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return OctoTfError("the home folder is unknown", where="HOME", hint="Set HOME.")
    return None


def of_system(error: OSError, doing: str = "") -> OctoTfError | None:
    """Return the error for a call of the operating system that failed; None without an errno.

    Args:
        doing: like ``the report cannot be written``; by default what the file's error suggests.
    """
    if error.errno is None:
        return None
    where = " and ".join(str(name) for name in (error.filename, error.filename2) if name)
    reason = error.strerror or errno.errorcode.get(error.errno, str(error.errno))
    what = f"{doing}: {reason}" if doing else f"a file or connection cannot be used: {reason}"
    if where:
        what = f"{doing}: {reason}" if doing else f"cannot be used: {reason}"
    return OctoTfError(what, where=where or "the operating system", hint=_hint(error.errno))


def _hint(number: int) -> str:
    if number in _SPACE:
        return "Free space on the disk, then run the same command again."
    if number in _PERMISSION:
        return "Correct the owner and the permissions, or choose a place that this user may use."
    return _HINTS.get(number, _ASK_DOCTOR)


def show(error: OctoTfError) -> None:
    """Print an error on stderr: what happened, where, and what to do next."""
    title = "octo.yaml or flags are wrong" if isinstance(error, ConfigError) else "Error"
    click.echo(f"{click.style(title, fg='red', bold=True)}: {redact(str(error))}", err=True)
    if error.hint:
        click.echo(f"  {redact(error.hint)}", err=True)


def as_json(code: int, error: OctoTfError | None) -> str:
    """Return an error as the JSON of a command that was given --json (docs/schemas/error-v1.json).

    Args:
        code: the exit code, not 0.
        error: None where the command was interrupted.
    """
    if error is None:
        what = "interrupted" if code == ExitCode.INTERRUPTED else "the command failed"
        error = OctoTfError(what, hint="Run the same command again to go on.")
    document = {
        "schema": SCHEMA,
        "error": redact(error.what),
        "where": redact(error.where),
        "hint": redact(error.hint),
        "exit_code": int(code),
    }
    return json.dumps(document, indent=2)
