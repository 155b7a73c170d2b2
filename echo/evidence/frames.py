"""``Frames``: latent frames with the camera that saw them, the one currency of evidence, memory and backbone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from echo.world.camera import plucker, relative_actions


@dataclass(frozen=True)
class Frames:
    """B clips of F latent frames each; shapes are checked on construction.

    latents: (B, F, C, H, W); actions: (B, F, 12) relative to the segment's first target frame;
    rays: (B, F, h, w, 6) Pluecker coordinates of each token's ray in that same frame;
    index: (B, F) frame number in the trajectory; weight: (B, F) factor on the frame's tokens, or None for 1.
    """

    latents: Tensor
    actions: Tensor
    rays: Tensor
    index: Tensor
    weight: Tensor | None = None

    def __post_init__(self):
        lead = self.latents.shape[:2]
        for name in ("actions", "rays", "index", "weight"):
            value = getattr(self, name)
            if value is not None and value.shape[:2] != lead:
                raise ValueError(f"Frames.{name} starts with {tuple(value.shape[:2])}, latents with {tuple(lead)}")

    @property
    def count(self) -> int:
        """F, frames a clip."""
        return self.latents.shape[1]

    def take(self, order: Tensor) -> Frames:
        """Frames picked a clip: order (B, k) of positions along F."""
        clip = torch.arange(len(order), device=order.device)[:, None]
        return self._map(lambda value: value[clip, order])

    def span(self, start: int, stop: int | None) -> Frames:
        """Frames start..stop of every clip."""
        return self._map(lambda value: value[:, start:stop])

    def chronological(self) -> Frames:
        """The same frames, each clip's sorted by frame number."""
        return self.take(self.index.argsort(dim=1, stable=True))

    def with_latents(self, latents: Tensor) -> Frames:
        """The same views with other contents."""
        return Frames(latents, self.actions, self.rays, self.index, self.weight)

    def tensors(self) -> dict[str, Tensor]:
        """The fields that are there, by name: how a memory state stores frames."""
        fields = {"latents": self.latents, "actions": self.actions, "rays": self.rays, "index": self.index}
        return fields if self.weight is None else {**fields, "weight": self.weight}

    def to(self, device: torch.device) -> Frames:
        """The same frames on another device."""
        return self._map(lambda value: value.to(device))

    def _map(self, pick) -> Frames:
        weight = None if self.weight is None else pick(self.weight)
        return Frames(pick(self.latents), pick(self.actions), pick(self.rays), pick(self.index), weight)


def join(parts: list[Frames]) -> Frames:
    """Frames one after the other along time; a missing weight counts as 1."""
    weight = None
    if any(part.weight is not None for part in parts):
        weight = torch.cat(
            [part.latents.new_ones(part.index.shape) if part.weight is None else part.weight for part in parts], 1
        )
    return Frames(
        torch.cat([part.latents for part in parts], 1),
        torch.cat([part.actions for part in parts], 1),
        torch.cat([part.rays for part in parts], 1),
        torch.cat([part.index for part in parts], 1),
        weight,
    )


def view(
    latents: Tensor, poses: np.ndarray, index: np.ndarray, reference: int, grid: tuple[int, int], field_of_view: float
) -> Frames:
    """Frames of B clips as seen from one reference frame.

    latents (B, F, C, H, W) and their frame numbers index (B, F); poses (B, N, 6) of whole clips; reference is the
    number of the frame whose camera is the origin (the segment's first target frame); grid is a frame's tokens (rows,
    columns).
    """
    picked, origin = poses[np.arange(len(index))[:, None], index], poses[:, reference]
    actions = np.stack([relative_actions(p, o) for p, o in zip(picked, origin, strict=True)])
    rays = np.stack([plucker(p, o, grid, field_of_view) for p, o in zip(picked, origin, strict=True)])
    return Frames(
        latents,
        torch.from_numpy(actions.astype(np.float32)),
        torch.from_numpy(rays.astype(np.float32)),
        torch.from_numpy(index),
    )
