"""Recordings: videos on disk of any supported source, read through one interface, and cut to the study's clips.

``open_recordings`` opens a folder of videos; ``clips.cut_pool`` cuts a split of the study from them; ``open_pool``
opens a split, rendered or cut.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from echo.world.recordings.index import RecordingError

if TYPE_CHECKING:
    from echo.world.recordings.base import Recordings
    from echo.world.recordings.clip_pool import ClipPool
    from echo.world.rooms.pool import Pool

# A source's module, which has its name, and the class there; imported when asked for, because decoders load slowly.
SOURCES = {"context_as_memory": "ContextAsMemory", "realestate10k": "RealEstate10K", "spatialvid": "SpatialVID"}


def open_recordings(source: str, path: Path, cache: Path) -> Recordings:
    """The recordings of ``world.source`` in the folder ``path``; their index is kept in the file ``cache``.

    Raises RecordingError for an unknown source, or a folder that does not hold what the source expects.
    """
    if source not in SOURCES:
        raise RecordingError(f"world.source = {source}: no such recordings; expected one of {', '.join(SOURCES)}")
    kind = getattr(import_module(f"echo.world.recordings.{source}"), SOURCES[source])
    return kind(Path(path), Path(cache))


def open_pool(folder: Path) -> Pool | ClipPool:
    """A split's pool: clips cut from recordings where ``cut_pool`` wrote them, or else rendered videos."""
    from echo.world.recordings.clip_pool import CLIPS, ClipPool
    from echo.world.rooms.pool import Pool

    return ClipPool(folder) if (Path(folder) / CLIPS).is_file() else Pool(folder)
