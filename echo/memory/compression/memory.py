"""Compressed context: older frames count less (weight), or are averaged in groups along time (length), or both.

written: the retrieved frames in order of time, pooled over groups of r consecutive ones (latents and cameras alike),
and scaled by decay^age, the age in kept tokens back from the anchor. read: as clean tokens before the anchor.
Paper: Table 6; pooling comes before weighting. The release adds two settings that the paper's text does not have:
each pooled frame is mixed with coarser views of itself, and frames are weighed by their likeness to the target.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from echo.evidence.frames import Frames
from echo.memory.base import Memory
from echo.memory.compression.settings import Settings
from echo.model.backbone import ReadOut


def pool_groups(values: Tensor, ratio: int) -> Tensor:
    """Means (B, ceil(F / ratio), ...) over groups of ``ratio`` consecutive frames of (B, F, ...).

    Groups are counted back from the newest frame, so that a remainder falls to the oldest.
    """
    groups = torch.split(values.flip(1), ratio, 1)
    return torch.stack([group.mean(1) for group in groups], 1).flip(1)


def mix_views(latents: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Latents (B, F, C, H, W) as weighted sums of themselves and their averages over 2x2, 4x4, ... cells.

    The averages are brought back to H x W by bilinear interpolation (the release's ``packed_multiscale``).
    """
    flat = latents.flatten(0, 1)
    mixed = weights[0] * flat
    for power, weight in enumerate(weights[1:], 1):
        coarse = functional.avg_pool2d(flat, 2**power, ceil_mode=True)
        mixed = mixed + weight * functional.interpolate(coarse, flat.shape[2:], mode="bilinear")
    return mixed.unflatten(0, latents.shape[:2])


class CompressionMemory(Memory):
    """Keeps ceil((K-1) / r) pooled frames with their weights."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def write(self, state, evidence, text, backbone):
        kept = evidence.span(1, self.settings.frames).chronological()
        if kept.count == 0:
            return kept.tensors()
        pooled = [pool_groups(v, self.settings.ratio) for v in (kept.latents, kept.actions, kept.rays)]
        if len(self.settings.views) > 1:
            pooled[0] = mix_views(pooled[0], self.settings.views)
        newest = pool_groups(kept.index.float(), self.settings.ratio).long()
        age = torch.arange(newest.shape[1], 0, -1, device=newest.device)
        weight = (self.settings.decay ** age.to(kept.latents)).expand(len(newest), -1)
        return Frames(*pooled, newest, weight).tensors()

    def read(self, state, backbone):
        frames = Frames(**state)
        return ReadOut(frames=frames if frames.count else None, mixture=1.0 if self.settings.mixture else None)


def build(settings, sizes):
    return CompressionMemory(settings)
