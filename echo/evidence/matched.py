"""Policy ``matched``: every row is handed the same evidence E for a segment, the paper's equation 3.

E is the anchor and the frames that one retriever picks from all of history by the poses to come. So all of history must
be there to be searched, whatever a row keeps of what it is handed.
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
    """A memory is written anew for each segment, or, where it carries its state, once more."""

    def rank(self, study: Study, poses: Mapping[str, np.ndarray]) -> Ranking:
        """All segments' evidence, best first."""
        return Ranking.of(study, dict(poses))

    def first(self, segment: int, carries: bool, anchor_only: bool = False) -> int:
        """The first segment for a memory that carries its state, else the segment itself."""
        return 1 if carries else segment

    def offer(
        self,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        anchor_only: bool = False,
        part: BatchSlice | None = None,
    ) -> Frames:
        """E, seen from the segment's first target frame."""
        return segments.evidence(latents, segment, noise, anchor_only, part)

    def sizes(self, study: Study, segment: int, carries: bool, anchor_only: bool = False) -> tuple[int, ...]:
        """K for each write, or all history where that is shorter."""
        numbers = range(self.first(segment, carries), segment + 1)
        most = 1 if anchor_only else study.evidence.frames
        return tuple(min(most, first_target(number, study.segment.frames)) for number in numbers)

    def anchor(
        self,
        offered: Frames,
        segments: Segments,
        latents: Tensor,
        segment: int,
        noise: torch.Generator,
        part: BatchSlice | None = None,
    ) -> Frames:
        """The first frame of E."""
        return offered.span(0, 1)

    def write(
        self, memory: Writer[Encoder], state: dict[str, Tensor] | None, frames: Frames, text: Tensor, backbone: Encoder
    ) -> dict[str, Tensor]:
        """``Memory.write``."""
        return memory.write(state, frames, text, backbone)

    def searched(self, segment: int, frames: int, memory: Writer[Any]) -> int:
        """All frames before the segment, unless the row reads the anchor alone."""
        return first_target(segment, frames) if memory.retrieves else 0

    def keeps_state(self, memory: Writer[Any]) -> bool:
        """Where the memory carries it."""
        return memory.carries
