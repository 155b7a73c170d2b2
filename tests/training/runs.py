"""Small trainings that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import torch

from echo.model.row import Row
from echo.study.config import Study
from echo.training.trainer import Trainer
from tests.conftest import Setting, tiny_study


def trainer(
    folder: Path, study: Study | None = None, name: str = "ssm_blockwise", steps: int | None = None, seed: int = 0
) -> Trainer:
    """A run of the row ``name`` on five clips."""
    study = study or tiny_study()
    row = Row(study, study.profiles[name], seed)
    clips = Setting(study, clips=5).clips
    return Trainer(study.train, row, clips, folder, seed, steps or study.train.steps, "fingerprint")


def long_run(folder: Path) -> None:
    """A training that can be killed on its way; its weights are ``model.safetensors`` in ``folder``."""
    one = trainer(folder, tiny_study(train={"steps": 60, "checkpoint_every": 5}), "context_k5")
    one.run()
    one.row.save(folder / "model.safetensors")


def weights(one: Trainer) -> dict[str, torch.Tensor]:
    """A copy of the weights as they are now."""
    return {name: value.clone() for name, value in one.row.state_dict().items()}


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    """To the bit."""
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


def assert_close(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], tolerance: float) -> None:
    """To ``tolerance``, number by number."""
    assert a.keys() == b.keys()
    gaps = {name: (a[name] - b[name]).abs().max().item() for name in a}
    assert {name: gap for name, gap in gaps.items() if gap > tolerance} == {}
