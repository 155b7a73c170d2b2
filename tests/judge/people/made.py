"""Small pairs of views and files of answers that the tests of people as judges share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo.io.seeding import generator
from echo.judge.people.pairs import Pair
from echo.judge.people.questions import COLUMNS

PAGE = "q0123456789abcdef"


def made_pair(number: int, anchor: str | None = "tree_pine", size: tuple[int, int] = (12, 12)) -> Pair:
    """A first view and two returned frames of random pixels."""
    frames = generator(0, "pair", number).integers(0, 256, (3, *size, 3)).astype(np.uint8)
    return Pair(frames[0], frames[1:], anchor)


def line(pair: str, *scores: float, rater: str = "anna", showing: int = 1, by: str = "person", page: str = PAGE) -> str:
    """A line of a file of answers."""
    return ",".join(map(str, (pair, showing, *scores, 3.2, rater, by, page)))


def write_answers(path: Path, *lines: str) -> Path:
    """A file of answers with these lines below the header."""
    path.write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="utf-8")
    return path
