"""What people are asked: the rubric in plain words, and the form of an answer.

The scale's ends and its middle say what a vision-language model is told (``echo.judge.vision_language.question``).
"""

from __future__ import annotations

from dataclasses import dataclass

from echo.judge.rubric import TOP

STEP = 0.5  # between two scores that a slider can give
# Of a file of answers. ``showing``: 1, or 2 where a pair came again; ``by``: a person, or a script in a browser.
COLUMNS = ("pair", "showing", "appearance", "presence", "view", "scene", "seconds", "rater", "by", "page")


@dataclass(frozen=True)
class Question:
    """One slider. ``ends``: what these points stand for."""

    name: str
    ask: str
    ends: dict[int, str]


QUESTIONS = (
    Question(
        "appearance",
        "Does the object look the same?",
        {0: "another object or none", 3: "the same kind, other details", 5: "the same in every detail"},
    ),
    Question(
        "presence",
        "Is the object there, where it was?",
        {0: "nothing stands there", 3: "something does, partly or displaced", 5: "wholly there"},
    ),
    Question(
        "view",
        "Is the camera back where it was?",
        {0: "another view", 3: "some 15 degrees or a step off", 5: "the same view"},
    ),
    Question(
        "scene",
        "Is everything else the same?",
        {0: "another room", 3: "the same kind of room, other details", 5: "the same room"},
    ),
)


def fits(score: float) -> bool:
    """Whether a slider can give this score."""
    return 0 <= score <= TOP and float(score / STEP).is_integer()
