"""Facts: what one observation of an account has read, each of them once.

A reader that is decorated with ``fact`` asks AWS once per observation (``Aws.observe``), however
many checks and comparisons need its answer; without an observation it asks every time. Retries and
waits begin a new observation. Functions that change something are never facts.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from orchestrator.aws.session import Aws

_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")


class Facts:
    """Answers by reader and arguments; threads that need the same one wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def once(self, key: Hashable, read: Callable[[], Any]) -> Any:
        """Return the answer, reading it if nobody has; its error is raised for everybody."""
        with self._lock:
            answer = self._answers.get(key)
            if is_first := answer is None:
                answer = self._answers[key] = Future()
        if is_first:
            try:
                answer.set_result(read())
            except BaseException as error:  # noqa: BLE001  (raised below, for every reader)
                answer.set_exception(error)
        return answer.result()


def fact(
    read: Callable[Concatenate[Aws, _Arguments], _Value],
) -> Callable[Concatenate[Aws, _Arguments], _Value]:
    """Make a reader of AWS ask once per observation; its arguments are hashable."""

    @functools.wraps(read)
    def once(aws: Aws, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Value:
        if aws.facts is None:
            return read(aws, *args, **kwargs)
        key = (read.__module__, read.__name__, *args, *sorted(kwargs.items()))
        value: _Value = aws.facts.once(key, lambda: read(aws, *args, **kwargs))
        return value

    return once
