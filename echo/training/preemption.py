"""Preemption: a polite signal ends a training run after its current step, with a resume file and a code of its own.

SIGTERM or SIGUSR1 is noticed once a step. The run then checkpoints and exits with ``PREEMPTED``. It never calls
``scontrol requeue``, because each end of a Slurm job must have one that restarts it, and only one:
- The job exits by itself, as here after ``sbatch --signal=TERM@300`` (300 s before the time limit): the code is not
  zero, so Snakemake submits the job again (``retries``). A job that requeued itself as well would run twice at once.
- Slurm preempts the job or loses its node: Snakemake's executor waits for Slurm to requeue it, so jobs are submitted
  with ``--requeue`` (the executor's ``requeue`` setting). Slurm sends SIGTERM first, and SIGKILL after the partition's
  grace time, or ``KillWait``; what is not checkpointed by then is repeated from the last checkpoint.
Either way training goes on from the resume file. A signal reaches the shell and the Snakemake of the job as well; in
this workflow both outlive it (workflow/rules/common.smk), because Slurm counts a job as ended, and kills what it leaves
behind, once they are gone. Who submits ``python -m echo train`` in a script of their own must ``exec`` it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from echo.io.errors import UserError

PREEMPTED = 75  # exit code: EX_TEMPFAIL of sysexits.h, "try again later"
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
FOLDER = "ECHO_LAUNCH"  # environment variable: folder in which launcher and workers of one job leave each other notes
STOP = "stop"  # the launcher's note that it was told to stop


class Preempted(UserError):
    """Training was told to stop and has checkpointed."""

    exit_code = PREEMPTED


@contextmanager
def handling(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Within: the signals call ``handler``. Outside the main thread Python sets no handlers, and neither does this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, handler) for one in SIGNALS}
    try:
        yield
    finally:
        for one, former in before.items():
            signal.signal(one, former)


class Notice:
    """Whether this process should stop: it had a signal, or its launcher had one, or its launcher is gone."""

    def __init__(self) -> None:
        self._signalled = False
        self._folder = Path(os.environ[FOLDER]) if FOLDER in os.environ else None
        self._parent = os.getppid()

    @property
    def given(self) -> bool:
        """True from the moment on at which training should stop."""
        if self._signalled or self._folder is None:
            return self._signalled
        # A launcher killed with SIGKILL tells nobody; a worker that went on would meet the job's next start.
        return (self._folder / STOP).exists() or os.getppid() != self._parent

    @contextmanager
    def awaited(self) -> Iterator[Notice]:
        """Within: the signals are noticed, and do nothing else."""

        def signalled(*_: object) -> None:
            self._signalled = True

        with handling(signalled):
            yield self
