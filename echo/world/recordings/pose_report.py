"""What the frames of recordings say about the convention of their poses: lines to print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from echo.study.config import World
from echo.world.errors import RecordingError
from echo.world.recordings import open_recordings
from echo.world.recordings.base import Recordings
from echo.world.recordings.pose_check import agreement


def report(world: World, cache: Path, clips: int) -> Iterator[str]:
    """One line for each of ``clips`` recordings, spread over all, and one that sums them up.

    cache: where the index is kept, one for each convention. Raises RecordingError for recordings whose format leaves
    no choice.
    """
    opened = {
        name: open_recordings(world.source, Path(str(world.path)), cache.with_suffix(f".{name}"), name)
        for name in ("camera_to_world", "world_to_camera")
    }
    right: Counter[str | None] = Counter()
    first = next(iter(opened.values()))
    for place in np.unique(np.linspace(0, len(first.videos) - 1, clips).astype(int)):
        video = first.videos[place]
        try:
            found = agreement(
                {name: _poses(recordings, video) for name, recordings in opened.items()},
                lambda numbers, video=video: first.frames(video, numbers),
                first.field_of_view(video) or world.field_of_view,
            )
        except RecordingError as error:
            yield f"{video}: not looked at ({error})"
            continue
        right[found.right] += 1
        scores = ", ".join(f"{name} {score:.2f}" for name, score in found.by_convention.items())
        yield f"{video}: {scores} ({found.pairs} pairs)"
    told = ", ".join(f"{right[name]} for {name}" for name in opened)
    yield f"world.poses_are: {told}, {right[None]} cannot tell; the study has {world.poses_are}"


def _poses(recordings: Recordings, video: str) -> np.ndarray:
    """Poses (F, 6) of all frames, NaN where there is no frame or no pose."""
    known = np.flatnonzero(recordings.present(video) & recordings.posed(video))
    poses = np.full((recordings.length(video), 6), np.nan)
    poses[known] = recordings.poses(video, known)
    return poses
