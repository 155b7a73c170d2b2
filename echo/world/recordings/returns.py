"""Clips of a recording that come back: their last segment sees again what was out of sight for a while.

Cut at random, few clips of a real recording return, and a memory is trained to repeat what is in sight. Which views
meet is taken from their fields of view, at frames spread over the recording (``SAMPLES``).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float64, Int64

from echo.world.camera import overlap

SEEN = 0.5  # overlap from which on a view shows what another one did
AWAY = 0.1  # overlap below which it was out of sight in between
SAMPLES = 400  # frames of a stretch that are compared at most; three in a segment where that is fewer


def returning(
    starts: Int64[np.ndarray, " starts"],
    poses: Float64[np.ndarray, "frames 6"],
    usable: Bool[np.ndarray, " frames"],
    segment: int,
    segments: int,
    field_of_view: float,
    aspect: float,
) -> Bool[np.ndarray, " starts"]:
    """Which clips come back, by their first frames.

    Args:
        starts: First frames of clips of 1 + segments x segment frames.
        poses: Of all frames of the recording.
        usable: Which frames there are, with a pose.
        segment: Recorded frames from a segment's beginning to the next one's.
        segments: Of a clip.
        field_of_view: Horizontal, in degrees.
        aspect: A frame's height over its width.

    """
    known = np.flatnonzero(usable)
    numbers = known[:: max(1, segment // 3, math.ceil(len(known) / SAMPLES))]
    seen_again = _latest_return(numbers, poses[numbers], segment, field_of_view, aspect)
    found = np.zeros(len(starts), dtype=bool)
    for last, first in zip(numbers, seen_again, strict=True):
        end = starts + segments * segment
        found |= (first >= starts) & (last > end - segment) & (last <= end)
    return found


def _latest_return(
    numbers: Int64[np.ndarray, " sampled"],
    poses: Float64[np.ndarray, "sampled 6"],
    segment: int,
    field_of_view: float,
    aspect: float,
) -> Int64[np.ndarray, " sampled"]:
    """For each sampled frame, the latest one at least a segment before it that it sees again; -1 for none."""
    overlaps = overlap(poses, poses, field_of_view, aspect=aspect)
    latest = np.full(len(numbers), -1, dtype=np.int64)
    for place in range(1, len(numbers)):
        before = overlaps[place, :place]
        lowest = np.minimum.accumulate(before[::-1])[::-1]  # from each earlier frame on
        pairs = (before >= SEEN) & (lowest <= AWAY) & (numbers[place] - numbers[:place] >= segment)
        if pairs.any():
            latest[place] = numbers[np.flatnonzero(pairs)[-1]]
    return latest
