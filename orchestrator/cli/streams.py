"""Standard input, output and error: closed, full, narrow in what they can encode, or unread.

Data that cannot be written is an error (``OutputError``). Talk that cannot be written is dropped:
a run never fails because nobody listens.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from orchestrator.errors import OctoTfError

# Signs of reports, for encodings that lack them (Latin-1, ASCII).
_PLAIN = {
    "✓": "+",
    "✗": "x",
    "…": "...",
    "→": "->",
    "─": "-",
    "━": "-",
    "│": "|",
    "╷": "|",
    "╵": "|",
    "├": "|",
    "╰": "`",
    "•": "*",
}
_ERRORS = "octo-tf.plain"


class OutputError(OctoTfError):
    """Stdout takes no data.

    Attributes:
        unread: its reader went away (``| head``): nobody reads on.
    """

    def __init__(self, error: OSError | ValueError) -> None:
        self.unread = isinstance(error, BrokenPipeError)
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        super().__init__(
            f"the output cannot be written: {reason}",
            where="stdout",
            hint="Send it to a file or a program that takes it, then run the same command again.",
        )


class Output:
    """Stdout, whose failures are ``OutputError``; it notes whether anything was written.

    It has no ``buffer``, so that click writes through it instead of around it.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_written = False

    def write(self, text: str | bytes) -> int:
        """Write text, or UTF-8 bytes, as click's completion of commands has them.

        Raises:
            OutputError: it cannot be written.
        """
        # click finds out by empty bytes whether a stream is binary; this one is not.
        if isinstance(text, bytes) and text:
            text = text.decode(errors="replace")
        try:
            written: int = self._stream.write(text)
        except (OSError, ValueError) as error:
            raise OutputError(error) from error
        self.is_written = self.is_written or bool(text.strip())
        return written

    def flush(self) -> None:
        """Pass on what was written.

        Raises:
            OutputError: it cannot be passed on.
        """
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise OutputError(error) from error

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)


class Talk:
    """Stderr; what it cannot take is dropped."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or drop it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)


def prepare() -> None:
    """Open streams that the caller closed, and let the others take every character.

    A descriptor from 0 to 2 that stays closed would be given to the next file that is opened: what
    is printed would land in it. Stdout becomes one that cannot be written, so that data is not
    lost without a word.
    """
    codecs.register_error(_ERRORS, _plain)
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free descriptor: this one
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream: Any = getattr(sys, name)
        if stream is None:
            opened = os.fdopen(descriptor, mode, encoding="utf-8", errors=_ERRORS, closefd=False)
            setattr(sys, name, opened)
        elif descriptor and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ERRORS)


@contextlib.contextmanager
def guarded() -> Iterator[Output]:
    """Put ``Output`` and ``Talk`` in the place of stdout and stderr during the block."""
    before = sys.stdout, sys.stderr
    output = Output(before[0])
    sys.stdout, sys.stderr = output, Talk(before[1])
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = before


def discard() -> None:
    """Let Python's last flush go nowhere: it would fail again, and print a traceback."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # Those that Python opened, and those that ``prepare`` opened where Python had none.
    for stream in filter(None, (sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that the encoding lacks: by a plain sign, or by an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _escaped(sign) for sign in text), error.end


def _escaped(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")
