"""Ridge regression from camera rays to latents, fitted to the given frames and read at the target's rays.

Each latent cell has a ray: Pluecker coordinates (unit direction, moment) in the frame of the first target camera.
Random Fourier features of it (Rahimi and Recht 2007), k(x) = sqrt(2 / D) cos(W x + b), make linear regression one with
a Gaussian kernel: its length is 1 / ``direction`` for directions (radians, nearly) and 1 / ``moment`` metres for
moments. With A = sum k k^T and B = sum k (v - m)^T over the cells of all given frames, v a cell's latent and m their
mean, a target's cell is m + k^T (A + ``penalty`` I)^-1 B, which is then decoded: a memory of constant size, updated by
addition, that needs no training.

``SETTINGS`` are one set for all branches, where each would like its own: an exact return a small penalty, a revisit
beside every past pose a larger one. Of 14 tried on 16 rooms of the choosing split they lose least on revisits for what
they keep on returns (dB on recall, near and far revisit): 24.4, 24.6, 21.6; with penalty 1e-3 and moment 1: 26.7, 21.1,
14.5; with penalty 1 and moment 1: 23.1, 24.5, 22.0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float64, UInt8
from torch import Tensor

from echo.encoding.codec import Codec
from echo.io.seeding import generator
from echo.rollout.known import Known
from echo.world.camera import plucker

LABEL = "ridge from rays to latents"
NEEDS_DEPTH = False
READS_TRUTH = False


@dataclass(frozen=True)
class Settings:
    """Features D, scales of direction (1) and moment (1 / metre) in the features, and the penalty of the regression."""

    features: int = 256
    direction: float = 4.0
    moment: float = 0.5
    penalty: float = 0.1


SETTINGS = Settings()


def draw(known: Known, codec: Codec, settings: Settings = SETTINGS) -> UInt8[np.ndarray, "targets height width 3"]:
    """Latents regressed on rays, decoded."""
    return codec.decode(regress(known, settings)).numpy()


def regress(known: Known, settings: Settings = SETTINGS) -> Tensor:
    """Latents (targets, c, h, w) at the targets' rays."""
    grid = (known.latents.shape[2], known.latents.shape[3])
    before, after = (ray_features(poses, known, grid, settings) for poses in (known.poses, known.targets))
    values = rearrange(known.latents, "f c h w -> (f h w) c").double().numpy()
    mean = values.mean(0)
    gram = before.T @ before + settings.penalty * np.eye(settings.features)
    read = mean + after @ np.linalg.solve(gram, before.T @ (values - mean))
    return torch.from_numpy(rearrange(read, "(f h w) c -> f c h w", h=grid[0], w=grid[1])).to(known.latents.dtype)


def ray_features(
    poses: np.ndarray, known: Known, grid: tuple[int, int], settings: Settings
) -> Float64[np.ndarray, "cells features"]:
    """Random Fourier features of the rays of all cells of frames at ``poses``, frame by frame; drawn by the seed."""
    rays = plucker(poses, known.targets[0], grid, known.field_of_view).reshape(-1, 6).astype(np.float64)
    random = generator(known.seed, "ridge")
    scales = np.repeat([settings.direction, settings.moment], 3)
    waves = random.standard_normal((6, settings.features)) * scales[:, None]
    phases = random.uniform(0, 2 * np.pi, settings.features)
    return np.sqrt(2 / settings.features) * np.cos(rays @ waves + phases)


def kept(known: Known) -> int:
    """The symmetric A, B, the mean, and how many cells it is of."""
    features, channels = SETTINGS.features, known.latents.shape[1]
    return features * (features + 1) // 2 + features * channels + channels + 1
