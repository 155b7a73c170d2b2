from dataclasses import replace

import numpy as np
import pytest

from echo.io.files import sha256
from echo.judge.base import Case, Judge, ReportingJudge, Truth
from echo.judge.judges.people import build
from echo.judge.people.answers import AnswersError
from echo.judge.rubric import Scores
from echo.judge.settings.people import Settings
from tests.judge.people.made import PAGE, line, made_pair, write_answers

PAIR, OTHER = made_pair(0), made_pair(1)


def case(pair, last=None) -> Case:
    return Case(pair.first, pair.returned if last is None else last, np.zeros((12, 12), bool), pair.anchor)


def judge(*paths, **settings):
    return build(paths[0].parent, Settings(answers=tuple(map(str, paths)), **settings))


def test_a_score_is_the_mean_over_raters_whoever_saw_it_twice(tmp_path):
    anna = write_answers(tmp_path / "anna.csv", line(PAIR.id, 4, 0, 1, 2), line(PAIR.id, 5, 0, 2, 2, showing=2))
    ben = write_answers(tmp_path / "ben.csv", line(PAIR.id, 0.5, 5, 1, 2, rater="ben"))
    asked = judge(anna, ben)
    assert isinstance(asked, Judge) and isinstance(asked, ReportingJudge)
    assert asked.judge(case(PAIR)) == Scores((4.5 + 0.5) / 2, 2.5, 1.25, 2)
    known = replace(case(PAIR), truth=Truth(255 - PAIR.returned, np.ones((2, 12, 12), bool)), identity=None)
    assert asked.judge(known) == asked.judge(case(PAIR))  # what people were not shown does not matter


def test_who_was_not_asked_about_is_missing_and_counted(tmp_path):
    """One pixel is another pair; what is missing is no score of 0."""
    path = write_answers(tmp_path / "a.csv", line(PAIR.id, 4, 4, 4, 4), line(OTHER.id, 0, 0, 0, 0))
    asked, changed = judge(path), PAIR.returned.copy()
    changed[0, 0, 0, 0] ^= 1
    assert np.isnan(asked.judge(case(PAIR, changed)).appearance)
    assert np.isnan(asked.judge(case(PAIR, PAIR.returned[0])).scene)
    assert asked.judge(case(OTHER)) == Scores(0, 0, 0, 0)
    assert asked.report() == {
        "filled in by": "person", "pages": [PAGE], "raters": {"anna": 2}, "files": {"a.csv": sha256(path)},
        "answered": 1, "missing": {"nobody answered": 2},
    }  # fmt: skip


def test_scripts_and_people_are_never_mixed(tmp_path):
    people = write_answers(tmp_path / "a.csv", line(PAIR.id, 4, 4, 4, 4))
    script = write_answers(tmp_path / "b.csv", line(PAIR.id, 1, 1, 1, 1, rater="bot", by="script"))
    with pytest.raises(AnswersError, match=r"b.csv, line 2: filled in by a script, which is no judge"):
        judge(people, script)
    with pytest.raises(AnswersError, match=r"a.csv, line 2: filled in by a person"):
        judge(people, script, scripted=True)
    tried = judge(script, scripted=True)
    assert tried.judge(case(PAIR)).view == 1 and tried.report()["filled in by"] == "script"


def test_answers_of_another_page_than_the_named_one_are_refused(tmp_path):
    path = write_answers(tmp_path / "a.csv", line(PAIR.id, 4, 4, 4, 4))
    assert judge(path, page=PAGE).judge(case(PAIR)).scene == 4
    with pytest.raises(
        AnswersError, match=f"a.csv, line 2: saved by page {PAGE}, the judge's page is q0000000000000000"
    ):
        judge(path, page="q" + "0" * 16)
