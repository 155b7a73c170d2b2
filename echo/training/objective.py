"""What one training step computes: the draws that make its batch, and the loss of that batch as one module.

Each step draws, from streams named by (seed, training seed, stream, step), one segment number for the whole batch, the
clips, whether the memory gets the anchor alone, the noise levels and the noise. They are a function of these names
alone: however a batch is shared among processes and micro-batches, each part sees the draws of its own samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from echo.evidence.clips import ClipSource
from echo.evidence.frames import Frames
from echo.io.draws import BatchSlice
from echo.io.seeding import generator, torch_generator
from echo.model import flow
from echo.model.row import Row


@dataclass(frozen=True)
class TrainingBatch:
    """One slice of a step's batch: what the memory is handed, ``earlier`` and last, the anchor, the target, its noise.

    level (B,) noise levels in [0, 1]; noise like ``target.latents``; text (B, L, text_dim).
    """

    earlier: list[Frames]
    evidence: Frames
    anchor: Frames
    target: Frames
    level: Tensor
    noise: Tensor
    text: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Its numbers by name, for a check that they are finite."""
        earlier = {f"latents of earlier evidence {n}": frames.latents for n, frames in enumerate(self.earlier)}
        views = {f"{part} of the target": getattr(self.target, part) for part in ("latents", "actions", "rays")}
        return {"level": self.level, **views, "latents of the evidence": self.evidence.latents, **earlier,
                "text": self.text}  # fmt: skip


def draw(
    row: Row, clips: ClipSource, train_seed: int, step: int, part: BatchSlice, device: torch.device
) -> TrainingBatch:
    """The slice ``part`` of a step's batch, on ``device``; it depends on seed, training seed, stream and step alone."""
    study, stream = row.study, row.profile.seed_stream
    draws = generator(study.seed, "train", train_seed, stream, step)
    noise = torch_generator(study.seed, "noise", train_seed, stream, step)
    weights = np.asarray(study.segment.history_weights)
    segment = int(draws.choice(len(weights), p=weights / weights.sum())) + 1
    anchor_only = bool(draws.random() < row.policy.drop(study))
    chosen = clips.choose(draws, step, part.size)[part.start : part.stop]
    segments, latents, targets, text = clips.pick(study, chosen)
    chain = row.policy.chain(row.memory, segments, latents, segment, noise, anchor_only, part)
    *earlier, evidence = (frames.to(device) for frames in chain)
    anchor = row.policy.anchor(evidence, segments, latents, segment, noise, part).to(device)
    target = segments.target(segments.own(latents, targets, segment), segment)
    # Levels spread evenly over [0, 1): one in each of B bins, which keeps the loss from jumping between steps.
    level = flow.shift(part.uniform(noise), row.timestep_shift)
    drawn = part.normal(target.latents.shape, noise)
    return TrainingBatch(
        earlier, evidence, anchor, target.to(device), level.to(device), drawn.to(device), text.to(device)
    )


class Objective(nn.Module):
    """The loss of a row on a batch, in one ``forward``: what DDP and FSDP hook is the whole of write, read and loss."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row

    def forward(self, batch: TrainingBatch) -> Tensor:
        """Mean squared error (scalar) of the velocity on the target frames, weighted by ``train.loss_weight``."""
        state = None
        # The same chain of writes as in a rollout; gradients stop between segments (truncated backpropagation): those
        # of the loss reach what the last write adds, and what it does with the state before it.
        with torch.no_grad():
            for evidence in batch.earlier:
                state = self.row.write(state, evidence, batch.text)
        device = batch.level.device.type  # "meta" where a study is planned, without autocast
        if batch.earlier and device != "meta" and torch.is_autocast_enabled(device):
            torch.clear_autocast_cache()  # weights cast without gradients above would be used again below
        target, level = batch.target, batch.level
        noisy = target.with_latents(flow.interpolate(target.latents, batch.noise, level))
        state = self.row.write(state, batch.evidence, batch.text)
        predicted = self.row(noisy, level, batch.anchor, batch.text, state)
        weighted = self.row.study.train.loss_weight == "bell"
        weight = flow.bell(level, self.row.timestep_shift) if weighted else None
        return flow.loss(predicted, target.latents, batch.noise, weight)
