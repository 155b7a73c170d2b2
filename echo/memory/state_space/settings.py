"""Settings of the family ``state_space``; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from echo.study.profile import LATER, Profile


class Settings(Profile):
    """Recurrence."""

    cell: Annotated[
        Literal["average", "gated_average", "convolution", "linear_convolution"],
        Field(description="what carries the state along time"),
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
    norm: Annotated[bool, Field(description="whether the recurrence begins with a layer norm"), LATER] = True
    attended: Annotated[
        int,
        Field(
            ge=0,
            description="K: frames of the evidence, the anchor included, that stand in self-attention; the recurrence "
            "then scans that sequence from zero in every call and keeps no state (the release). 0: history enters by "
            "the state alone",
        ),
        LATER,
    ] = 0
    mixture: Annotated[
        bool,
        Field(description="weight the `attended` frames by their similarity to the target (mixture of contexts)"),
        LATER,
    ] = False

    @model_validator(mode="after")
    def _history_comes_first(self) -> Settings:
        if self.context == "after_target" and not self.diagnostic and not self.attended:
            raise ValueError(
                "context = after_target in a recurrent row: a causal scan cannot read what follows the target; "
                "allowed: before_target (or diagnostic: true, for a row that must be found inert; or attended > 0, "
                "where the history also stands in self-attention)"
            )
        return self

    @model_validator(mode="after")
    def _attended_frames_need_no_state(self) -> Settings:
        if self.attended and self.carry_state:
            raise ValueError(
                f"attended = {self.attended} with carry_state: true: frames in self-attention are scanned anew in "
                "every call; set carry_state: false"
            )
        if self.mixture and not self.attended:
            raise ValueError("mixture: true weights frames in self-attention, and attended = 0 has none there")
        return self

    @property
    def remembers(self) -> bool:
        """A causal scan that meets the target first cannot bring history into it; self-attention can."""
        return self.attended > 1 if self.attended else self.context == "before_target"

    @property
    def needs_context_first(self) -> bool:
        """The scan runs along the sequence, so the clean frames must stand before the target."""
        return self.context == "before_target"
