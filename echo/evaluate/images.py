"""PSNR, SSIM and LPIPS of pairs of frames, uint8 (F, H, W, 3) each, to (F,) float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage.metrics import structural_similarity

LPIPS_BATCH = 128
EPSILON = 1e-10


def _pair(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape or a.ndim != 4 or a.dtype != np.uint8 or b.dtype != np.uint8:
        raise ValueError(
            f"expected two uint8 arrays (F, H, W, 3) of one shape, got {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        )


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB, peak 255; infinite for identical frames."""
    _pair(a, b)
    error = np.square(a.astype(np.float64) - b).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / error)


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004), scikit-image's, 7 x 7 window, mean over colours."""
    _pair(a, b)
    return np.array([structural_similarity(x, y, channel_axis=-1, data_range=255) for x, y in zip(a, b, strict=True)])


class Lpips:
    """LPIPS 0.1 with AlexNet (Zhang et al. 2018), the published weights; frames are not resized.

    ``weights``: the folder that ``echo.weights.fetch_weights`` wrote.
    """

    def __init__(self, weights: Path):
        from echo.evaluate.alexnet import load_alexnet

        self.network, self.linear = load_alexnet(Path(weights))

    def __call__(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Distances (F,)."""
        import torch

        _pair(a, b)
        out = []
        with torch.inference_mode():
            for start in range(0, len(a), LPIPS_BATCH):
                both = np.concatenate([a[start : start + LPIPS_BATCH], b[start : start + LPIPS_BATCH]])
                features = self.network(torch.from_numpy(both).permute(0, 3, 1, 2).float() / 127.5 - 1)
                total = 0
                for layer, weight in zip(features, self.linear, strict=True):
                    unit = layer / (layer.square().sum(1, keepdim=True).sqrt() + EPSILON)
                    first, second = unit.chunk(2)
                    total = total + torch.einsum("fchw,c->fhw", (first - second).square(), weight).mean((1, 2))
                out.append(total.double().numpy())
        return np.concatenate(out) if out else np.zeros(0)
