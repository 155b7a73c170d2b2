"""People as a judge: their answers on the page of ``echo.judge.people``, looked up by what they saw.

A score is the mean over raters of a rater's mean over showings. What nobody was shown, or answered, is missing and
counted in ``report``; a page shows a sample, so most cases are. Answers that a script filled in are refused unless the
settings ask for them, and then for these alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from echo.io.files import sha256
from echo.judge.base import Case
from echo.judge.people.answers import PERSON, SCRIPT, Answer, AnswersError, read_answers
from echo.judge.people.pairs import pair_id
from echo.judge.rubric import WEIGHTS as RUBRIC
from echo.judge.rubric import Scores
from echo.judge.settings.people import Settings

MISSING = Scores(np.nan, np.nan, np.nan, np.nan)


class PeopleJudge:
    """A ``Judge``; raises AnswersError for a file that is not of the kind that the settings say."""

    def __init__(self, settings: Settings) -> None:
        files = [Path(path) for path in settings.answers]
        answers = read_answers(files)
        for answer in answers:
            _check(answer, settings)
        self._by_pair: dict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            self._by_pair[answer.pair].append(answer)
        self._answered = self._missing = 0
        self._about = {
            "filled in by": SCRIPT if settings.scripted else PERSON,
            "pages": sorted({answer.page for answer in answers}),
            "raters": dict(sorted(Counter(answer.rater for answer in answers).items())),
            "files": {path.name: sha256(path) for path in files},
        }

    def judge(self, case: Case) -> Scores:
        """Scores of one case (see ``echo.judge.base.Judge``)."""
        answers = self._by_pair.get(pair_id(case.first, case.returned))
        if not answers:
            self._missing += 1
            return MISSING
        self._answered += 1
        return mean_scores(answers)

    def report(self) -> dict[str, Any]:
        """For the record: who filled the files in, which files, and how many cases have an answer."""
        return {**self._about, "answered": self._answered, "missing": {"nobody answered": self._missing}}


def mean_scores(answers: list[Answer]) -> Scores:
    """Of one pair: the mean over raters of each rater's mean over showings."""
    by_rater: dict[str, list[Scores]] = defaultdict(list)
    for answer in answers:
        by_rater[answer.rater].append(answer.scores)
    return Scores(
        **{name: fmean(fmean(getattr(one, name) for one in own) for own in by_rater.values()) for name in RUBRIC}
    )


def _check(answer: Answer, settings: Settings) -> None:
    """Raise AnswersError where an answer is of another page or kind than the settings say."""
    if settings.page is not None and answer.page != settings.page:
        raise AnswersError(
            f"{answer.where}: saved by page {answer.page}, the judge's page is {settings.page}; give files of that page"
        )
    if answer.by == SCRIPT and not settings.scripted:
        raise AnswersError(
            f"{answer.where}: filled in by a script, which is no judge; give files that people filled in, or, to try "
            "the page out, set the judge's scripted: true"
        )
    if answer.by == PERSON and settings.scripted:
        raise AnswersError(
            f"{answer.where}: filled in by a person, and the judge's scripted: true reads files of scripts alone, so "
            "that the two are never mixed; remove scripted, or this file"
        )


def build(weights: Path, settings: Settings) -> PeopleJudge:
    """The judge as the study uses it; ``weights`` are not used."""
    return PeopleJudge(settings)
