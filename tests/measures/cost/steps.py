"""Rows at small sizes, and the batch of one step as training hands it over."""

from __future__ import annotations

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from echo.evidence.frames import Frames
from echo.measures.cost.row import RowPlan
from echo.model.row import Row
from echo.training.objective import Objective, TrainingBatch
from echo.training.optimizers import freeze
from tests.conftest import tiny_study

SIZES = {"backbone": {"heads": 2, "head_dim": 16, "ffn_dim": 96, "layers": 6, "patch": 1, "ray_frequencies": 0}}


def small(row: str | None = None, **changes):
    """All rows at small sizes; 6 layers, so that blocks repeat between those in which a memory acts."""
    sections = {**SIZES, "world": {"size": 32, "train_rooms": 6, "in_domain_rooms": 4, "open_domain_rooms": 2},
                "text": {"dim": 24, "tokens": 6}, "train": {"batch": 2, "steps": 6}}  # fmt: skip
    for name, values in changes.items():
        sections[name] = {**sections.get(name, {}), **values}
    study = tiny_study(**sections)
    return study if row is None else (study, study.profiles[row])


def filled(plan: RowPlan, count: int, batch: int, draw: torch.Generator) -> Frames:
    """Real frames of the shapes that the plan walks."""
    shapes = plan.frames(count, batch).tensors()
    values = {name: torch.randn(value.shape, generator=draw) for name, value in shapes.items() if name != "index"}
    poses = torch.randn(batch, count, 6, dtype=torch.float64, generator=draw)
    return Frames(**values, index=torch.arange(count).expand(batch, -1), poses=poses)


def real_step(planned: RowPlan, evidence: int, batch: int, earlier: tuple[int, ...] = ()):
    """A row with weights, and the batch of one step as training hands it over; ``earlier``: frames written before."""
    study, draw = planned.study, torch.Generator().manual_seed(0)
    row = Row(study, planned.profile)
    freeze(row, study.train.trainable)
    row.backbone.checkpointing = study.train.gradient_checkpointing
    target = filled(planned, study.target_latents, batch, draw)
    text = torch.randn(planned.text(batch).shape, generator=draw)
    level = torch.rand(batch, generator=draw)
    given = filled(planned, evidence, batch, draw)
    noise = torch.randn_like(target.latents)
    before = [filled(planned, count, batch, draw) for count in earlier]
    return row, TrainingBatch(before, given, given.span(0, 1), target, level, noise, text)


def counted(row: Row, batch: TrainingBatch) -> int:
    """FLOPs of one forward and backward pass, by torch's counter (which sees no fused attention on the CPU)."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        Objective(row)(batch).backward()
    return counter.get_total_flops()
