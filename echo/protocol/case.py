"""A case as a model meets it: the public interface of ``generate(case) -> frames``.

``Case`` holds what the case's folder holds and no truth. Frames are uint8 (F, height, width, 3), RGB.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from echo.protocol.cameras import plucker
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames
from echo.protocol.manifest import CASE, CASES, SET, CaseFile, CaseSet, read
from echo.protocol.steps import words
from echo.protocol.words import FRAME
from echo.world.errors import PoolError
from echo.world.images import read_images
from echo.world.untrusted import locate


@dataclass(frozen=True)
class Case:
    """about: all of ``case.json``, cameras among it; folder: where it lies; other: whose history it is given."""

    folder: Path
    about: CaseFile
    other: Case | None = None

    @property
    def name(self) -> str:
        """Of the case, and of its answer."""
        return self.about.name

    @property
    def caption(self) -> str:
        """The text that the model is given."""
        return self.about.caption

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        return self.about.size

    @property
    def numbers(self) -> range:
        """Numbers of the frames to generate."""
        return range(self.about.given, self.about.frames)

    @cached_property
    def given_frames(self) -> Frames:
        """The frames that are given, from frame 0 on; where the history is swapped, all but the last are another's."""
        if self.other is not None:
            return np.concatenate([self.other.given_frames[:-1], self._own_frames[-1:]])
        return self._own_frames

    @cached_property
    def _own_frames(self) -> Frames:
        whole = [f"history/{FRAME.format(number)}" for number in range(self.about.given)]
        names = whole if self.about.given > 1 else ["first.png"]
        try:
            frames = read_images([locate(self.folder, name) for name in names], self.name)
        except PoolError as error:
            raise ProtocolError(f"{self.name}: {error}; export the cases again") from None
        if frames.shape[1:3] != self.size:
            raise ProtocolError(f"{self.name}: given frames of {frames.shape[1:3]} pixels, expected {self.size}")
        return frames

    @property
    def last(self) -> UInt8[np.ndarray, "height width 3"]:
        """The last given frame, after which the first one to generate comes."""
        return self.given_frames[-1]

    @property
    def poses(self) -> Float64[np.ndarray, "frames 6"]:
        """Of all frames, in the pool's convention (``echo.world.camera``)."""
        return np.array(self.about.poses)

    @property
    def relative(self) -> Float32[np.ndarray, "frames 12"]:
        """Of all frames: 12 numbers, in the axes of the first frame to generate."""
        return np.array(self.about.relative, dtype=np.float32)

    @property
    def camera_to_world(self) -> Float64[np.ndarray, "frames 4 4"]:
        """Of all frames: OpenCV; frame 0 is the identity."""
        return np.array(self.about.camera_to_world)

    @property
    def intrinsics(self) -> Float64[np.ndarray, "3 3"]:
        """In pixels."""
        return np.array(self.about.intrinsics)

    def plucker(self, cell: int) -> Float32[np.ndarray, "frames rows columns 6"]:
        """Of all frames, through the centres of cells of ``cell`` pixels (``echo.protocol.cameras``)."""
        return plucker(self.camera_to_world, self.intrinsics, self.size, cell)

    @property
    def actions(self) -> list[list[tuple[str, int]]]:
        """Words with counts, for each frame after frame 0; raises ProtocolError where the path is not made of steps."""
        if self.about.steps is None:
            raise ProtocolError(f"{self.name}: its path is not made of steps; a played model needs Echo-1's cases")
        return [words(np.array(step)) for step in self.about.steps.frames]

    def swapped(self, other: Case) -> Case:
        """The same case with another one's history: all given frames but the last."""
        if other.about.given != self.about.given or other.size != self.size:
            raise ProtocolError(f"{self.name}: the history of {other.name} has another length or size")
        return replace(self, other=other)


def load_case(cases: Path, name: str) -> Case:
    """A case of a set; raises ProtocolError where its folder is damaged."""
    folder = Path(cases) / CASES / name
    about = read(CaseFile, folder, CASE)
    rows = {"poses": 6, "relative": 12, "camera_to_world": 4}
    for key, width in rows.items():
        value = np.shape(getattr(about, key)) if _even(getattr(about, key)) else ()
        if value[:2] != (about.frames, width):
            raise ProtocolError(f"{folder / CASE}: {key}: expected a row of {width} for each of {about.frames} frames")
    if about.name != name or about.given >= about.frames:
        raise ProtocolError(f"{folder / CASE}: is of {about.name}, with {about.given} of {about.frames} frames given")
    return Case(folder, about)


def load_set(cases: Path) -> CaseSet:
    """``set.json`` of a folder of cases."""
    made = read(CaseSet, Path(cases), SET)
    names = [entry.name for entry in made.cases]
    if len(set(names)) != len(names):
        raise ProtocolError(f"{Path(cases) / SET}: a case twice")
    return made


def _even(rows: list) -> bool:
    """Whether all rows are of one length."""
    return len({len(row) for row in rows}) == 1
