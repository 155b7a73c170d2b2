"""Cameras of stored frames, seen from a camera that was not known when they were stored.

``echo.world.camera`` has the same geometry for one clip in numpy, and its conventions. Here it is torch's, for a whole
batch at once, each clip with a reference of its own: a memory re-expresses what it keeps at every read. In float64, so
that coordinates may be large; results are float32 and equal those of ``echo.world.camera`` but for their last bit.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float32, Float64
from torch import Tensor

from echo.world.camera import pixel_rays


def rotations(poses: Float64[Tensor, "*any 6"]) -> Float64[Tensor, "*any 3 3"]:
    """Rotations of poses (..., 6): column 0, 1, 2 is the camera's forward, right, up axis in the world."""
    roll, pitch, yaw = torch.deg2rad(poses[..., 3:]).unbind(-1)
    cos_r, sin_r, cos_p, sin_p = roll.cos(), roll.sin(), pitch.cos(), pitch.sin()
    cos_y, sin_y = yaw.cos(), yaw.sin()
    forward = torch.stack([cos_p * cos_y, cos_p * sin_y, sin_p], -1)
    right = torch.stack(
        [sin_r * sin_p * cos_y - cos_r * sin_y, sin_r * sin_p * sin_y + cos_r * cos_y, -sin_r * cos_p], -1
    )
    up = torch.stack([-cos_r * sin_p * cos_y - sin_r * sin_y, sin_r * cos_y - cos_r * sin_p * sin_y, cos_r * cos_p], -1)
    return torch.stack([forward, right, up], -1)


def seen_from(
    poses: Float64[Tensor, "B F 6"], reference: Float64[Tensor, "B 6"], grid: tuple[int, int], field_of_view: float
) -> tuple[Float32[Tensor, "B F 12"], Float32[Tensor, "B F h w 6"]]:
    """Actions (B, F, 12) and rays (B, F, h, w, 6) of poses, in the frames of the cameras ``reference``.

    As ``relative_actions`` and ``plucker`` of ``echo.world.camera`` have them. grid: h, w; field_of_view: horizontal,
    in degrees.
    """
    frame = rotations(reference)
    origins = torch.einsum("bfi,bij->bfj", poses[..., :3] - reference[:, None, :3], frame)
    turned = torch.einsum("bji,bfjk->bfik", frame, rotations(poses))
    actions = torch.cat([origins, rearrange(turned, "B F row column -> B F (row column)")], -1)
    actions = torch.round(actions, decimals=12) + 0.0  # the exact identity for a camera at the reference
    rays = torch.from_numpy(pixel_rays(grid, field_of_view)).to(poses.device)
    rays = rays / rays.norm(dim=-1, keepdim=True)
    directions = torch.einsum("bfij,hwj->bfhwi", turned, rays)
    moments = torch.linalg.cross(rearrange(origins, "B F c -> B F 1 1 c").expand_as(directions), directions)
    return actions.float(), torch.cat([directions, moments], -1).float()
