"""Settings of the family ``spatial``; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from echo.study.profile import LATER, Profile


class Settings(Profile):
    """Averaged map and its read-out."""

    read_out: Annotated[Literal["text", "cross_attention", "none"], Field(description="how the tokens are read")]
    grid: Annotated[int, Field(ge=1, description="G: cells along each side of the averaged map")] = 8
    tokens: Annotated[int, Field(ge=1, description="M: memory tokens mixed from the cells")] = 64
    averaged: Annotated[
        Literal["all", "anchor"],
        Field(
            description="frames that the map averages: `all` of the evidence, of a stream all so far; or the `anchor` "
            "alone (the release, K = 1), so that nothing of the history before it is stored"
        ),
        LATER,
    ] = "all"
    pooling: Annotated[
        Literal["grid", "flat"],
        Field(
            description="`grid`: G x G cells of the frame; `flat`: G G stretches of its tokens, row after row (the "
            "release)"
        ),
        LATER,
    ] = "grid"
    mixing: Annotated[
        Literal["content", "fixed"],
        Field(
            description="shares of the cells in each token: by the cells' `content`, through a norm and two layers; or "
            "`fixed`, one learned number a cell and token, of the cells as they are (the release)"
        ),
        LATER,
    ] = "content"
    reader: Annotated[
        Literal["every_block", "first_block"],
        Field(
            description="`cross_attention`: after `every_block`, by all tokens, each block with its own layers and as "
            "many heads as the backbone; or before the `first_block` alone, by the target's tokens, without a norm, "
            "with `reader_heads` heads (the release)"
        ),
        LATER,
    ] = "every_block"
    reader_heads: Annotated[
        int, Field(ge=1, le=1024, description="heads of the reader of the first block; they divide the width"), LATER
    ] = 8

    @model_validator(mode="after")
    def _reads_as_it_says(self) -> Settings:
        if self.reader == "first_block" and self.read_out != "cross_attention":
            raise ValueError(f"reader = first_block is for read_out = cross_attention, got {self.read_out}")
        if self.reader_heads != 8 and self.reader != "first_block":
            raise ValueError(f"reader_heads = {self.reader_heads} is for reader = first_block, got {self.reader}")
        return self

    @property
    def remembers(self) -> bool:
        """A memory that is stored and not read changes nothing, and one of the anchor alone knows no history."""
        return self.read_out != "none" and self.averaged == "all"

    def misfit(self, width: int) -> tuple[str, str] | None:
        """Heads must divide the width they share."""
        if self.reader == "first_block" and width % self.reader_heads:
            return "reader_heads", f"does not divide the model's width {width}"
        return None
