"""Section ``sampler``: how the learnt flow is integrated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from echo.study.sections.section import Exponent, Integer, Section, ShippedName


class Sampler(Section):
    """Euler steps of the learnt flow."""

    steps: Annotated[Integer, Field(ge=1, le=10_000)] = Field(default=4, description="Euler steps")
    guide: ShippedName | None = Field(
        default=None,
        description="a folder of `shipped/` with a base that was trained much less; every row's flow is carried on, "
        "away from that base's (autoguidance), at the cost of one more evaluation without memory a step; null: none",
    )
    guidance: Annotated[float, Strict(), Field(ge=1, le=20), Exponent] = Field(
        default=1.0, description="w of v = v_guide + w (v_row - v_guide); above 1 with a `guide` alone"
    )
    text_guidance: Annotated[float, Strict(), Field(ge=1, le=20), Exponent] = Field(
        default=1.0,
        description="w of v = v_negative + w (v - v_negative), where v_negative reads `negative_prompt` in place of "
        "the caption and the same memory (classifier-free guidance), at the cost of one more evaluation a step; 1: "
        "none. Of use with a model that was trained on captions",
    )
    negative_prompt: Annotated[str, Field(max_length=2000)] = Field(
        default="", description="what `text_guidance` leads away from; embedded with the captions"
    )
