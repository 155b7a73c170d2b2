"""Judges of returned views: the rubric, the interface, and the embedded judge on ImageNet features."""

from __future__ import annotations

from pathlib import Path

from echo.judge.base import Judge, judge_many
from echo.judge.rubric import Scores, overall

__all__ = ["Judge", "Scores", "build_judge", "judge_many", "overall"]


def build_judge(kind: str, weights: Path) -> Judge:
    """The judge of the configuration's ``evaluate.judge``; weights: the folder that echo.measures.weights fills."""
    if kind == "embedded":
        from echo.judge.embedded import EmbeddedJudge

        return EmbeddedJudge(weights)
    raise ValueError(f"evaluate.judge = {kind!r}: expected 'embedded'")
