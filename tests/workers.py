"""What two workers do for tests/training/test_distributed.py, all in one job because starting one takes seconds.

    python -m torch.distributed.run --standalone --nproc-per-node 2 -m tests.workers FOLDER

FOLDER/jobs.json: a list of jobs; a job trains in FOLDER/<name> from the resume file there, if any.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import torch
from accelerate.state import AcceleratorState

from echo.io.tensors import save_tensors
from echo.model.row import Row
from echo.training.preemption import Preempted
from echo.training.trainer import Trainer
from tests.conftest import Setting, tiny_study


def trainer(folder: Path, row: str, train: dict) -> Trainer:
    """A run of four clips a step; precision is accelerate's global state, which a new run may change."""
    AcceleratorState._reset_state()
    study = tiny_study(train={"batch": 4, "steps": 4, "optimizer": "adamw", **train})
    clips = Setting(study, 5).clips
    return Trainer(study.train, Row(study, study.profiles[row]), clips, folder, 0, study.train.steps, "test")


def signalled_at(one: Trainer, step: int) -> None:
    """Let this process have SIGUSR1 while it computes the loss of ``step``."""
    honest = one.loss

    def loss(number, part):
        if number == step:
            os.kill(os.getpid(), signal.SIGUSR1)
        return honest(number, part)

    one.loss = loss


def run(folder: Path, job: dict) -> None:
    """Train, and leave weights.safetensors and facts.json, or stopped.txt if the run was preempted."""
    one = trainer(folder, job["row"], job["train"])
    if job.get("signal_rank") == one.processes.index:
        signalled_at(one, 1)
    try:
        one.run()
    except Preempted as stop:
        (folder / f"stopped.{one.processes.index}").write_text(str(stop))
        return
    weights = one.weights()
    if one.processes.main:
        save_tensors(folder / "weights.safetensors", weights)
        (folder / "facts.json").write_text(json.dumps(one.facts()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    place = Path(sys.argv[1])
    for each in json.loads((place / "jobs.json").read_text()):
        run(place / each["name"], each)
