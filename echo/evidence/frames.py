"""``Frames``: latent frames with the camera that saw them, the one form in which evidence and targets are passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from echo.world.camera import plucker, relative_actions


@dataclass(frozen=True)
class Cameras:
    """Where B clips of F frames are seen from, without what is seen.

    actions: (B, F, 12) relative to a reference camera, mostly the segment's first target frame;
    rays: (B, F, h, w, 6) Pluecker coordinates of each token's ray in that same frame;
    index: (B, F) frame number in the trajectory;
    poses: (B, F, 6) in the world, for who must see the frames from another camera later; None where they are not known,
    as those of averaged frames.
    """

    actions: Float[Tensor, "B F 12"]
    rays: Float[Tensor, "B F h w 6"]
    index: Int[Tensor, "B F"]
    poses: Float64[Tensor, "B F 6"] | None = None

    @property
    def count(self) -> int:
        """F, frames of each clip."""
        return self.index.shape[1]


@dataclass(frozen=True)
class Frames:
    """B clips of F latent frames each; their leading shapes are checked on construction.

    latents: (B, F, C, H, W); actions, rays, index and poses as in ``Cameras``, one token for each h x w cell of a
    frame; weight: (B, F) factor on the frame's tokens, or None for 1.
    """

    latents: Float[Tensor, "B F C H W"]
    actions: Float[Tensor, "B F 12"]
    rays: Float[Tensor, "B F h w 6"]
    index: Int[Tensor, "B F"]
    weight: Float[Tensor, "B F"] | None = None
    poses: Float64[Tensor, "B F 6"] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, naming the field, where a field is not of as many clips and frames as the latents."""
        lead = self.latents.shape[:2]
        for name in ("actions", "rays", "index", "weight", "poses"):
            value = getattr(self, name)
            if value is not None and value.shape[:2] != lead:
                raise ValueError(f"Frames.{name} starts with {tuple(value.shape[:2])}, latents with {tuple(lead)}")

    @property
    def count(self) -> int:
        """F, frames of each clip."""
        return self.latents.shape[1]

    @property
    def cameras(self) -> Cameras:
        """The same views without their contents."""
        return Cameras(self.actions, self.rays, self.index, self.poses)

    def take(self, order: Int[Tensor, "B k"]) -> Frames:
        """Chosen frames of each clip: order (B, k) of positions along F."""
        clip = torch.arange(len(order), device=order.device)[:, None]
        return self._map(lambda value: value[clip, order])

    def span(self, start: int, stop: int | None) -> Frames:
        """Frames start..stop (exclusive) of every clip."""
        return self._map(lambda value: value[:, start:stop])

    def chronological(self) -> Frames:
        """The same frames, those of each clip sorted by frame number."""
        return self.take(self.index.argsort(dim=1, stable=True))

    def with_latents(self, latents: Float[Tensor, "B F C H W"]) -> Frames:
        """The same views with other contents (B, F, C, H, W)."""
        return Frames(latents, self.actions, self.rays, self.index, self.weight, self.poses)

    def tensors(self) -> dict[str, Tensor]:
        """The fields that are set, by name, the poses apart: how a state stores frames that it shows as they are."""
        fields = {"latents": self.latents, "actions": self.actions, "rays": self.rays, "index": self.index}
        return fields if self.weight is None else {**fields, "weight": self.weight}

    def to(self, device: torch.device) -> Frames:
        """The same frames on another device."""
        return self._map(lambda value: value.to(device))

    def _map(self, change: Callable[[Tensor], Tensor]) -> Frames:
        """The frames with ``change`` applied to every field."""
        weight, poses = (None if value is None else change(value) for value in (self.weight, self.poses))
        return Frames(change(self.latents), change(self.actions), change(self.rays), change(self.index), weight, poses)


def join(parts: list[Frames]) -> Frames:
    """Frames one after the other along time; a missing weight counts as 1, and without some poses there are none."""
    weight = None
    if any(part.weight is not None for part in parts):
        weight = torch.cat(
            [part.latents.new_ones(part.index.shape) if part.weight is None else part.weight for part in parts], 1
        )
    poses = [part.poses for part in parts if part.poses is not None]
    return Frames(
        torch.cat([part.latents for part in parts], 1),
        torch.cat([part.actions for part in parts], 1),
        torch.cat([part.rays for part in parts], 1),
        torch.cat([part.index for part in parts], 1),
        weight,
        torch.cat(poses, 1) if len(poses) == len(parts) else None,
    )


def view(
    latents: Float[Tensor, "B F C H W"],
    poses: Float[np.ndarray, "B trajectory 6"],
    index: Int[np.ndarray, "B F"],
    reference: int,
    grid: tuple[int, int],
    field_of_view: float,
) -> Frames:
    """Frames of B clips as seen from one reference frame.

    Args:
        latents: (B, F, C, H, W).
        poses: (B, frames of the trajectory, 6), of whole trajectories.
        index: (B, F) numbers of the frames in their trajectories.
        reference: Number of the frame whose camera is the origin: mostly the segment's first target frame.
        grid: Tokens of a frame: rows, columns.
        field_of_view: Horizontal, in degrees.

    """
    picked, origin = poses[np.arange(len(index))[:, None], index], poses[:, reference]
    actions = np.stack([relative_actions(p, o) for p, o in zip(picked, origin, strict=True)])
    rays = np.stack([plucker(p, o, grid, field_of_view) for p, o in zip(picked, origin, strict=True)])
    return Frames(
        latents,
        torch.from_numpy(actions.astype(np.float32)),
        torch.from_numpy(rays.astype(np.float32)),
        torch.from_numpy(index),
        poses=torch.from_numpy(picked.astype(np.float64)),
    )
