"""Raw context: the first K frames of the evidence, kept as they are and read as clean tokens by self-attention.

written: the K-1 best retrieved latents with their cameras. read: the same, in order of time, before the anchor.
K=1 keeps nothing beside the anchor: the image-to-video baseline.
"""

from __future__ import annotations

from echo.evidence.frames import Frames
from echo.memory.base import Memory
from echo.memory.context.settings import Settings
from echo.model.backbone import ReadOut


class ContextMemory(Memory):
    """Keeps the first K-1 retrieved frames."""

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings

    def write(self, state, evidence, text, backbone):
        return evidence.span(1, self.settings.frames).tensors()

    def read(self, state, backbone):
        frames = Frames(**state)
        return ReadOut(frames=frames.chronological() if frames.count else None)


def build(settings, sizes):
    return ContextMemory(settings)
