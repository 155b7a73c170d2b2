"""Judges that measure how well views agree: raw agreements of each returned frame, mapped to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from echo.judge.base import Case
from echo.judge.maps import SCORES, Maps, Raw, scores_of
from echo.judge.rubric import Scores

CHUNK = 16  # cases at a time


class AgreementJudge:
    """A ``Judge`` by raw agreements, a function of cases, and the maps from these to scores."""

    def __init__(self, agreements: Callable[[Sequence[Case]], Raw], maps: Maps) -> None:
        """agreements: one raw agreement of each of ``maps.SCORES`` for every returned frame, case by case."""
        self.agreements = agreements
        self.maps = maps

    def judge(self, case: Case) -> Scores:
        """Scores of one case: of several returned frames, the mean; missing (NaN) where one of theirs is."""
        return self.judge_batch([case])[0]

    def judge_batch(self, cases: Sequence[Case]) -> list[Scores]:
        """Scores of many cases, all of one frame size."""
        chunks = (cases[start : start + CHUNK] for start in range(0, len(cases), CHUNK))
        return [scores for chunk in chunks for scores in self._judge_chunk(chunk)]

    def _judge_chunk(self, cases: Sequence[Case]) -> list[Scores]:
        found = scores_of(self.agreements(cases), self.maps)
        four = np.stack([found[name] for name in SCORES], -1)
        counts = [len(case.returned) for case in cases]
        ends = np.cumsum(counts)
        return [Scores(*four[end - count : end].mean(0)) for count, end in zip(counts, ends, strict=True)]
