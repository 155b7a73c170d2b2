"""Rollouts of two rows as a picture: truth, generated and difference, of the first cases."""

import numpy as np

from echo import figures
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
