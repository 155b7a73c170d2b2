import re

from echo.judge.people.questions import COLUMNS, QUESTIONS, fits
from echo.judge.rubric import TOP, WEIGHTS
from echo.judge.vision_language.question import RULES


def test_people_are_asked_what_a_model_is_asked():
    """One question for each score, with the rubric's own words for its points."""
    assert [question.name for question in QUESTIONS] == list(WEIGHTS) == list(COLUMNS[2:6])
    for question in QUESTIONS:
        told = re.search(rf'- "{question.name}": (.*?)(?:\n- |\n\n)', RULES, re.DOTALL)[1]
        scale = dict(re.findall(r"(\d): ([^;.]+)", told))
        assert list(question.ends) == [0, 3, TOP]
        for points, words in question.ends.items():
            known = set(re.findall(r"\w+", scale[str(points)])) | {"the", "visible"}
            assert set(re.findall(r"\w+", words)) <= known, (question.name, points)


def test_a_slider_gives_eleven_scores():
    assert [score / 4 for score in range(-1, 22) if fits(score / 4)] == [half / 2 for half in range(11)]
