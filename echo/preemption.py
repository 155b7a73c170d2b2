"""Preemption: a polite signal ends a training run after its current step, with a resume file and a code of its own.

SIGTERM (preemption, time limit, ``scancel``) or SIGUSR1 (``sbatch --signal``) sets a flag that training reads once a
step. The run then checkpoints and exits with ``PREEMPTED``. It does not call ``scontrol requeue``: the exit code is not
zero, so Snakemake, which knows what the job was for, submits it again (``retries``) and training goes on from the
resume file. A job that Slurm requeued as well would run twice at once. For runs without Snakemake,
``sbatch --requeue`` requeues on preemption by itself, and a script may requeue on this exit code.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PREEMPTED = 75  # exit code: EX_TEMPFAIL of sysexits.h, "try again later"
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class Preempted(Exception):
    """Training was told to stop and has checkpointed; the message is all a user needs."""


class Notice:
    """Whether a signal has asked this process to stop."""

    def __init__(self):
        self.given = False

    def _give(self, *_) -> None:
        self.given = True

    @contextmanager
    def awaited(self) -> Iterator[Notice]:
        """Within: the signals only set ``given``. Outside the main thread Python handles no signals: nothing is set."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {one: signal.signal(one, self._give) for one in SIGNALS}
        try:
            yield self
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
