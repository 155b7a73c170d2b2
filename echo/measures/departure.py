"""Whether a clip's camera leaves at all: the angle that its generated frames cover, beside that of the true cameras.

A camera that never leaves closes its way perfectly, as its last frame equals its first. So beside closure stands the
*departure*: the largest angle between two generated frames, by their yaw as it is followed in the frames
(``echo.measures.yaw``). A clip that stands still has none, wherever it stands: at the first view, or at the last one
that it was given. A return counts where the case departed (``echo.tables.gate``).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, UInt8

from echo.measures.departed import departed
from echo.measures.images import PerFrame
from echo.measures.yaw import yaw_path
from echo.world.recordings.clip_paths import turns

Given = UInt8[np.ndarray, "given height width 3"]
Generated = UInt8[np.ndarray, "generated height width 3"]
Poses = Float64[np.ndarray, "given+generated 6"]


def departure(given: Given, generated: Generated, poses: Poses, field_of_view: float) -> dict[str, float]:
    """``echo.measures.departed.COLUMNS`` of a case.

    given: the true frames that generation went on from; poses: the true ones (``echo.world.camera``) of the given and
    then of the generated frames; field_of_view: horizontal, in degrees.
    """
    yaw = turns(np.broadcast_to(poses[0], poses.shape), poses)
    reached = reached_angle(given, generated, yaw[: len(given)], field_of_view)
    return departed(reached, covered(yaw[len(given) :]))


def reached_angle(
    given: Given, generated: Generated, known: Float64[np.ndarray, " given"], field_of_view: float
) -> float:
    """The largest angle in degrees between two generated frames, by the yaw of the given ones; NaN if none is known.

    Where generated frames cannot all be followed from the given ones, they are followed on their own too: a row that
    draws another place at once can leave that as well.
    """
    yaw = yaw_path(np.concatenate([given, generated]), known, field_of_view)[len(given) :]
    if np.isfinite(yaw).all():
        return covered(yaw)
    return float(np.fmax(covered(yaw), covered(yaw_path(generated, np.zeros(1), field_of_view))))


def covered(yaw: PerFrame) -> float:
    """Largest angle between two of some directions, in degrees up to 180; NaN of fewer than two known ones."""
    known = yaw[np.isfinite(yaw)]
    if len(known) < 2:
        return np.nan
    return float(np.abs((known[:, None] - known + 180) % 360 - 180).max())
