"""LPIPS (Zhang et al. 2018, arXiv:1801.03924) of frames, with the network of ``echo.encoding.perceptual``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from echo.encoding.perceptual import SMALLEST, lpips_network
from echo.io.device import device
from echo.measures.images import Frames, PerFrame, check_frames


class Lpips:
    """Distance between frames: 0 for identical ones; larger means less similar.

    d = sum over layers l of the mean over positions of w_l . (u_l - v_l)^2, where u_l, v_l are the outputs of AlexNet's
    l-th ReLU, scaled to unit length at each position, and w_l the published channel weights. Frames are compared at
    their own size: like the published measure, this one never resizes, so values at different sizes are not comparable.
    """

    def __init__(self, weights: Path, batch: int = 32) -> None:
        """weights: the folder that holds ``alexnet.safetensors``; batch: pairs per pass."""
        self.device = device()
        self.network = lpips_network(weights).to(self.device)
        self.batch = batch

    def __call__(self, a: Frames, b: Frames) -> PerFrame:
        """Distances of pairs of frames. Raises ValueError for frames of less than 31 x 31 pixels."""
        check_frames(a, b)
        if min(a.shape[1:3]) < SMALLEST:
            raise ValueError(
                f"LPIPS needs frames of at least {SMALLEST}x{SMALLEST} pixels, got {a.shape[1]}x{a.shape[2]}"
            )
        passes = [slice(start, start + self.batch) for start in range(0, len(a), self.batch)]
        with torch.inference_mode():
            distances = [self.network(self._scaled(a[some]), self._scaled(b[some]))[:, 0, 0, 0] for some in passes]
        return torch.cat(distances).double().cpu().numpy() if distances else np.zeros(0)

    def _scaled(self, frames: Frames) -> Float32[Tensor, "frames 3 height width"]:
        """Frames as the network's input, scaled to -1..1."""
        return torch.from_numpy(np.ascontiguousarray(frames)).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
