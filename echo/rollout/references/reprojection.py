"""The given frames as points at their true depth, drawn into the target views: what pixels alone could tell.

No row is given depth; a memory that knew the room's geometry exactly and invented nothing would draw this. What no
given frame shows is filled with the colour of the nearest pixel that one does (``geometry.splat``). The picture then
passes through the codec.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from echo.encoding.codec import Codec
from echo.rollout.known import Known, through_codec
from echo.world.geometry import splat, unproject

LABEL = "reprojection with true depth"
NEEDS_DEPTH = True
READS_TRUTH = False


def draw(known: Known, codec: Codec) -> UInt8[np.ndarray, "targets height width 3"]:
    """A splat of all given frames at every target, coded and decoded."""
    if known.depth is None:
        raise ValueError("reprojection: needs the depth of the given frames (NEEDS_DEPTH)")
    points = unproject(known.depth, known.poses, known.field_of_view)
    drawn = [splat(known.frames, points, target, known.field_of_view).frame for target in known.targets]
    return through_codec(known, np.stack(drawn), codec)


def kept(known: Known) -> int:
    """Colour and depth of every pixel of every given frame, and its pose."""
    return known.frames.size // 3 * 4 + known.poses.size
