"""Section ``open_domain``: lone first frames that a user brings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from echo.study.sections.section import Path, Section
from echo.study.words import BRANCHES

# Those that end at the first frame, which is all that is known; recall is given its history.
RETURNING = tuple(name for name, branch in BRANCHES.items() if branch.returns and not branch.recall)
Branch = Literal[*RETURNING]  # pyright: ignore[reportInvalidTypeForm]


class OpenDomain(Section):
    """Pictures that rollouts start from, without any true video: `snakemake open_domain` rolls out and judges them."""

    images: Path | None = Field(
        default=None, description="folder of pictures with an `images.csv` (docs/open_domain.md); null: none"
    )
    branches: Annotated[tuple[Branch, ...], Field(min_length=1)] = Field(  # pyright: ignore[reportInvalidTypeForm]
        default=("return_45",),
        description="the cameras' ways; the paper's is `return_45`. `return_strict` also walks, whatever a picture "
        "shows in the way",
    )

    @field_validator("branches")
    @classmethod
    def _each_branch_once(cls, branches: tuple[str, ...]) -> tuple[str, ...]:
        """A branch that is listed twice would be rolled out once."""
        for branch in branches:
            if branches.count(branch) > 1:
                raise ValueError(f"lists {branch} twice")
        return branches
