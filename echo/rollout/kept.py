"""What survives between segments: all that a row must keep to go on, in numbers and bytes.

That is the memory's state, where it is carried from segment to segment, and all raw frames that are searched for
evidence: a retriever's store is part of the memory. Not counted is the anchor, which every generator of segments needs
and which is no row's own, though a row that keeps a copy of it counts that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import Tensor

from echo.memory.base import State, state_bytes, state_size

POSE_NUMBERS, POSE_BYTES = 6, 48  # of a frame's pose, in float64


@dataclass(frozen=True)
class Kept:
    """What one case keeps when a segment begins: floating-point numbers, poses among them.

    state_numbers, state_bytes: of the state that the segment is generated from, whether it survives or was written for
    this segment alone. numbers, bytes: of all that survives.
    """

    segment: int
    numbers: int
    bytes: int
    state_numbers: int
    state_bytes: int

    @classmethod
    def of(cls, segment: int, state: State, survives: bool, searched: int, frame: Tensor) -> Kept:
        """Count one case.

        survives: whether the state does; searched: raw frames kept to be searched; frame: latents (C, H, W) of one.
        """
        numbers, size = state_size(state), state_bytes(state)
        per_frame = frame.numel() + POSE_NUMBERS, frame.nbytes + POSE_BYTES
        return cls(
            segment,
            survives * numbers + searched * per_frame[0],
            survives * size + searched * per_frame[1],
            numbers,
            size,
        )

    def record(self) -> dict[str, int]:
        """As the record of a rollout holds it."""
        return asdict(self)
