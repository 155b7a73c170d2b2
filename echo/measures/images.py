"""Image measures without torch: PSNR and SSIM of pairs of frames, one number per pair; gradient energy of a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, UInt8
from skimage.metrics import structural_similarity

PART_BYTES = 2**25  # of frames that are compared at once; in float64 they take eight times as much, several times over
WINDOW = 7  # pixels along each side of SSIM's window, scikit-image's default

Frames: TypeAlias = UInt8[np.ndarray, "frames height width 3"]
PerFrame: TypeAlias = Float64[np.ndarray, " frames"]


def check_frames(a: np.ndarray, b: np.ndarray) -> None:
    """Raise ValueError unless a and b are uint8 frames (F, H, W, 3) of the same shape."""
    for name, frames in (("a", a), ("b", b)):
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
            raise ValueError(f"{name}: expected uint8 frames (F, H, W, 3), got {frames.dtype} {frames.shape}")
    if a.shape != b.shape:
        raise ValueError(f"a and b must have one shape, got {a.shape} and {b.shape}")


def psnr(a: Frames, b: Frames) -> PerFrame:
    """Peak signal-to-noise ratio in dB, peak 255; inf where two frames are identical, and only there."""
    check_frames(a, b)
    error = _in_parts(lambda x, y: np.square(x.astype(np.float64) - y).mean((1, 2, 3)), a, b)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / error)


def ssim(a: Frames, b: Frames) -> PerFrame:
    """Structural similarity by scikit-image: 7x7 uniform window, mean over channels; 1 if identical."""
    check_frames(a, b)
    if min(a.shape[1:3]) < WINDOW:
        raise ValueError(f"SSIM needs frames of at least {WINDOW}x{WINDOW} pixels, got {a.shape[1]}x{a.shape[2]}")
    pairs = zip(a, b, strict=True)
    return np.array([structural_similarity(x, y, win_size=WINDOW, channel_axis=-1, data_range=255) for x, y in pairs])


def gradient_energy(frames: Frames) -> PerFrame:
    """Mean squared difference between neighbouring pixels, across and down, over all channels.

    Blurred frames have less of it and noisy ones more, so on its own it does not measure realism.
    """
    check_frames(frames, frames)
    return _in_parts(_gradient_energy, frames)


def _gradient_energy(frames: Frames) -> PerFrame:
    values = frames.astype(np.float64)
    across, down = (np.square(np.diff(values, axis=axis)).mean((1, 2, 3)) for axis in (2, 1))
    return down + across


def _in_parts(measure: Callable[..., PerFrame], *frames: Frames) -> PerFrame:
    """A measure of each frame, computed ``PART_BYTES`` of frames at a time."""
    count, size = len(frames[0]), max(1, PART_BYTES // max(1, int(np.prod(frames[0].shape[1:]))))
    parts = [slice(start, start + size) for start in range(0, max(count, 1), size)]
    return np.concatenate([measure(*(each[part] for each in frames)) for part in parts])
