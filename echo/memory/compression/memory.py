"""Compressed context: older frames count less (weight), or are averaged in groups along time (length), or both.

Write: the retrieved frames in order of time, pooled over groups of r consecutive ones (latents and cameras alike), and
scaled by decay^age, the age in pooled frames back from the anchor. Read: as clean tokens before the anchor.
Paper: Table 6; pooling comes before weighting. The release adds two settings that the paper's text does not have:
each pooled frame is mixed with coarser views of itself, and frames are weighted by their similarity to the target.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional

from echo.evidence.frames import Frames
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.compression.settings import Settings


def pool_groups(values: Shaped[Tensor, "B F *rest"], ratio: int) -> Shaped[Tensor, "B G *rest"]:
    """Means (B, G, ...) over groups of ``ratio`` consecutive frames of values (B, F, ...); G = ceil(F / ratio).

    Groups are counted back from the newest frame, so that a remainder falls to the oldest.
    """
    groups = torch.split(values.flip(1), ratio, 1)
    return torch.stack([group.mean(1) for group in groups], 1).flip(1)


def mix_views(latents: Float[Tensor, "B F C H W"], weights: tuple[float, ...]) -> Float[Tensor, "B F C H W"]:
    """Latents (B, F, C, H, W) as weighted sums of themselves and their averages over 2x2, 4x4, ... cells.

    The averages are brought back to H x W by bilinear interpolation (the release's ``packed_multiscale``).
    """
    images = rearrange(latents, "B F C H W -> (B F) C H W")
    mixed = weights[0] * images
    for power, weight in enumerate(weights[1:], 1):
        coarse = functional.avg_pool2d(images, 2**power, ceil_mode=True)
        mixed = mixed + weight * functional.interpolate(coarse, images.shape[2:], mode="bilinear")
    return rearrange(mixed, "(B F) C H W -> B F C H W", B=len(latents))


class CompressionMemory(Memory):
    """Keeps ceil((K-1) / r) pooled frames with their weights."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The retrieved frames of the first K, pooled and weighted; no frames, of evidence that is the anchor alone."""
        kept = evidence.span(1, self.settings.frames).chronological()
        if kept.count == 0:
            return kept.tensors()
        latents, actions, rays = (
            pool_groups(value, self.settings.ratio) for value in (kept.latents, kept.actions, kept.rays)
        )
        if len(self.settings.views) > 1:
            latents = mix_views(latents, self.settings.views)
        index = pool_groups(kept.index.float(), self.settings.ratio).long()
        age = torch.arange(index.shape[1], 0, -1, device=index.device)
        weight = (self.settings.decay ** age.to(latents)).expand(len(index), -1)
        return Frames(latents, actions, rays, index, weight).tensors()

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """The pooled frames, oldest first."""
        frames = Frames(**state)
        return ReadOut(frames=frames if frames.count else None, mixture=1.0 if self.settings.mixture else None)


def build(settings: Settings, sizes: Sizes) -> Memory:
    """The memory of a row; it has no parameters."""
    return CompressionMemory(settings)
