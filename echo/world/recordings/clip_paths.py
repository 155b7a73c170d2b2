"""Which recorded frames a clip plays, and whether the camera moved as the clip's kind asks.

Recordings have no round trips, so a loop or a return plays recorded frames forward and then the same frames backward:
every frame is a true one with its true pose, and poses repeat exactly. That holds for scenes that stand still; in a
scene with moving things they move backward on the way back.

A revisit ends beside all past poses, where nothing was recorded, and its distances are in metres, which many recordings
lack: recordings have none (``RECORDED``), and a study that asks for one is refused.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from echo.study.words import AWAY, SEGMENTS, SPLITS
from echo.world.camera import OVERLAP_DEPTHS, ArrayLike, overlap, rotation_matrices

RECORDED = {  # the kinds of clips that each split has
    name: tuple(kind for kind in split.trajectories if kind not in AWAY)
    for name, split in SPLITS.items()
    if name != "choosing"
}
OUT = {"loop": 2, "return_45": 1, "return_strict": 2}  # segments on the way out, as in echo.world.paths
TURNS = {"loop": 90.0, "return_45": 45.0}  # degrees between the first view and the far one
DEPTHS = (*OVERLAP_DEPTHS, 10.0, 20.0, 1000.0)  # metres at which a strict return's views may not meet
TOLERANCE = 15.0  # degrees by which a recorded turn may differ from that


def offsets(
    kind: str, frames_per_segment: int, stride: int, segments: int | None = None
) -> Int64[np.ndarray, " frames"]:
    """Recorded frames that a clip of the kind plays, counted from its first: 1 + n T of them.

    train, replay: every ``stride``-th frame, forward. loop: out over 2 T steps and back over the same frames. Returns:
    out over T (45 degrees) or 2 T (strict) steps, back within one segment, whose last two frames are the first one.
    ``segments`` overrides n for train and replay. Raises ValueError for a revisit.
    """
    if kind in AWAY:
        raise ValueError(f"offsets: there is no recorded clip of kind {kind!r}: its last view lies between poses")
    frames = frames_per_segment
    if kind not in OUT:
        return np.arange(1 + (segments or SEGMENTS[kind]) * frames, dtype=np.int64) * stride
    out = np.arange(1 + OUT[kind] * frames, dtype=np.int64) * stride
    if kind == "loop":
        return np.concatenate([out, out[-2::-1]])
    steps = np.arange(1, frames) / (frames - 1)
    back = np.round(out[-1] * (1 - steps)).astype(np.int64)
    return np.concatenate([out, back, [0]])


def turns(a: ArrayLike, b: ArrayLike) -> Float64[np.ndarray, " frames"]:
    """Signed angle in degrees by which the cameras b (F, 6) look to the right of the cameras a (F, 6).

    It is measured about camera a's own up axis, so that the recording's world need not stand upright.
    """
    forward = np.einsum("fij,fi->fj", rotation_matrices(a), rotation_matrices(b)[:, :, 0])
    return np.rad2deg(np.arctan2(forward[:, 1], forward[:, 0]))


def disjoint(a: np.ndarray, b: np.ndarray, field_of_view: float, aspect: float) -> bool:
    """Whether cameras a (6,) and b (6,) see no common point at any of ``DEPTHS``, walls ignored.

    Rendered strict returns are disjoint at every depth. That would refuse any recorded camera that moves at all into
    its first view, since a view begins at its own lens; so what is nearer than the first depth is ignored.
    """
    pair = np.stack([a, b])
    return not any(overlap(pair[[i]], pair[[1 - i]], field_of_view, DEPTHS, aspect).any() for i in (0, 1))


def qualifies(
    kind: str,
    first: Float64[np.ndarray, "clips 6"],
    far: Float64[np.ndarray, "clips 6"],
    field_of_view: float,
    aspect: float,
) -> Bool[np.ndarray, " clips"]:
    """Which clips move as the kind asks, by their first pose and the pose ``far`` at the end of the way out."""
    if kind in TURNS:
        return np.abs(np.abs(turns(first, far)) - TURNS[kind]) <= TOLERANCE
    if kind == "return_strict":
        allowed = np.abs(turns(first, far)) > field_of_view
        for i in np.flatnonzero(allowed):
            allowed[i] = disjoint(first[i], far[i], field_of_view, aspect)
        return allowed
    return np.ones(len(first), dtype=bool)
