"""Section ``text``: the caption's embedding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from echo.study.sections.section import Integer, Section


class Text(Section):
    """The caption's embedding."""

    kind: Literal["hashed", "none", "umt5"] = Field(
        default="hashed",
        description="`hashed`: one fixed random vector per word; `none`: one zero token; `umt5`: the text encoder of "
        "`pretrained`",
    )
    dim: Annotated[Integer, Field(ge=4, le=16_384)] = Field(default=64, description="width of a text token")
    tokens: Annotated[Integer, Field(ge=1, le=4096)] = Field(
        default=12, description="text tokens a caption is cut or padded to"
    )
