"""Rollouts of two rows as a picture and as an animation: truth, generated and difference, of the first cases."""

import numpy as np
import pytest
from PIL import Image

from echo import figures
from echo.figures import FigureError
from echo.figures.rollouts import panels


def test_every_branch_has_a_line_of_truth_one_of_what_the_row_generated_and_one_of_the_difference(small):
    samples = figures.samples("rollouts", small)
    figure = panels(small, 1, [2])
    cases, branches = samples["truth"].shape[1], len(samples["branches"])
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert len(shown) == 3 * branches * cases
    for b in range(branches):
        true, generated = samples["truth"][b].astype(int), samples["images"][1, b].astype(int)
        for side, pictures in enumerate((true, generated, np.maximum(true - generated, generated - true))):
            for case in range(cases):
                np.testing.assert_array_equal(shown[(3 * b + side) * cases + case], pictures[case, 2])


def test_rollouts_move_through_their_frames_in_few_bytes(small, tmp_path):
    assert {file for file in figures.files() if file.endswith(".gif")} == {
        "rollouts_memory.gif",
        "rollouts_reference.gif",
    }
    for stem in ("one", "two"):
        figures.draw_to("rollouts_reference", small, tmp_path / f"{stem}.gif")
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()
    with Image.open(tmp_path / "one.gif") as picture:
        assert picture.n_frames == figures.samples("rollouts", small)["truth"].shape[2]
        first = np.asarray(picture.convert("RGB"), int)
        picture.seek(picture.n_frames - 1)
        assert np.abs(np.asarray(picture.convert("RGB"), int) - first).mean() > 1
    assert (tmp_path / "one.gif").stat().st_size < 2_000_000


def test_a_figure_that_does_not_move_has_no_gif(small, tmp_path):
    with pytest.raises(FigureError, match="figure probes has no animation; those that have: rollouts_memory"):
        figures.draw_to("probes", small, tmp_path / "probes.gif")
