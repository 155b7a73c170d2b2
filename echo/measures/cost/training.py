"""What a training costs: a row's, and that of the base which all rows start from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from echo.measures.cost.gpus import RESERVE
from echo.measures.cost.row import RowPlan
from echo.measures.cost.walk import Tally
from echo.model.base import BASE
from echo.model.row import Row
from echo.study.config import Study
from echo.training.muon import orthogonalise
from echo.training.optimizers import matrices


@dataclass(frozen=True)
class Training:
    """One training.

    step_flops: of one micro-batch on one GPU, on average over what training draws, and ``largest``, of one with all the
    evidence there can be. memory: bytes on that GPU, by what they hold. flops: of the whole job, at ``precision``;
    muon_flops: those of Muon's products, which are made in float32 whatever the precision.
    """

    step_flops: dict[str, int]
    memory: dict[str, int]
    flops: float
    muon_flops: float
    precision: str

    @property
    def needed(self) -> int:
        """Bytes on the GPU, the reserve included."""
        return sum(self.memory.values()) + RESERVE


def training(row: RowPlan, steps: int) -> Training:
    """``steps`` steps of a row, by the section ``train`` of its study."""
    study = row.study
    fullest = row.chain(len(study.segment.history_weights))
    largest = row.step(fullest[-1], earlier=fullest[:-1])

    @cache
    def step(chain: tuple[int, ...]) -> Tally:
        return largest.tally if chain == fullest else row.step(chain[-1], memory=False, earlier=chain[:-1]).tally

    mean = {"forward": 0.0, "backward": 0.0, "recomputed": 0.0}
    for share, chain in row.situations():
        for part in mean:
            mean[part] += share * getattr(step(chain), part)
    parts = study.train.batch // row.micro_batch
    muon = muon_flops(row.row) if study.train.optimizer == "muon" else 0
    return Training(
        {**{name: round(value) for name, value in mean.items()}, "largest": largest.tally.total},
        {**row.weight_bytes(), "activations": largest.activations},
        steps * parts * sum(mean.values()),
        float(steps * study.compute.processes * muon),
        study.train.precision,
    )


def muon_flops(row: Row) -> int:
    """FLOPs of one step of Muon: its own iteration, on stacks of the shapes that the row trains."""
    shapes = Counter(tuple(weight.shape) for weight in matrices(row) if weight.requires_grad)
    with FlopCounterMode(display=False) as counter:
        for shape, count in shapes.items():
            orthogonalise(torch.empty(count, *shape, device="meta"))
    return counter.get_total_flops()


def base_training(study: Study) -> Training | None:
    """The training of the study's base, where the study has one to do."""
    if study.base.source == "trained":
        of_base = study.base_study
        return training(RowPlan(of_base, BASE), of_base.train.steps)
    if study.base.source == "pretrained" and study.base.steps:
        return training(RowPlan(study, BASE), study.base.steps)
    return None
