"""Settings of the family ``state_space``; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from echo.study.profile import Profile


class Settings(Profile):
    """Recurrence."""

    cell: Annotated[
        Literal["average", "gated_average", "convolution"], Field(description="what carries the state along time")
    ]
    every: Annotated[int, Field(ge=1, description="blocks 0, every, 2 every, ... recur")]
    gate: Annotated[
        Literal["zero", "bounded", "narrow"],
        Field(
            description="scale of the residual: `zero` starts at 0, `bounded` stays between 0.1 and 1, `narrow` "
            "between 0.1 and 0.2"
        ),
    ]
    hook_point: Annotated[
        Literal["after_block", "after_attention"],
        Field(description="where the recurrence acts: after the block, or after its self-attention"),
    ] = "after_block"
    context: Annotated[
        Literal["before_target", "after_target"], Field(description="where the history stands in the causal scan")
    ] = "before_target"
    order: Annotated[
        Literal["time", "rank"],
        Field(description="how the evidence is written: in order of `time`, or by `rank`, the best frame last"),
    ] = "time"
    carry_state: Annotated[bool, Field(description="whether the state is carried from segment to segment")] = True
    diagnostic: Annotated[bool, Field(description="a row that is wrong on purpose and must be found inert")] = False

    @model_validator(mode="after")
    def _history_comes_first(self) -> Settings:
        if self.context == "after_target" and not self.diagnostic:
            raise ValueError(
                "context = after_target in a recurrent row: a causal scan cannot read what follows the target; "
                "allowed: before_target (or diagnostic: true, for a row that must be found inert)"
            )
        return self

    @property
    def remembers(self) -> bool:
        """A causal scan that meets the target first cannot bring history into it."""
        return self.context == "before_target"

    @property
    def needs_context_first(self) -> bool:
        """The scan runs along the sequence, so the clean frames must stand before the target."""
        return self.context == "before_target"
