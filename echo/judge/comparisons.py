"""How much two images agree inside a mask: in colour, features, gradients, and in what stands out of its surroundings.

All take many images at once, in the layout (images, height, width, channels), and weights (images, height, width) that
say how much each place counts.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float32
from scipy.ndimage import gaussian_filter
from torch.nn import functional

TINY = 1e-6

Images: TypeAlias = Float[np.ndarray, "images height width channels"]
Weights: TypeAlias = Float[np.ndarray, "images height width"]
PerImage: TypeAlias = Float[np.ndarray, " images"]


def resize(
    x: Float32[np.ndarray, "images channels height width"], size: int
) -> Float32[np.ndarray, "images channels {size} {size}"]:
    """Images of ``size`` x ``size`` pixels, each new pixel the mean of the old ones under it."""
    if x.shape[2:] == (size, size):
        return x
    if x.shape[2] % size == 0 and x.shape[3] % size == 0:
        return functional.adaptive_avg_pool2d(torch.from_numpy(x), size).numpy()
    return functional.interpolate(torch.from_numpy(x), (size, size), mode="bilinear", antialias=True).numpy()


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


def stands_out(x: Images, inside: Weights, clear: Weights, down: float, across: float) -> PerImage:
    """Mean distance between x inside a mask and its surroundings carried on into the mask.

    Surroundings are carried on by a Gaussian over ``clear`` pixels, wider across than down: in a room what is beside
    an object continues behind it more often than what is above.
    """
    spread = gaussian_filter(clear, (0, down, across))[..., None]
    background = gaussian_filter(x * clear[..., None], (0, down, across, 0)) / (spread + 1e-4)
    return weighted_mean(np.linalg.norm(x - background, axis=-1), inside)
