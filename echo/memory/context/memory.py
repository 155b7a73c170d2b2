"""Raw context: K frames kept as they are, the anchor included, and read as clean tokens by self-attention.

Write: the K-1 best retrieved latents with their cameras. Of a stream: a bank of K-1 frames (``bank.py``).
Read: the same, in order of time, before the anchor. K=1 keeps nothing beside the anchor: the image-to-video baseline.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from echo.evidence.frames import Frames
from echo.memory.bank import Bank
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.context.settings import Settings


class ContextMemory(Memory):
    """Keeps K-1 frames beside the anchor."""

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__()
        self.settings = settings
        self.retrieves = settings.frames > 1
        self.bank = Bank(settings.frames - 1, 1, sizes)

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The retrieved frames of the first K, by rank."""
        return evidence.span(1, self.settings.frames).tensors()

    def append(
        self, state: State | None, frames: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The frames as far as the bank has room for them, and the anchor of the segment to come."""
        return self.bank.append(state, frames)

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """The stored frames in order of time."""
        if self.bank.wrote(state):
            return ReadOut(frames=self.bank.frames(state, cameras.reference))
        frames = Frames(**state)
        return ReadOut(frames=frames.chronological() if frames.count else None)


def build(settings: Settings, sizes: Sizes) -> Memory:
    """The memory of a row; it has no parameters."""
    return ContextMemory(settings, sizes)
