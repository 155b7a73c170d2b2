"""Compressed context: older frames count less (weight), or are averaged in groups along time (length), or both.

Write: the retrieved frames in order of time, pooled over groups of r consecutive ones (latents and cameras alike), and
scaled by decay^age, the age in pooled frames back from the anchor. Of a stream: a bank of ceil((K-1) / r) such groups
(``bank.py``), each of r frames that followed each other; their latents are kept averaged, their poses one by one, so
that cameras are averaged as they are seen at the read. Read: as clean tokens before the anchor.
Paper: Table 6; pooling comes before weighting. The release adds two settings that the paper's text does not have:
each pooled frame is mixed with coarser views of itself, and frames are weighted by their similarity to the target. It
also compresses the anchor with the rest (``anchor: compressed``), which then stands nowhere as it is, and has a gain
beside the decay (docs/released.md).
"""

from __future__ import annotations

from math import ceil

import torch
from einops import rearrange
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torch.nn import functional

from echo.evidence.frames import Frames
from echo.memory.bank import Bank, pool_groups
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.compression.settings import Settings


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
    """Keeps ceil((K-1) / r) pooled frames, or, the anchor among them, ceil(K / r)."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__()
        self.settings = settings
        self.with_anchor = settings.anchor == "compressed"
        self.first = 0 if self.with_anchor else 1  # of the evidence, the first frame that is compressed
        capacity = ceil((settings.frames - self.first) / settings.ratio)
        self.bank = Bank(capacity, settings.ratio, sizes, self.with_anchor)

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The retrieved frames of the first K, pooled and weighted; no frames, of evidence that is the anchor alone.

        With the anchor among them it is the newest of those that are pooled.
        """
        kept = evidence.span(self.first, self.settings.frames).chronological()
        if kept.count == 0:
            return kept.tensors()
        latents, actions, rays = (self._pooled(value) for value in (kept.latents, kept.actions, kept.rays))
        index = self._pooled(kept.index.float()).long()
        return self._weighted(latents, actions, rays, index).tensors()

    def append(
        self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The frames pooled, as far as the bank has room for them, and those that wait for their group to be whole."""
        return self.bank.append(state, frames)

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """The pooled frames, oldest first."""
        mixture = 1.0 if self.settings.mixture else None
        if self.bank.wrote(state):
            pooled = self.bank.frames(state, cameras.reference)
            if pooled is None:
                return ReadOut(mixture=mixture)
            frames = self._weighted(pooled.latents, pooled.actions, pooled.rays, pooled.index)
        else:
            frames = Frames(**state)
        shown = frames if frames.count else None
        return ReadOut(frames=shown, replaces_anchor=self.with_anchor, mixture=mixture)

    def _pooled(self, values: Shaped[Tensor, "B F *rest"]) -> Shaped[Tensor, "B G *rest"]:
        """Means over groups of r frames of a ranked set."""
        return pool_groups(values, self.settings.ratio, self.settings.remainder == "padded")

    def _weighted(
        self,
        latents: Float[Tensor, "B G C H W"],
        actions: Float[Tensor, "B G 12"],
        rays: Float[Tensor, "B G h w 6"],
        index: Int[Tensor, "B G"],
    ) -> Frames:
        """Pooled frames, oldest first, mixed with coarser views of themselves, and with weights by age."""
        if len(self.settings.views) > 1:
            latents = mix_views(latents, self.settings.views)
        age = torch.arange(index.shape[1], 0, -1, device=index.device) - (1 - self.first)
        weight = self.settings.decay ** age.to(latents)
        if self.settings.gain != 1:
            weight = self.settings.gain * weight
        weight = weight.expand(len(index), -1)
        return Frames(latents, actions, rays, index, weight)


def build(settings: Settings, sizes: Sizes) -> Memory:
    """The memory of a row; it has no parameters."""
    return CompressionMemory(settings, sizes)
