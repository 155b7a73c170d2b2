"""SSIM and LPIPS on the pixels inside a mask, so that what was seen before and what never was are told apart.

Both are maps before they are means. SSIM's is scikit-image's own, of windows that touch their neighbours; LPIPS' is the
sum of its layers' maps, each resized to the frame (``spatial`` in the package lpips). The mean of either over a whole
frame is near to the published number, and not equal to it: scikit-image leaves the border out, and LPIPS averages each
layer at its own resolution. So whole frames are measured by ``echo.measures.images`` and ``echo.measures.lpips``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from skimage.metrics import structural_similarity
from torch import Tensor

from echo.encoding.perceptual import lpips_network
from echo.measures.images import WINDOW, Frames, check_frames
from echo.measures.seen import LEAST

Maps = Float64[np.ndarray, "frames height width"]
Mapped = Callable[[Frames, Frames], Maps]


def ssim_maps(a: Frames, b: Frames) -> Maps:
    """Structural similarity at each pixel, the mean over channels; arguments as ``echo.measures.images.ssim``'s."""
    check_frames(a, b)
    whole = [
        structural_similarity(x, y, win_size=WINDOW, channel_axis=-1, data_range=255, full=True)[1]
        for x, y in zip(a, b, strict=True)
    ]
    return np.stack(whole).mean(-1)


class LpipsMaps:
    """LPIPS at each pixel."""

    def __init__(self, weights: Path, batch: int = 2) -> None:
        """weights: the folder that holds ``alexnet.safetensors``; batch: pairs per pass."""
        self.network, self.batch = lpips_network(weights), batch
        self.network.spatial = True

    def __call__(self, a: Frames, b: Frames) -> Maps:
        """Maps of pairs of frames."""
        check_frames(a, b)
        with torch.inference_mode():
            maps = [
                self.network(_scaled(a[start : start + self.batch]), _scaled(b[start : start + self.batch]))[:, 0]
                for start in range(0, len(a), self.batch)
            ]
        return torch.cat(maps).double().numpy()


def inside(maps: Maps, masks: Bool[np.ndarray, "frames height width"]) -> float:
    """Mean over frames of a map's mean inside a mask; NaN where no frame has ``LEAST`` of its pixels inside."""
    means = [one[mask].mean() for one, mask in zip(maps, masks, strict=True) if mask.mean() >= LEAST]
    return float(np.mean(means)) if means else np.nan


def _scaled(frames: Frames) -> Float[Tensor, "frames 3 height width"]:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
