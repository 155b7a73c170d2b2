"""What is known of a case before anything of it is written, wherever it comes from: Echo-1's rooms, or a pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from echo.io.files import digest
from echo.protocol.steps import StepSize, spell
from echo.protocol.words import branch_of
from echo.study.words import generated_frames

DECIMALS = 6  # of poses in a digest: what another machine's cosine differs by does not count


class View(NamedTuple):
    """All frames of a case; depth is None where nobody knows it, masks show the identity anchor.

    depth: planar, in metres, infinite where nothing is hit.
    """

    rgb: UInt8[np.ndarray, "frames height width 3"]
    masks: Bool[np.ndarray, "frames height width"]
    depth: Float32[np.ndarray, "frames height width"] | None


@dataclass(frozen=True)
class Setting:
    """What all cases of a set share. size: (height, width); frames: T, of a segment; rate: frames a second."""

    name: str
    size: tuple[int, int]
    field_of_view: float
    frames: int
    rate: float

    def record(self) -> dict[str, Any]:
        """As the set's file has it."""
        return {
            "name": self.name,
            "size": list(self.size),
            "field_of_view": self.field_of_view,
            "segment_frames": self.frames,
            "frames_per_second": self.rate,
        }


@dataclass(frozen=True)
class Scene:
    """One case. video: what a study calls it; spelled: whether its path is made of steps; look: draws it, when asked.

    poses: of all frames, given and to be generated, in the pool's convention.
    """

    setting: Setting
    name: str
    branch: str
    room: str
    video: str
    split: str
    anchor: str
    caption: str
    poses: Float64[np.ndarray, "frames 6"]
    spelled: bool
    look: Callable[[], View]

    @property
    def given(self) -> int:
        """How many frames are given: the first alone, or all before the last segment."""
        return generated_frames(self.branch, self.setting.frames)[0] if branch_of(self.branch).recall else 1

    @property
    def steps(self) -> dict[str, Any] | None:
        """The path as steps, where it is made of them; JSON-able."""
        if not self.spelled:
            return None
        size = StepSize.of(self.setting.frames)
        return {"turn_degrees": size.turn, "move_metres": size.move, "frames": spell(self.poses, size).tolist()}

    @property
    def definition(self) -> str:
        """Digest of what the case asks: whose answers may be compared. Pixels are not in it."""
        return digest([
            self.setting.record(), self.name, self.branch, self.room, self.anchor, self.caption, self.given,
            (np.round(self.poses, DECIMALS) + 0.0).tolist(), self.steps,
        ])  # fmt: skip
