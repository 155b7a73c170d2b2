"""Section ``sampler``: how the learnt flow is integrated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from echo.study.sections.section import Integer, Section


class Sampler(Section):
    """Euler steps of the learnt flow."""

    steps: Annotated[Integer, Field(ge=1, le=10_000)] = Field(default=4, description="Euler steps")
