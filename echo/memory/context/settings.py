"""Settings of the family ``context``; no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from echo.study.profile import Profile


class Settings(Profile):
    """Raw frames in context."""

    frames: Annotated[int, Field(ge=1, description="K: frames of the evidence kept, the anchor included")]

    @property
    def remembers(self) -> bool:
        """With K = 1 nothing but the anchor is kept."""
        return self.frames > 1
