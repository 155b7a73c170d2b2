"""Settings of the family ``compression``; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from echo.study.profile import LATER, Profile


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
    gain: Annotated[float, Field(gt=0, le=100, description="factor on every compressed frame's tokens"), LATER] = 1.0
    anchor: Annotated[
        Literal["kept", "compressed"],
        Field(
            description="`kept`: the anchor stands in self-attention as it is, beside the compressed frames, of which "
            "the newest has age 1; `compressed`: it is the newest of those that are compressed, of age 0, and stands "
            "there in no other form (the release)"
        ),
        LATER,
    ] = "kept"
    remainder: Annotated[
        Literal["mean", "padded"],
        Field(
            description="of the oldest frames, where they are fewer than r: their `mean`, or `padded` with copies of "
            "the oldest one (the release). Of evidence that was retrieved; a stream's groups are filled as frames come"
        ),
        LATER,
    ] = "mean"

    @model_validator(mode="after")
    def _must_compress(self) -> Settings:
        if self.ratio == 1 and self.decay == 1:
            raise ValueError("ratio = 1 and decay = 1 compress nothing; use family: context")
        if abs(sum(self.views) - 1) > 1e-6:
            raise ValueError(f"views = {list(self.views)} must sum to 1, got {sum(self.views):g}")
        return self
