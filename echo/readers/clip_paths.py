"""Which recorded frames a clip plays, and whether the camera moved as the clip's kind asks.

Recordings have no round trips, so a loop or a return plays recorded frames forward and then the same frames backward:
every frame is a true one with its true pose, and poses repeat exactly. That holds for scenes that stand still; in a
scene with moving things they move backward on the way back.
"""

from __future__ import annotations

import numpy as np

from echo.camera import as_poses, rotation_matrices, views_disjoint
from echo.trajectories import SEGMENTS

OUT = {"loop": 2, "return_45": 1, "return_strict": 2}  # segments on the way out, as in echo.trajectories
TURNS = {"loop": 90.0, "return_45": 45.0}  # degrees between the first view and the far one
TOLERANCE = 15.0  # degrees by which a recorded turn may differ from that


def offsets(kind: str, frames_per_segment: int, stride: int, segments: int | None = None) -> np.ndarray:
    """Recorded frames that a clip of the kind plays, counted from its first: (1 + n T,) int64.

    train, replay: every ``stride``-th frame, forward. loop: out over 2 T steps and back over the same frames. Returns:
    out over T (45 degrees) or 2 T (strict) steps, back within one segment, whose last two frames are the first one.
    ``segments`` overrides n for train and replay.
    """
    frames = frames_per_segment
    if kind not in OUT:
        return np.arange(1 + (segments or SEGMENTS[kind]) * frames, dtype=np.int64) * stride
    out = np.arange(1 + OUT[kind] * frames, dtype=np.int64) * stride
    if kind == "loop":
        return np.concatenate([out, out[-2::-1]])
    steps = np.arange(1, frames) / (frames - 1)
    back = np.round(out[-1] * (1 - steps)).astype(np.int64)
    return np.concatenate([out, back, [0]])


def turns(a, b) -> np.ndarray:
    """Signed angle (F,) in degrees by which the cameras b (F, 6) look to the right of the cameras a (F, 6).

    It is measured about camera a's own up axis, so that the recording's world need not stand upright.
    """
    forward = np.einsum("fij,fi->fj", rotation_matrices(a), rotation_matrices(b)[:, :, 0])
    return np.rad2deg(np.arctan2(forward[:, 1], forward[:, 0]))


def disjoint(a, b, field_of_view: float, aspect: float) -> bool:
    """Whether cameras a (6,) and b (6,) see no common point at all, walls ignored; sufficient, for any tilt of b.

    In a's frame, both views seen from above lie in wedges: a's is as wide as its field of view, b's as its corners
    reach. Disjoint wedges make disjoint views. aspect: height / width.
    """
    both = as_poses([a, b])
    axes, other = rotation_matrices(both)
    tangent = np.tan(np.deg2rad(field_of_view) / 2)
    corners = np.array([[1, x, y * aspect] for x in (-tangent, tangent) for y in (-tangent, tangent)])
    rays = corners @ (axes.T @ other).T
    middle = np.rad2deg(np.arctan2(*(axes.T @ other[:, 0])[[1, 0]]))
    bearings = np.rad2deg(np.arctan2(rays[:, 1], rays[:, 0])) - middle
    reach = np.abs((bearings + 180) % 360 - 180).max()
    up = other.T @ axes[:, 2]  # a's vertical in b's frame: a view that holds it looks every way from above
    if reach >= 89 or (abs(up[1]) <= abs(up[0]) * tangent and abs(up[2]) <= abs(up[0]) * tangent * aspect):
        return False
    offset = axes.T @ (both[1, :3] - both[0, :3])
    here, there = np.zeros(6), np.array([offset[0], offset[1], 0, 0, 0, middle])
    return views_disjoint(here, there, max(2 * reach, field_of_view))


def qualifies(kind: str, first, far, field_of_view: float, aspect: float) -> np.ndarray:
    """Which clips of the kind the poses first (F, 6) and far (F, 6), at the way out's end, allow: (F,) bool."""
    if kind in TURNS:
        return np.abs(np.abs(turns(first, far)) - TURNS[kind]) <= TOLERANCE
    if kind == "return_strict":
        # Views that share a direction meet far away: only the others need the full test.
        allowed = np.abs(turns(first, far)) > field_of_view
        for i in np.flatnonzero(allowed):
            allowed[i] = disjoint(first[i], far[i], field_of_view, aspect)
        return allowed
    return np.ones(len(first), dtype=bool)
