"""Section ``segment``: how many frames are generated at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, model_validator

from echo.study.sections.section import Exponent, Integer, Section


class Segment(Section):
    """The unit of generation."""

    frames: Annotated[Integer, Field(ge=2, le=1000)] = Field(default=8, description="T, frames generated at once")
    train_segments: Annotated[Integer, Field(ge=2, le=100)] = Field(
        default=4, description="segments in a training clip"
    )
    history_weights: tuple[Annotated[float, Strict(), Field(ge=0, le=1e6), Exponent], ...] = Field(
        default=(0.05, 0.15, 0.6, 0.2), description="how often training targets the 1st, 2nd, ... segment of a clip"
    )

    @model_validator(mode="after")
    def _one_weight_per_segment(self) -> Segment:
        """As many weights as segments, not all of them zero."""
        if len(self.history_weights) != self.train_segments:
            raise ValueError(
                f"segment.history_weights has {len(self.history_weights)} entries, expected train_segments = "
                f"{self.train_segments}"
            )
        if sum(self.history_weights) < 1e-6:
            raise ValueError(f"segment.history_weights must not all be zero, got {list(self.history_weights)}")
        return self
