"""Cases with frames, poses and depth of an invented room, and a codec that changes nothing but is seen to be used."""

from __future__ import annotations

import numpy as np
import torch
from einops import rearrange

from echo.io.seeding import generator
from echo.rollout.known import Known
from echo.world.camera import pixel_rays, rotation_matrices

SIZE, CELL, FOV, SEGMENT = 16, 4, 75.0, 2


class LosslessCodec:
    """Cells of 4 x 4 pixels as latents of 48 channels, as they are; counts what passes through."""

    def __init__(self) -> None:
        self.decoded = self.encoded = 0

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        self.encoded += len(frames)
        return rearrange(frames.float() / 255, "f (h i) (w j) c -> f (c i j) h w", i=CELL, j=CELL)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        self.decoded += len(latents)
        pixels = rearrange(latents, "f (c i j) h w -> f (h i) (w j) c", i=CELL, j=CELL)
        return (pixels * 255).round().clamp(0, 255).to(torch.uint8)

    def encode_segments(self, frames: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.encode(segment) for segment in frames])

    def decode_segments(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.decode(segment) for segment in latents])


def box_view(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame and planar depth of a box 6 x 6 x 3 m around the origin, its faces smoothly coloured by place."""
    rays = pixel_rays(SIZE, FOV) @ rotation_matrices(pose[None])[0].T
    with np.errstate(divide="ignore"):
        walls = np.stack([(np.sign(rays[..., k]) * (3, 3, 1.5)[k] - pose[k]) / rays[..., k] for k in range(3)])
    depth = np.where(walls > 0, walls, np.inf).min(0)
    points = pose[:3] + depth[..., None] * rays
    colour = 127 + 100 * np.stack([np.sin(points[..., 0]), np.cos(points[..., 1] + 1), np.sin(2 * points[..., 2])], -1)
    return colour.round().astype(np.uint8), depth.astype(np.float32)


def box_case(given: np.ndarray, targets: np.ndarray, codec: LosslessCodec, seed: int = 0) -> Known:
    """What is known of a walk in the box: poses (given, 6) with all that belongs to them, and poses to be drawn."""
    views, truth = ([box_view(pose) for pose in poses] for poses in (given, targets))
    frames = np.stack([frame for frame, _ in views])
    latents = codec.encode(torch.from_numpy(frames))
    codec.encoded = 0
    depth = np.stack([one for _, one in views])
    return Known(frames, latents, given, depth, targets, np.stack([one for one, _ in truth]), SEGMENT, FOV, seed)


def walk(count: int, seed: int = 0) -> np.ndarray:
    """Level poses (count, 6) near the middle of the box, turning steadily."""
    draw = generator(seed, "walk")
    places = np.cumsum(draw.normal(0, 0.1, (count, 2)), 0)
    yaws = 10.0 * np.arange(count)
    zeros = np.zeros(count)
    return np.stack([places[:, 0], places[:, 1], zeros, zeros, zeros, yaws], -1)
