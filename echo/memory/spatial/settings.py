"""Settings of the family ``spatial``; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from echo.study.profile import Profile


class Settings(Profile):
    """Averaged map and its read-out."""

    read_out: Annotated[Literal["text", "cross_attention", "none"], Field(description="how the tokens are read")]
    grid: Annotated[int, Field(ge=1, description="G: cells along each side of the averaged map")] = 8
    tokens: Annotated[int, Field(ge=1, description="M: memory tokens mixed from the cells")] = 64

    @property
    def remembers(self) -> bool:
        """A memory that is stored and not read changes nothing."""
        return self.read_out != "none"
