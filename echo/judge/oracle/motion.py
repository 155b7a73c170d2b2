"""How the camera of a shown view is off from that of the true one: an image motion that explains the difference.

The motion of a rigid scene under a small motion of the camera is a sum of a few fields (Longuet-Higgins and Prazdny
1980): turning moves pixels by polynomials of their place of degree two, whatever their depth, and stepping moves them
by their inverse depth. The weights of these fields are found by Gauss-Newton steps on blurred luminance, from coarse to
fine (Lucas and Kanade 1981), from no motion and from the shift that correlates best; the better end counts. No focal
length is needed, as each field has a weight of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.registration import phase_cross_correlation

from echo.judge.comparisons import TINY, cosine, gradients

BLURS = (4.0, 2.0, 1.0)  # pixels, from coarse to fine
STEPS = 6  # of Gauss-Newton for each
RIDGE = 0.01  # how strongly a weight is held at 0, against the mean square of luminance's slopes
OUTLIER = 0.5  # deviations of luminance from which a pixel counts less: an object that moved, noise
LEAST_SEEN = 0.3  # share of the true view that must lie in the shown one
STRUCTURE = (1.0, 2.0)  # pixels by which gradients are blurred when the ends are compared

Plane = Float[np.ndarray, "height width"]


@dataclass(frozen=True)
class Motion:
    """Where the true view's pixels are in the shown one: ``flow`` in pixels, down and across.

    seen: whether they are in it. agreement: cosine of the gradients of the true view and of the shown one moved back,
    0 where too little is seen.
    """

    flow: Float[np.ndarray, "2 height width"]
    seen: Bool[np.ndarray, "height width"]
    agreement: float


def motion(
    true: Float[np.ndarray, "height width 3"],
    shown: Float[np.ndarray, "height width 3"],
    weight: Plane,
    inverse_depth: Plane | None = None,
) -> Motion:
    """The motion that takes the true view to the shown one, both in CIELAB; ``weight``: how much each pixel counts.

    inverse_depth: of the true view, in any unit, for what a step of the camera does; without it turning alone is found.
    """
    fields = _fields(weight.shape, inverse_depth)
    starts = [np.zeros(len(fields)), _shift(true[..., 0], shown[..., 0], weight, len(fields))]
    ends = [_ended(_found(true[..., 0], shown[..., 0], weight, fields, start), true, shown, weight) for start in starts]
    return max(ends, key=lambda end: end.agreement)


def moved_back(shown: Float[np.ndarray, "height width 3"], flow: Float[np.ndarray, "2 height width"]) -> np.ndarray:
    """The shown view as seen from the true camera: each pixel's colour from where the flow says it is."""
    places = np.indices(flow.shape[1:]) + flow
    return np.stack([map_coordinates(shown[..., i], places, order=1, mode="nearest") for i in range(3)], -1)


def _fields(shape: tuple[int, ...], inverse_depth: Plane | None) -> Float[np.ndarray, "fields 2 height width"]:
    """The motions, down and across: of the first two, weights are pixels."""
    y, x = (2 * place / (length - 1) - 1 for place, length in zip(np.indices(shape), shape, strict=True))
    one, none = np.ones(shape), np.zeros(shape)
    fields = [(one, none), (none, one), (y, none), (x, none), (none, y), (none, x), (y * y, x * y), (x * y, x * x)]
    if inverse_depth is not None:
        near = inverse_depth / max(float(inverse_depth.mean()), TINY)
        fields += [(near, none), (none, near), (near * y, near * x)]
    return np.array(fields)


def _shift(true: Plane, shown: Plane, weight: Plane, count: int) -> Float[np.ndarray, " fields"]:
    """Weights of the shift of all pixels that correlates best over the pixels that count."""
    start = np.zeros(count)
    if (weight > 0).sum() > LEAST_SEEN * weight.size and true.std() > 0 and shown.std() > 0:
        edges = [gaussian_filter(light, 1.0) - gaussian_filter(light, 6.0) for light in (true, shown)]
        shift, _, _ = phase_cross_correlation(*edges, reference_mask=weight > 0, overlap_ratio=0.5)
        start[:2] = -np.asarray(shift)
    return start


def _found(true: Plane, shown: Plane, weight: Plane, fields: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The flow after Gauss-Newton steps from the weights ``start``."""
    weights = start
    places = np.indices(true.shape)
    for blur in BLURS:
        target, light = (_evened(gaussian_filter(one, blur), weight) for one in (true, shown))
        slopes = np.array(np.gradient(light))
        for _ in range(STEPS):
            flow = np.tensordot(weights, fields, 1)
            here = [map_coordinates(one, places + flow, order=1, mode="nearest") for one in (light, *slopes)]
            missing = target - here[0]
            counts = weight * _inside(flow) / (1 + (missing / OUTLIER) ** 2)
            design = (fields[:, 0] * here[1] + fields[:, 1] * here[2]).reshape(len(fields), -1)
            normal = (design * counts.ravel()) @ design.T
            ridge = RIDGE * (counts * (here[1] ** 2 + here[2] ** 2)).sum() + TINY
            # The shift is free; what bends it is held.
            held = ridge * np.diag(np.arange(len(fields)) >= 2)
            right = (design * counts.ravel()) @ missing.ravel() - held @ weights
            weights = weights + np.linalg.solve(normal + held + TINY * np.eye(len(fields)), right)
    return np.tensordot(weights, fields, 1)


def _ended(flow: np.ndarray, true: np.ndarray, shown: np.ndarray, weight: Plane) -> Motion:
    """The motion with what the views have in common after it."""
    seen = _inside(flow)
    counts = weight * seen
    if not np.isfinite(flow).all() or counts.sum() <= LEAST_SEEN * weight.sum():
        return Motion(np.nan_to_num(flow), seen, 0.0)
    back = moved_back(shown, flow)
    found = [cosine(gradients(true[None], blur), gradients(back[None], blur), counts[None]) for blur in STRUCTURE]
    return Motion(flow, seen, float(np.clip(np.mean(found), 0, 1)))


def _inside(flow: np.ndarray) -> np.ndarray:
    """Whether the pixels land in the frame."""
    places = np.indices(flow.shape[1:]) + flow
    edges = np.array(flow.shape[1:])[:, None, None] - 1
    return np.all((places >= 0) & (places <= edges), axis=0)


def _evened(light: Plane, weight: Plane) -> Plane:
    """Luminance of mean 0 and spread 1 over the pixels that count."""
    total = weight.sum() + TINY
    centred = light - (light * weight).sum() / total
    return centred / (np.sqrt((centred**2 * weight).sum() / total) + 1e-3)
