"""What counts as an answer, and that nothing else does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.judge.rubric import WEIGHTS
from echo.judge.vision_language.scores import LONGEST, Malformed, read_scores

GOOD = '{"appearance": 4, "presence": 3.5, "view": 0, "scene": 5.0}'


@pytest.mark.parametrize("reply", [GOOD, f"  {GOOD}\n", f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```\n"])
def test_one_object_is_an_answer_alone_or_in_a_fence(reply):
    scores = read_scores(reply)
    assert (scores.appearance, scores.presence, scores.view, scores.scene) == (4, 3.5, 0, 5)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('"4.5"', "not a number"), ('"5/5"', "not a number"), ('"４"', "not a number"), ("true", "not a number"),
        ("null", "not a number"), ("[4]", "not a number"), ("{}", "not a number"), ("NaN", "not a finite number"),
        ("Infinity", "not a finite number"), ("-Infinity", "not a finite number"), ("1e999", "not a finite number"),
        ("5.001", "outside 0 to 5"), ("-0.5", "outside 0 to 5"), ("6", "outside 0 to 5"), ("80", "outside 0 to 5"),
        ("4,5", "not JSON"), ("４", "not JSON"), ("5/5", "not JSON"), ("", "not JSON"), ("+4", "not JSON"),
    ],
)  # fmt: skip
def test_a_value_that_is_no_number_of_the_scale_is_missing(value, reason):
    with pytest.raises(Malformed, match=f"^{reason}$"):
        read_scores(GOOD.replace("3.5", value))


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("I cannot help with that.", "not JSON"),
        (f"Here you are: {GOOD}", "not JSON"),
        (f"{GOOD}\nThe rooms differ in colour.", "not JSON"),
        (f"{GOOD}{GOOD}", "not JSON"),
        (GOOD[:-9], "not JSON"),
        (f"[{GOOD}]", "not an object"),
        ("4", "not an object"),
        (GOOD.replace('"view": 0, ', ""), "a key is missing"),
        (GOOD.replace("}", ', "total": 90}'), "other keys"),
        (GOOD.replace("view", "View"), "other keys"),
        (GOOD.replace('"view": 0', '"view": 0, "view": 5'), "a key twice"),
        ("[" * 5000, "not JSON"),
        ("x" * (LONGEST + 1), "too long"),
    ],
)
def test_a_reply_that_is_not_exactly_an_answer_is_missing(reply, reason):
    with pytest.raises(Malformed, match=f"^{reason}$"):
        read_scores(reply)


@given(st.lists(st.floats(0, 5), min_size=4, max_size=4))
def test_every_number_of_the_scale_is_taken_as_it_is(values):
    scores = read_scores(json.dumps(dict(zip(WEIGHTS, values, strict=True))))
    assert [getattr(scores, name) for name in WEIGHTS] == values


@given(
    st.text(max_size=200) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps)
)
def test_anything_else_is_refused_and_raises_nothing_other(reply):
    with pytest.raises(Malformed):
        read_scores(reply)
