"""Raw context: the first K frames of the evidence, kept as they are and read as clean tokens by self-attention.

written: the K-1 best retrieved latents with their cameras. read: the same, in order of time, before the anchor.
K=1 keeps nothing beside the anchor: the image-to-video baseline.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from echo.evidence.frames import Frames
from echo.memory.base import Memory
from echo.model.backbone import ReadOut
from echo.study.profile import Profile


class Settings(Profile):
    """Raw frames in context."""

    frames: Annotated[int, Field(ge=1, description="K: frames of the evidence kept, the anchor included")]

    @property
    def remembers(self) -> bool:
        return self.frames > 1


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
