"""Settings of the judge ``people``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from echo.study.sections.section import Flag, Path, Section

FILES = ("answers",)


class Settings(Section):
    """People, by the files of answers that the page of `snakemake people` saves."""

    answers: Annotated[tuple[Path, ...], Field(min_length=1, max_length=1000)] = Field(
        description="files of answers, at least one; a rater's last one alone"
    )
    page: str | None = Field(
        default=None,
        pattern=r"^q[0-9a-f]{16}$",
        description="the page that answers must be of, as its record names it; null: any",
    )
    scripted: Flag = Field(
        default=False,
        description="read files that a script filled in through a browser, and no others; without it they are refused. "
        "For trying the page out: what comes of it is no result",
    )

    @field_validator("answers")
    @classmethod
    def _each_file_once(cls, answers: tuple[str, ...]) -> tuple[str, ...]:
        """A file that is listed twice would give every answer twice."""
        for path in answers:
            if answers.count(path) > 1:
                raise ValueError(f"lists {path} twice")
        return answers
