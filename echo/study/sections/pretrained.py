"""Section ``pretrained``: the weights a study starts from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from echo.study.sections.section import Path, Section


class Pretrained(Section):
    """A pretrained Wan 2.1 in diffusers' folder layout (transformer, vae, text_encoder, tokenizer)."""

    repo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", max_length=200)] | None = Field(
        default=None, description="repository of the model hub it is downloaded from; none: not used"
    )
    revision: Annotated[str, Field(pattern=r"^[\w./-]+$", max_length=200)] | None = Field(
        default=None, description="commit of that repository; a download must be pinned"
    )
    path: Path | None = Field(default=None, description="a folder that is there already, instead of a download")

    @property
    def given(self) -> bool:
        """Whether the study starts from pretrained weights."""
        return bool(self.repo or self.path)

    @model_validator(mode="after")
    def _pinned(self) -> Pretrained:
        """A download names its commit."""
        if self.repo and not self.path and not self.revision:
            raise ValueError(f"pretrained.repo = {self.repo} without pretrained.revision: give the commit to download")
        return self
