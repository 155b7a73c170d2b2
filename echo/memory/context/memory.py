"""Raw context: the first K frames of the evidence, kept as they are and read as clean tokens by self-attention.

Write: the K-1 best retrieved latents with their cameras. Read: the same, in order of time, before the anchor.
K=1 keeps nothing beside the anchor: the image-to-video baseline.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from echo.evidence.frames import Frames
from echo.memory.base import FrameEncoder, Memory, ReadCameras, ReadOut, Sizes, State
from echo.memory.context.settings import Settings


class ContextMemory(Memory):
    """Keeps the first K-1 retrieved frames."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def write(
        self, state: State | None, evidence: Frames, text: Float[Tensor, "B L E"], backbone: FrameEncoder
    ) -> State:
        """The retrieved frames of the first K, by rank."""
        return evidence.span(1, self.settings.frames).tensors()

    def read(self, state: State, backbone: FrameEncoder, cameras: ReadCameras) -> ReadOut:
        """The stored frames in order of time."""
        frames = Frames(**state)
        return ReadOut(frames=frames.chronological() if frames.count else None)


def build(settings: Settings, sizes: Sizes) -> Memory:
    """The memory of a row; it has no parameters."""
    return ContextMemory(settings)
