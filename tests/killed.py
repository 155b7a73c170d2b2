"""A fork of this process, killed with SIGKILL while it works: it needs no seconds to import what it works with."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable

LONGEST = 120  # seconds until what is waited for must be there


def killed(work: Callable[..., object], *arguments: object, once: Callable[[], object], after: float = 0.0) -> None:
    """Do ``work(*arguments)`` in a fork, and kill it ``after`` so many seconds from when ``once()`` holds."""
    process = multiprocessing.get_context("fork").Process(target=_quietly, args=(work, arguments))
    process.start()
    deadline = time.monotonic() + LONGEST
    while not once():
        assert time.monotonic() < deadline and process.exitcode is None
        time.sleep(0.01)
    time.sleep(after)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _quietly(work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    work(*arguments)
