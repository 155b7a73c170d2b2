"""What a pool is: the videos of one split, with frames, poses, captions and masks, wherever they come from.

=====================  ====================================  =======================================================
implementation         comes from                            differs in
=====================  ====================================  =======================================================
``RenderedPool``       ``echo.world.rooms.build``, or other  has depth and object ids; masks show the identity anchor
                       people, in the same layout
``ClipPool``           ``echo.world.recordings.clips``       no depth, no object ids; masks are the frames' middle;
                                                             overlap labels only where the recordings have them
=====================  ====================================  =======================================================

What a pool lacks is a PoolError of one line, never an invented value.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Float64, UInt8

from echo.world.errors import PoolError
from echo.world.layout import COLUMNS, INFO, VIDEOS, Indices

__all__ = ["COLUMNS", "INFO", "Indices", "Pool", "PoolError", "open_pool"]


@runtime_checkable
class Pool(Protocol):
    """The videos of one split. Frames count from 0 within their video; every method raises PoolError as said above."""

    folder: Path

    @property
    def info(self) -> pd.DataFrame:
        """One row per video, indexed by its name; the columns are those of ``INFO``."""
        ...

    @property
    def videos(self) -> list[str]:
        """Names of all videos, in the order of ``info``."""
        ...

    def length(self, video: str) -> int:
        """Frames of a video."""
        ...

    def frames(self, video: str, indices: Indices | None = None) -> UInt8[np.ndarray, "frames height width 3"]:
        """Frames, all or those at ``indices`` in their order, at the size and field of view of the study."""
        ...

    def poses(self, video: str) -> Float64[np.ndarray, "frames 6"]:
        """Poses of all frames: x, y, z in metres, roll, pitch, yaw in degrees (``echo.world.camera``)."""
        ...

    def caption(self, video: str, start: int = 0) -> str:
        """The caption of the span that holds frame ``start``; it may be empty."""
        ...

    def masks(self, video: str) -> Bool[np.ndarray, "frames height width"]:
        """Where a judge should look: the identity anchor, or, of recordings, the middle of the frame."""
        ...

    def overlapping(self, video: str, index: int) -> list[int]:
        """Frames whose view overlaps with that of frame ``index``. Optional: an error where there are no labels."""
        ...

    def depth(self, video: str) -> Float32[np.ndarray, "frames height width"]:
        """Planar depth in metres, infinite where nothing is hit. Optional: an error of recordings."""
        ...

    def ids(self, video: str) -> UInt8[np.ndarray, "frames height width"]:
        """Object ids. Optional: an error of recordings."""
        ...


def open_pool(folder: Path, splits: Sequence[str] | None = None) -> Pool:
    """A split's pool: clips cut from recordings where ``cut_pool`` wrote them, or else rendered videos.

    splits: those that the study may open; a pool that says it is of another is refused, so that a study which chooses
    settings never sees what is reported. A pool that others made, without videos.csv, says none.
    Raises PoolError for such a pool and for a folder that holds none, or only a part of one.
    """
    # Decoders, and the pandas of a stage that opens no pool, load slowly.
    from echo.world.recordings.clip_pool import CLIPS, ClipPool
    from echo.world.rooms.rendered_pool import RenderedPool

    pool = ClipPool(folder) if (Path(folder) / CLIPS).is_file() else RenderedPool(folder)
    if splits is not None and (Path(folder) / VIDEOS).is_file():
        other = [split for split in pool.info["split"].unique() if split not in splits]
        if other:
            raise PoolError(
                f"{Path(folder) / VIDEOS}: videos of split {other[0]!r}, where the study opens {', '.join(splits)} "
                "(evaluate.splits decides); give the folder of that split's pool"
            )
    return pool
