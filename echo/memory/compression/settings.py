"""Settings of the family ``compression``; no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from echo.study.profile import Profile


class Settings(Profile):
    """Pooled and weighted frames in context."""

    frames: Annotated[int, Field(ge=2, description="K: frames of the evidence compressed, the anchor included")]
    ratio: Annotated[int, Field(ge=1, description="r: consecutive frames averaged into one; 1 pools nothing")] = 1
    decay: Annotated[float, Field(gt=0, le=1, description="factor on a frame's tokens for each step of age")] = 1.0
    views: Annotated[
        tuple[float, ...],
        Field(min_length=1, description="weights of a frame and its averages over 2x2, 4x4, ... cells; they sum to 1"),
    ] = (1.0,)
    mixture: Annotated[
        bool, Field(description="weight the clean frames by their similarity to the target (mixture of contexts)")
    ] = False

    @model_validator(mode="after")
    def _must_compress(self) -> Settings:
        if self.ratio == 1 and self.decay == 1:
            raise ValueError("ratio = 1 and decay = 1 compress nothing; use family: context")
        if abs(sum(self.views) - 1) > 1e-6:
            raise ValueError(f"views = {list(self.views)} must sum to 1, got {sum(self.views):g}")
        return self
