"""How much two images agree inside a mask: in colour, features, gradients, and in what stands out of its surroundings.

All take many images at once, in the layout (images, height, width, channels), and weights (images, height, width) that
say how much each place counts.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from scipy.ndimage import binary_dilation, gaussian_filter
from skimage.color import rgb2lab
from torch.nn import functional

TINY = 1e-6
GRID = 64  # pixels along each side at which colours and gradients are compared
COLOUR_SCALE = 20.0  # CIELAB units over which colour agreement falls by e

Images: TypeAlias = Float[np.ndarray, "images height width channels"]
Weights: TypeAlias = Float[np.ndarray, "images height width"]
PerImage: TypeAlias = Float[np.ndarray, " images"]
Masks: TypeAlias = Float32[np.ndarray, "images _ _"]  # of several sizes within one function


def resize(
    x: Float32[np.ndarray, "images channels height width"], size: int
) -> Float32[np.ndarray, "images channels {size} {size}"]:
    """Images of ``size`` x ``size`` pixels, each new pixel the mean of the old ones under it."""
    if x.shape[2:] == (size, size):
        return x
    if x.shape[2] % size == 0 and x.shape[3] % size == 0:
        return functional.adaptive_avg_pool2d(torch.from_numpy(x), size).numpy()
    return functional.interpolate(torch.from_numpy(x), (size, size), mode="bilinear", antialias=True).numpy()


def as_lab(frames: UInt8[np.ndarray, "images height width 3"]) -> Float32[np.ndarray, "images 64 64 3"]:
    """Frames of GRID x GRID pixels, in CIELAB."""
    small = resize(frames.transpose(0, 3, 1, 2).astype(np.float32), GRID).transpose(0, 2, 3, 1)
    return rgb2lab(np.clip(small / 255, 0, 1)).astype(np.float32)


def resized(masks: Masks, size: int) -> Float32[np.ndarray, "images {size} {size}"]:
    """Masks of ``size`` x ``size`` pixels."""
    return resize(masks[:, None], size)[:, 0]


def without(masks: Masks, width: int) -> Masks:
    """1 outside of masks that are widened by a square of ``width`` pixels, 0 inside."""
    return 1.0 - binary_dilation(masks > TINY, np.ones((1, width, width))).astype(np.float32)


def blur(x: Images, sigma: float) -> Images:
    """Images under a Gaussian of ``sigma`` pixels."""
    return gaussian_filter(x, (0, sigma, sigma, 0))


def weighted_mean(x: Weights, weight: Weights) -> PerImage:
    """Weighted mean of each image; NaN where there is no weight."""
    total = weight.sum((1, 2))
    return np.divide((x * weight).sum((1, 2)), total, out=np.full(len(x), np.nan), where=total > TINY)


def cosine(a: Images, b: Images, weight: Weights) -> PerImage:
    """Cosine of two maps of vectors; two empty maps agree (1), an empty one and another do not (0)."""
    dot, aa, bb = (weighted_mean((x * y).sum(-1), weight) for x, y in ((a, b), (a, a), (b, b)))
    empty_a, empty_b = aa < TINY, bb < TINY
    value = dot / np.sqrt(np.maximum(aa, TINY) * np.maximum(bb, TINY))
    return np.where(empty_a | empty_b, (empty_a & empty_b).astype(float), value)


def colour_agreement(a: Images, b: Images, sigma: float, weight: Weights, scale: float) -> PerImage:
    """exp(-dE / scale) of CIELAB images, both blurred by ``sigma`` pixels; dE is their mean distance."""
    distance = np.linalg.norm(blur(a - b, sigma), axis=-1)
    return np.exp(-weighted_mean(distance, weight) / scale)


def gradients(lab: Images, sigma: float) -> Float[np.ndarray, "images height width 2"]:
    """Blurred luminance gradients, down and across, of CIELAB images."""
    light = gaussian_filter(lab[..., 0], (0, 1, 1))
    return blur(np.stack([np.gradient(light, axis=axis) for axis in (1, 2)], -1), sigma)


def carried_on(x: Images, clear: Weights, down: float, across: float) -> Images:
    """What the pixels that are ``clear`` would look like where they are not.

    They are carried on by a Gaussian, wider across than down: in a room what is beside an object continues behind it
    more often than what is above.
    """
    spread = gaussian_filter(clear, (0, down, across))[..., None]
    return gaussian_filter(x * clear[..., None], (0, down, across, 0)) / (spread + 1e-4)


def stands_out(x: Images, inside: Weights, clear: Weights, down: float, across: float) -> PerImage:
    """Mean distance between x inside a mask and its ``clear`` surroundings carried on into the mask."""
    return weighted_mean(np.linalg.norm(x - carried_on(x, clear, down, across), axis=-1), inside)
