"""Section ``evaluate``: cases, branches, measures and the judge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, field_validator

from echo.study.references import reference_names
from echo.study.sections.section import Exponent, Integer, Section
from echo.study.words import BRANCHES, EVALUATED

Branch = Literal[*BRANCHES]  # pyright: ignore[reportInvalidTypeForm]


class Evaluate(Section):
    """Cases, branches and measures."""

    splits: Literal[*EVALUATED] = Field(  # pyright: ignore[reportInvalidTypeForm]
        default="reported",
        description="`reported`: the splits whose results are published; `choosing`: rooms of their own, on which "
        "settings are chosen; a study builds and opens the splits of one of the two",
    )
    cases: Annotated[Integer, Field(ge=1, le=100_000)] = Field(default=64, description="cases per branch")
    branches: Annotated[tuple[Branch, ...], Field(min_length=1)] = Field(  # pyright: ignore[reportInvalidTypeForm]
        default=tuple(BRANCHES), description="branches that are rolled out, each once"
    )
    batch: Annotated[Integer, Field(ge=1, le=65_536)] = Field(default=32, description="cases rolled out together")
    probe_cases: Annotated[Integer, Field(ge=2, le=100_000)] = Field(
        default=32, description="recall cases each probe intervenes on, of at least two scenes"
    )
    probe_threshold: Annotated[float, Strict(), Field(ge=0, lt=255), Exponent] = Field(
        default=0.5,
        description="mean absolute change of the return frames, in grey levels of 255, up to which tables say of a "
        "row without a shown effect that it hardly moves; a row that does not change at all fails, one inert by "
        "design must not change",
    )
    judge: str = Field(
        default="embedded",
        description="the judge: a module of echo/judge/judges, or an entry of `judges`, which gives settings to one",
    )
    judges: tuple[str, ...] = Field(
        default=(),
        description="judges beside it, named in the same way: they score the same returns, tables say how far they "
        "agree, and the results stay those of `judge`",
    )
    shown: str = Field(
        default="context_k20",
        description="the row whose rollouts are kept as pictures beside the reference row's; where the study has no "
        "such row, its last one",
    )
    references: tuple[str, ...] | None = Field(
        default=None,
        description="reference rows, which need no training, measured beside the trained ones: modules of "
        "echo/rollout/references; null: all there are. Studies on recordings leave out what needs true depth",
    )
    contrasts: tuple[tuple[str, str], ...] = Field(
        default=(),
        description="pairs of rows whose difference is what the study is for, named before it runs: tested apart from "
        "all others, with a correction over these alone",
    )
    bootstrap: Annotated[Integer, Field(ge=100, le=1_000_000)] = Field(
        default=2000, description="bootstrap resamples behind each interval"
    )

    @field_validator("branches")
    @classmethod
    def _each_branch_once(cls, branches: tuple[str, ...]) -> tuple[str, ...]:
        """A branch that is listed twice would be rolled out once."""
        for branch in branches:
            if branches.count(branch) > 1:
                raise ValueError(f"lists {branch} twice")
        return branches

    @field_validator("judges")
    @classmethod
    def _each_judge_once(cls, judges: tuple[str, ...]) -> tuple[str, ...]:
        """A judge that is listed twice would be compared with itself."""
        for judge in judges:
            if judges.count(judge) > 1:
                raise ValueError(f"lists {judge} twice")
        return judges

    @field_validator("contrasts")
    @classmethod
    def _contrasts_of_two_rows(cls, contrasts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Each pair once, of two different rows."""
        for pair in contrasts:
            if pair[0] == pair[1]:
                raise ValueError(f"compares {pair[0]} with itself")
            if sum(set(pair) == set(other) for other in contrasts) > 1:
                raise ValueError(f"lists {pair[0]} and {pair[1]} twice")
        return contrasts

    @field_validator("references")
    @classmethod
    def _references_there_are(cls, references: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Modules of the folder of reference rows, each once."""
        listed = references or ()
        for name in listed:
            if name not in reference_names():
                raise ValueError(f"no reference row {name}; expected some of {', '.join(reference_names())}")
            if listed.count(name) > 1:
                raise ValueError(f"lists {name} twice")
        return references
