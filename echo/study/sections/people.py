"""Section ``people``: the page on which people judge returned views."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from echo.study.sections.section import Integer, Section


class People(Section):
    """The page on which people judge returned views (`snakemake people`)."""

    pairs: Annotated[Integer, Field(ge=1, le=10_000)] = Field(
        default=200,
        description="pairs of views on the page in all, balanced over rows, branches and cases; fewer where there are "
        "fewer, and what two rows draw alike is shown once",
    )
    repeats: Annotated[Integer, Field(ge=0, le=1_000)] = Field(
        default=20, description="of these, pairs that come a second time, to see how far a rater agrees with themselves"
    )
    controls: Annotated[Integer, Field(ge=0, le=1_000)] = Field(
        default=10,
        description="of these, pairs whose answer is known: the first view itself through the codec, and, as often, "
        "another room's",
    )

    @model_validator(mode="after")
    def _mostly_rows(self) -> People:
        """A pair that comes again is of the first third, and comes in the last."""
        if self.repeats + self.controls > self.pairs / 4:
            raise ValueError(
                f"repeats + controls = {self.repeats + self.controls} of {self.pairs} pairs; expected a quarter at most"
            )
        return self
