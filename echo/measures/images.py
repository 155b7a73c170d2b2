"""Image measures, frame by frame: PSNR, SSIM and LPIPS of uint8 frames (F, H, W, 3), one float64 a frame.

torch is imported by ``Lpips`` alone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage.metrics import structural_similarity

from echo.measures.weights import load_weights

WINDOW = 7  # pixels along each side of SSIM's window, scikit-image's default


def check(a: np.ndarray, b: np.ndarray) -> None:
    """Raise ValueError unless a and b are uint8 frames (F, H, W, 3) of one shape."""
    for name, frames in (("a", a), ("b", b)):
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
            raise ValueError(f"{name}: expected uint8 frames (F, H, W, 3), got {frames.dtype} {frames.shape}")
    if a.shape != b.shape:
        raise ValueError(f"a and b must have one shape, got {a.shape} and {b.shape}")


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio (F,) in dB, peak 255; inf where two frames are identical, and only there."""
    check(a, b)
    error = np.square(a.astype(np.float64) - b).mean((1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / error)


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Structural similarity (F,) by scikit-image: 7x7 uniform window, mean over channels; 1 if identical."""
    check(a, b)
    if min(a.shape[1:3]) < WINDOW:
        raise ValueError(f"SSIM needs frames of at least {WINDOW}x{WINDOW} pixels, got {a.shape[1]}x{a.shape[2]}")
    pairs = zip(a, b, strict=True)
    return np.array([structural_similarity(x, y, win_size=WINDOW, channel_axis=-1, data_range=255) for x, y in pairs])


class Lpips:
    """LPIPS, version 0.1 on AlexNet (Zhang et al. 2018, arXiv:1801.03924): 0 for identical frames, more is further.

    d = sum over layers l of mean over positions of w_l . (u_l - v_l)^2, where u_l, v_l are the outputs of AlexNet's
    l-th ReLU, scaled to unit length at each position, and w_l the published channel weights. Frames are compared at
    their own size: like the published measure, this one never resizes, so distances at other sizes are other numbers.
    """

    SHIFT = (-0.030, -0.088, -0.188)  # of frames in -1..1, as published
    SCALE = (0.458, 0.448, 0.450)
    STRIDES, PADDINGS = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1)
    POOLED = (1, 2)  # layers whose input is max-pooled, 3x3 at stride 2
    SMALLEST = 31  # pixels; below, a pooled map is empty
    EPSILON = 1e-10  # added to lengths, as published

    def __init__(self, weights: Path, batch: int = 32):
        """weights: the folder of ``alexnet.safetensors`` and ``lpips_alex.safetensors``; batch: pairs a pass."""
        import torch

        network, channels = load_weights(weights, "alexnet"), load_weights(weights, "lpips_alex")
        self.kernels = [torch.from_numpy(network[f"conv{i}.weight"]) for i in range(5)]
        self.biases = [torch.from_numpy(network[f"conv{i}.bias"]) for i in range(5)]
        self.channels = [torch.from_numpy(channels[f"linear{i}"]) for i in range(5)]
        # (x / 127.5 - 1 - shift) / scale = x * factor + offset
        shift, scale = (torch.tensor(v).view(1, 3, 1, 1) for v in (self.SHIFT, self.SCALE))
        self.factor, self.offset = 1 / (127.5 * scale), (-1 - shift) / scale
        self.batch = batch

    def __call__(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Distances (F,) of frames a, b (F, H, W, 3) uint8."""
        import torch

        check(a, b)
        if min(a.shape[1:3]) < self.SMALLEST:
            raise ValueError(
                f"LPIPS needs frames of at least {self.SMALLEST}x{self.SMALLEST} pixels, got {a.shape[1]}x{a.shape[2]}"
            )
        with torch.inference_mode():
            distances = [
                self._distance(torch.from_numpy(np.concatenate([a[i : i + self.batch], b[i : i + self.batch]])))
                for i in range(0, len(a), self.batch)
            ]
        return torch.cat(distances).double().numpy() if distances else np.zeros(0)

    def _distance(self, both):
        """both: uint8 (2n, H, W, 3), a's frames then b's; distances (n,)."""
        total = 0
        for maps, channels in zip(self.features(both), self.channels, strict=True):
            unit = maps / (maps.square().sum(1, keepdim=True).sqrt() + self.EPSILON)
            u, v = unit.chunk(2)
            total = total + ((u - v).square().mean((2, 3)) * channels).sum(1)
        return total

    def features(self, frames) -> list:
        """Outputs (F, C, h, w) of AlexNet's five ReLUs for a uint8 tensor (F, H, W, 3)."""
        from torch.nn import functional

        x = frames.permute(0, 3, 1, 2).float() * self.factor + self.offset
        maps = []
        layers = zip(self.kernels, self.biases, self.STRIDES, self.PADDINGS, strict=True)
        for i, (kernel, bias, stride, padding) in enumerate(layers):
            if i in self.POOLED:
                x = functional.max_pool2d(x, 3, 2)
            x = functional.conv2d(x, kernel, bias, stride, padding).relu()
            maps.append(x)
        return maps
