"""Which convention the poses of a recording have, by what its frames show.

A frame is turned into another one's view, by the two poses and at the depth that suits best, and compared with what
that one shows. Under the right convention the two are alike; under the other one the camera turns and moves the wrong
way. Only clips whose camera turns can tell (``TURNED``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image
from scipy.ndimage import map_coordinates

from echo.world.camera import pixel_rays, rotation_matrices

WIDTH = 64  # pixels across at which frames are compared: what is a little off still counts
DEPTHS = (1.0, 2.5, 5.0, 20.0, 1000.0)  # units at which what is seen may lie
TURNED = (5.0, 25.0)  # degrees between the views of two frames that are compared
SHARED = 0.3  # of the pixels, that both frames must show
PAIRS = 8  # of frames of a clip
CLEAR = 0.1  # difference in agreement from which on one convention is the right one

Poses = Float64[np.ndarray, "frames 6"]
Frames = UInt8[np.ndarray, "frames height width 3"]


@dataclass(frozen=True)
class Agreement:
    """Mean correlation of a clip's frames, by convention, over ``pairs`` of them."""

    by_convention: dict[str, float]
    pairs: int

    @property
    def right(self) -> str | None:
        """The convention that agrees clearly better; None where none does."""
        ranked = sorted(self.by_convention, key=self.by_convention.__getitem__, reverse=True)
        best, other = (self.by_convention[name] for name in ranked[:2])
        return ranked[0] if self.pairs and best - other >= CLEAR else None


def agreement(conventions: dict[str, Poses], read: Callable[[np.ndarray], Frames], field_of_view: float) -> Agreement:
    """How well a clip's frames agree with its poses, as each of two ``conventions`` reads them.

    read: frames by their rising numbers; field_of_view: horizontal, in degrees.
    """
    pairs = _pairs(next(iter(conventions.values())))
    if not len(pairs):
        return Agreement(dict.fromkeys(conventions, 0.0), 0)
    numbers, where = np.unique(pairs, return_inverse=True)
    grey = [_grey(frame) for frame in read(numbers)]
    found = {}
    for name, poses in conventions.items():
        scores = [
            correlation(grey[a], grey[b], poses[numbers[a]], poses[numbers[b]], field_of_view)
            for a, b in where.reshape(-1, 2)
        ]
        found[name] = float(np.mean(scores))
    return Agreement(found, len(pairs))


def correlation(
    first: Float[np.ndarray, "height width"],
    second: Float[np.ndarray, "height width"],
    first_pose: Float64[np.ndarray, " 6"],
    second_pose: Float64[np.ndarray, " 6"],
    field_of_view: float,
) -> float:
    """Correlation of what both frames show, the first one's seen from the second, at the depth that suits best.

    0 where too little is shared at every depth.
    """
    height, width = first.shape
    rays = pixel_rays((height, width), field_of_view).reshape(-1, 3)
    turn = rotation_matrices(np.stack([first_pose, second_pose]))
    reach = np.tan(np.deg2rad(field_of_view) / 2)
    best = 0.0
    for depth in DEPTHS:
        seen = ((rays * depth) @ turn[0].T + first_pose[:3] - second_pose[:3]) @ turn[1]
        ahead = np.maximum(seen[:, 0], 1e-6)
        across = (seen[:, 1] / ahead / reach + 1) / 2 * width - 0.5
        down = (1 - seen[:, 2] / ahead / reach * width / height) / 2 * height - 0.5
        inside = (seen[:, 0] > 0) & (np.abs(across - (width - 1) / 2) <= width / 2 - 0.5)
        inside &= np.abs(down - (height - 1) / 2) <= height / 2 - 0.5
        if inside.mean() >= SHARED:
            shown = map_coordinates(second, [down[inside], across[inside]], order=1)
            own = first.reshape(-1)[inside]
            if shown.std() > 0 and own.std() > 0:
                best = max(best, float(np.corrcoef(shown, own)[0, 1]))
    return best


def _pairs(poses: Poses) -> np.ndarray:
    """Pairs (n, 2) of frames, spread over the clip, between which the view turns by an angle within ``TURNED``."""
    known = np.flatnonzero(np.isfinite(poses).all(1))
    if len(known) < 2:
        return np.zeros((0, 2), np.int64)
    turn, pairs = rotation_matrices(poses[known]), []
    for place in np.unique(np.linspace(0, len(known) - 2, PAIRS).astype(int)):
        trace = np.einsum("ij,fij->f", turn[place], turn[place + 1 :])
        angle = np.rad2deg(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
        fitting = np.flatnonzero((angle >= TURNED[0]) & (angle <= TURNED[1]))
        if len(fitting):
            middle = fitting[np.argmin(np.abs(angle[fitting] - np.mean(TURNED)))]
            pairs.append((known[place], known[place + 1 + middle]))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _grey(frame: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "rows columns"]:
    height, width = frame.shape[:2]
    size = WIDTH, max(2, round(WIDTH * height / width))
    return np.asarray(Image.fromarray(frame).convert("L").resize(size, Image.Resampling.BOX), dtype=np.float64)
