"""Paths of steps: both spellings are the same poses, and stay near to the path that they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from echo.io.seeding import generator
from echo.protocol.steps import STAY, StepSize, parse, play, spell, text, words
from echo.world.paths import trajectory

START = np.array([2.0, 3.0, 1.25, 0.0, 0.0, 37.0])
SIZE = StepSize.of(8)


@pytest.mark.parametrize("kind", ["return_45", "revisit_far", "replay"])
def test_a_path_of_steps_is_near_to_its_path_and_is_spelled_by_them(kind):
    path = trajectory(kind, START, 8, generator(0, kind))
    steps = spell(path, SIZE)
    made = play(path[0], steps, SIZE)
    assert np.abs(made[:, 5] - path[:, 5]).max() <= SIZE.turn / 2 + 1e-9
    assert np.linalg.norm(made[:, :2] - path[:, :2], axis=1).max() <= SIZE.move / np.sqrt(2) + 1e-9
    assert np.array_equal(spell(made, SIZE), steps) and np.array_equal(play(made[0], spell(made, SIZE), SIZE), made)
    lines = text(steps).splitlines()
    assert np.array_equal([parse(line) for line in lines], steps)


def test_a_step_turns_first_and_moves_along_the_new_heading():
    """A slow account: a quarter to the right, then two steps ahead and one to the left."""
    made = play(np.zeros(6), np.array([[2, -1, 3]]), StepSize(30.0, 0.5))
    assert np.allclose(made[1], [0.5, 1.0, 0, 0, 0, 90.0])
    assert words(np.array([2, -1, 3])) == [("turn_right", 3), ("forward", 2), ("left", 1)]
    assert text(np.array([[0, 0, 0], [-1, 0, -2]])) == f"{STAY}\nturn_left*2 back*1\n"


@pytest.mark.parametrize("line", ["jump*2", "forward", "forward*x", "left*-1"])
def test_another_line_is_refused(line):
    with pytest.raises(ValueError, match="expected WORD"):
        parse(line)
