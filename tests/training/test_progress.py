"""The lines of a training's log: mean loss between checkpoints, and none twice after an interruption."""

import math

from echo.training.progress import HEADER, Progress


def test_each_line_has_the_mean_loss_since_the_last(tmp_path):
    path = tmp_path / "progress.csv"
    progress = Progress(path)
    progress.restart(0)
    for step in range(1, 7):
        progress.add(float(step))
        if step % 3 == 0:
            progress.line(step, 2.0, step / 2.0)
    assert path.read_text().splitlines() == [HEADER, "3,2.00000,2.000,1.5", "6,5.00000,2.000,3.0"]


def test_steps_that_are_taken_again_have_one_line(tmp_path):
    path = tmp_path / "progress.csv"
    first = Progress(path)
    first.restart(0)
    for step in (3, 6, 9):
        first.add(1.0)
        first.line(step, 1.0, 1.0)
    second = Progress(path)
    second.restart(6)
    second.add(2.0)
    second.line(9, 1.0, 1.0)
    assert [line.split(",")[:2] for line in path.read_text().splitlines()[1:]] == [
        ["3", "1.00000"], ["6", "1.00000"], ["9", "2.00000"],
    ]  # fmt: skip
    second.restart(0)
    assert path.read_text().splitlines() == [HEADER]


def test_a_loss_that_is_not_finite_is_shown(tmp_path):
    progress = Progress(tmp_path / "progress.csv")
    progress.restart(0)
    progress.add(float("nan"))
    progress.line(1, 1.0, 1.0)
    assert math.isnan(float((tmp_path / "progress.csv").read_text().splitlines()[1].split(",")[1]))
