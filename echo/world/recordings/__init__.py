"""Recordings: videos on disk of any supported source, read through one interface, and cut to the study's clips.

``open_recordings`` opens a folder of videos; ``clips.cut_pool`` cuts a split of the study from them, which
``echo.world.pool.open_pool`` opens.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from echo.world.errors import RecordingError

if TYPE_CHECKING:
    from echo.world.recordings.base import Recordings

__all__ = ["SOURCES", "RecordingError", "open_recordings"]

# A source's module, which has its name, and the class there; imported when asked for, because decoders load slowly.
SOURCES = {"context_as_memory": "ContextAsMemory", "realestate10k": "RealEstate10K", "spatialvid": "SpatialVID"}


def open_recordings(source: str, path: Path, cache: Path, poses_are: str = "world_to_camera") -> Recordings:
    """The recordings of ``world.source`` in the folder ``path``; their index is kept in the file ``cache``.

    poses_are: the convention of their poses (``world.poses_are``), where the format leaves it open. Raises
    RecordingError for an unknown source, a convention that the format does not leave open, or a folder that does not
    hold what the source expects.
    """
    if source not in SOURCES:
        raise RecordingError(f"world.source = {source}: no such recordings; expected one of {', '.join(SOURCES)}")
    reader = getattr(import_module(f"echo.world.recordings.{source}"), SOURCES[source])
    if poses_are not in reader.conventions:
        raise RecordingError(f"world.poses_are = {poses_are}: {source} recordings say how their poses are to be read")
    return reader(Path(path), Path(cache), poses_are)
