"""One stage in several processes: this process starts them, passes a request to stop on, and says why they ended.

The workers are started by torchrun's agent (``torch.distributed.launcher``), inside this process rather than as a child
of it: torchrun would answer SIGTERM by killing workers that take longer than its grace time to checkpoint, know
nothing of SIGUSR1, and end with 1 whatever its workers ended with. Here both signals become a note that every worker
reads once a step, and the workers' own code is returned.

A worker that fails leaves a report and ends; its peers, which wait for it, are ended within seconds. The earliest
report is the cause: one line for what a user can mend, the traceback for all else.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
import traceback
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from echo.study.batches import micro_batch
from echo.study.config import ConfigError, Train
from echo.training.preemption import FOLDER, PREEMPTED, STOP, Preempted, handling

GRACE = 5  # seconds from the first worker's end to SIGKILL for the others, which have nothing left to save
INTERRUPTED = 130  # exit code after Ctrl-C, as of a shell


def is_worker() -> bool:
    """Whether torchrun, ours or a user's own, started this process as one of several."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def report(stage: str, error: Exception, expected: bool) -> int:
    """Report why this process ends: to the launcher where there is one, else on stderr; returns the exit code.

    ``expected``: the message is all a user needs. Without a launcher, any other error is raised again.
    """
    code = PREEMPTED if isinstance(error, Preempted) else 1
    if is_worker() and FOLDER in os.environ:
        rank = os.environ["RANK"]
        text = f"echo {stage}: {error}" if expected else f"process {rank} failed:\n{traceback.format_exc().rstrip()}"
        path = Path(os.environ[FOLDER]) / f"{rank}.json"
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps({"time": time.time_ns(), "code": code, "text": text}))
        os.replace(temporary, path)
        return code
    if not expected:
        raise error
    print(f"echo {stage}: {error}", file=sys.stderr)
    return code


def processes(train: Train, asked: int) -> int:
    """The number of processes ``asked`` for; raises BatchError where they cannot share the batch equally."""
    micro_batch(train, asked)
    return asked


def launch(stage: str, command: list[str], processes: int) -> int:
    """Run ``python COMMAND`` in ``processes`` processes at once; returns the exit code.

    0: all ended well; PREEMPTED: they checkpointed because a signal reached this process or one of them; 1: one failed.
    Raises ConfigError where this machine has GPUs, but fewer than processes.
    """
    import torch
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise ConfigError(f"{processes} processes need as many GPUs, this machine has {torch.cuda.device_count()}")
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=str(uuid.uuid4()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        signals_to_handle="SIGINT,SIGHUP,SIGQUIT",
        shutdown_timeout=GRACE,
    )
    # The agent's log tells of every worker that ended, in its own words; what matters of it is told below.
    for name in logging.root.manager.loggerDict:
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # DDP warns where all parameters happen to be used
    with TemporaryDirectory(prefix="echo_launch_") as name:
        folder = Path(name)
        os.environ[FOLDER] = name
        try:
            with handling(lambda *_: (folder / STOP).touch()):
                elastic_launch(config, sys.executable)(*command)
            return 0
        except ChildFailedError as error:
            code, text = _cause(stage, folder, error.failures)
            print(text, file=sys.stderr)
            return code
        except SignalException:
            return INTERRUPTED
        finally:
            del os.environ[FOLDER]


def _cause(stage: str, folder: Path, failures: dict[int, Any]) -> tuple[int, str]:
    """Exit code and message of a job whose workers did not all end well.

    ``failures``: rank to torchrun's ``ProcessFailure``. A worker that is killed from outside (out of memory) leaves no
    report, and its peers report a broken connection at once; one that is killed GRACE seconds after a report was stuck.
    """
    reports = sorted((json.loads(path.read_text()) for path in folder.glob("*.json")), key=lambda one: one["time"])
    for one in reports:
        if one["code"] == PREEMPTED:
            return PREEMPTED, one["text"]
    if (folder / STOP).exists():
        return PREEMPTED, f"echo {stage}: stopped by a signal; run it again"
    stuck = bool(reports) and time.time_ns() - reports[0]["time"] > GRACE * 1e9
    for rank, failure in failures.items():
        if failure.exitcode == -signal.SIGKILL and not stuck:
            return 1, f"echo {stage}: process {rank} was killed by signal 9 (SIGKILL); out of memory?"
    if reports:
        return 1, reports[0]["text"]
    rank, failure = next(iter(failures.items()))
    return 1, f"echo {stage}: process {rank} ended with exit code {failure.exitcode}"
