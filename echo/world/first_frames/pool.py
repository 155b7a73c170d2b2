"""A pool of lone first frames: each video has one frame, the first, and the poses of a whole trajectory.

In the layout of a rendered pool, of which frames, poses and captions are read as ever; what comes after the first frame
is true nowhere, so there are no files of it. ``write_pool`` (``echo.world.first_frames.write``) makes it. A picture has
a video for each trajectory, named ``<picture>__<trajectory>``, and its name is the video's room, by which intervals are
clustered.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from echo.study.words import BRANCHES
from echo.world.errors import PoolError
from echo.world.rooms.rendered_pool import RenderedPool

SPLIT = "pictures"


class FirstFramePool(RenderedPool):
    """Pictures as cases; frame 0 is the only one there is, and a mask, of that frame, is there where one was given."""

    def cases(self, branch: str) -> list[str]:
        """A branch's videos, one for each picture."""
        return list(self.info.index[self.info.trajectory == BRANCHES[branch].trajectory])

    def first(self, video: str) -> UInt8[np.ndarray, "height width 3"]:
        """The picture."""
        return self.frames(video, [0])[0]

    def mask(self, video: str) -> Bool[np.ndarray, "height width"] | None:
        """Where the anchor is in the picture; None where no mask was given."""
        path = mask_file(self.folder, str(self.info.room[video]))
        if not path.is_file():
            return None
        with Image.open(path, formats=["PNG"]) as image:
            return np.asarray(image.convert("L")) > 0

    def masks(self, video: str) -> Bool[np.ndarray, "frames height width"]:
        """Raise PoolError: nobody knows where the anchor is later on."""
        raise PoolError(f"{self.folder}: {video} has a mask of its first frame at most; masks of all frames are of "
                        "rendered pools")  # fmt: skip


def mask_file(folder: Path, picture: str) -> Path:
    """Where a picture's mask lies, at the study's size."""
    return folder / "first_masks" / f"{picture}.png"
