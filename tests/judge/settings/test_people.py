"""Settings of people as a judge."""

import pytest
from pydantic import ValidationError

from echo.judge.settings.people import Settings
from echo.study.judges import judge_files


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Field required"),
        ({"answers": []}, "at least 1"),
        ({"answers": ["a.csv", "b.csv", "a.csv"]}, "lists a.csv twice"),
        ({"answers": ["a.csv"], "page": "mini"}, "match pattern"),
        ({"answers": ["a.csv"], "scripted": 1}, "valid boolean"),
    ],
)
def test_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate(values)


def test_files_of_answers_are_what_the_judge_reads():
    settings = Settings(answers=("a.csv", "b.csv")).model_dump(mode="json")
    assert judge_files("people", settings) == ("a.csv", "b.csv")
    assert judge_files("embedded", {}) == judge_files("vision_language", {"answers": "runs/answers"}) == ()
