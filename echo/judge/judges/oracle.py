"""The oracle: how well a returned view agrees with the true one, by its frames, the anchor's masks and depth.

It is no stand-in for a viewer, as no viewer knows the true view: it says what a judge who knew all would have said. It
needs a case's truth; a case without has no scores. It asks no network, so that what it and the embedded judges agree on
does not come from features they share. What it measures is in ``echo.judge.oracle.agreements``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from echo.judge.agreement import AgreementJudge
from echo.judge.base import Case
from echo.judge.judges._oracle_maps import MAPS
from echo.judge.oracle.agreements import agreements
from echo.judge.rubric import Scores

NEEDS = ("truth",)


class OracleJudge(AgreementJudge):
    """A ``ReportingJudge``: it counts the cases that have no truth."""

    def __init__(self) -> None:
        super().__init__(agreements, MAPS)
        self.cases, self.without_truth = 0, 0

    def judge_batch(self, cases: Sequence[Case]) -> list[Scores]:
        """Scores of many cases, all of one frame size; missing (NaN) for a case without truth."""
        self.cases += len(cases)
        self.without_truth += sum(case.truth is None for case in cases)
        return super().judge_batch(cases)

    def report(self) -> dict[str, Any]:
        """How many cases were judged, and why scores are missing."""
        return {"cases": self.cases, "missing": {"no truth of the return": self.without_truth}}


def build(weights: Path) -> OracleJudge:
    """The judge as the study uses it; it needs no weights."""
    return OracleJudge()
