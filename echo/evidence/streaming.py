"""Policy ``streaming``: what a live world model can do.

Frames are offered to a memory once, in order, as soon as they are there: frame 0 at the start, then a segment's T
frames when it has been generated. The memory keeps what its profile says without knowing what will be asked, and what
it keeps is all that survives between segments. At the next segment it is read with that segment's poses.

The cameras of offered frames are relative to the newest of them, which is the next segment's anchor: its pose is known
when the memory is written, it is where the camera stands, and it is one step from the frame that the next segment's
cameras refer to, so that a scan that goes on from the written state meets no jump. A memory that will show frames to a
later segment keeps their poses and re-expresses them when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from echo.evidence.frames import Frames
from echo.evidence.policy import Encoder, Policy, Writer
from echo.evidence.segments import Ranking, Segments
from echo.io.draws import BatchSlice
from echo.study.config import Study
from echo.study.words import first_target


class Rule(Policy):
    """The state of every memory is carried; without history, its one write is of the anchor."""

    def rank(self, study: Study, poses: Mapping[str, np.ndarray]) -> Ranking:
        """Nothing: no frame is searched for."""
        return Ranking({})

    def first(self, segment: int, carries: bool, anchor_only: bool = False) -> int:
        """The first segment; where the anchor alone is ever offered, the segment itself."""
        return segment if anchor_only else 1

    def offer(
        self,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        anchor_only: bool = False,
        part: BatchSlice | None = None,
    ) -> Frames:
        """Frame 0, or the frames of the segment before; of these the last alone where history is dropped."""
        stop = first_target(segment, segments.study.segment.frames)
        start = stop - self._count(segments.study, segment, anchor_only)
        index = np.tile(np.arange(start, stop), (len(latents), 1))
        return segments.seen(latents, index, stop - 1, noise, part)

    def sizes(self, study: Study, segment: int, carries: bool, anchor_only: bool = False) -> tuple[int, ...]:
        """1, then T for each segment before this one."""
        numbers = range(self.first(segment, carries, anchor_only), segment + 1)
        return tuple(self._count(study, number, anchor_only) for number in numbers)

    def anchor(
        self,
        offered: Frames,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        part: BatchSlice | None = None,
    ) -> Frames:
        """The last frame before the segment, seen from the segment's first target frame."""
        return segments.anchor(latents, segment, noise, part)

    def write(
        self, memory: Writer[Encoder], state: dict[str, Tensor] | None, frames: Frames, text: Tensor, backbone: Encoder
    ) -> dict[str, Tensor]:
        """``Memory.append``."""
        return memory.append(state, frames, text, backbone)

    def searched(self, segment: int, frames: int, memory: Writer[Any]) -> int:
        """None: what a memory did not keep is gone."""
        return 0

    def keeps_state(self, memory: Writer[Any]) -> bool:
        """Always."""
        return True

    def _count(self, study: Study, segment: int, anchor_only: bool) -> int:
        """Frames offered before a segment."""
        return 1 if anchor_only or segment == 1 else study.segment.frames
