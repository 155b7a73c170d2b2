"""Known motions are found again: shifts, zooms, and steps seen by their parallax."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from skimage.color import rgb2lab

from echo.judge.oracle.motion import motion, moved_back

ALL = np.ones((64, 64))
ROWS, COLUMNS = np.indices((64, 64)) / 31.5 - 1
INNER = (slice(16, 48), slice(16, 48))


def lab(photo):
    return rgb2lab(photo / 255)


def moved(true, down, across):
    """A view that shows each pixel of the true one ``down`` and ``across`` pixels on; fields that change slowly."""
    places = np.indices((64, 64)) - np.stack([down, across])
    return np.stack([map_coordinates(true[..., i], places, order=1, mode="nearest") for i in range(3)], -1)


@pytest.mark.parametrize("photo", ["chelsea", "coffee", "astronaut"])
@pytest.mark.parametrize(("down", "across"), [(0, 0), (0, 3), (-2, 1), (1, -9)])
def test_a_shift_is_found_again(photos, photo, down, across):
    true = lab(photos[photo])
    found = motion(true, moved(true, down * ALL, across * ALL), ALL)
    np.testing.assert_allclose(found.flow[:, 16:48, 16:48].mean((1, 2)), [down, across], atol=0.4)
    assert found.agreement > 0.85


def test_no_motion_is_none_and_agrees_wholly(photos):
    true = lab(photos["astronaut"])
    found = motion(true, true, ALL)
    assert np.abs(found.flow).max() < 1e-3 and found.seen.all() and found.agreement == pytest.approx(1, abs=1e-4)


def test_a_zoom_is_found_again(photos):
    true = lab(photos["astronaut"])
    found = motion(true, moved(true, 2 * ROWS, 2 * COLUMNS), ALL)
    np.testing.assert_allclose(found.flow[0][INNER], 2 * ROWS[INNER], atol=0.5)
    np.testing.assert_allclose(found.flow[1][INNER], 2 * COLUMNS[INNER], atol=0.5)


def test_parallax_is_found_with_depth_alone(photos):
    """Near pixels, in the left half, move by four pixels and far ones by one."""
    true = lab(photos["coffee"])
    near = np.where(COLUMNS < 0, 1.0, 0.25)
    shown = moved(true, 0 * ALL, 4 * near)
    with_depth, without = motion(true, shown, ALL, near), motion(true, shown, ALL)
    error = [np.abs(found.flow[1] - 4 * near)[16:48, 8:56].mean() for found in (with_depth, without)]
    assert error[0] < 0.6 * error[1] and with_depth.agreement > without.agreement


def test_colour_and_contrast_do_not_matter_and_another_picture_does(photos):
    true = lab(photos["astronaut"])
    dull = true * [0.6, 0.1, 0.1] + [20, 5, 5]
    assert motion(true, dull, ALL).agreement > 0.98
    for other in ("coffee", "rocket", "chelsea"):
        assert motion(true, lab(photos[other]), ALL).agreement < 0.5


def test_an_object_that_is_not_to_count_does_not(photos):
    true = lab(photos["astronaut"])
    weight = ALL.copy()
    weight[20:44, 20:44] = 0
    shown = moved(true, 0 * ALL, 2 * ALL)
    shown[20:44, 20:44] = [90, 0, 0]
    assert abs(np.average(motion(true, shown, weight).flow[1], weights=weight) - 2) < 0.5


def test_an_empty_view_agrees_with_nothing(photos):
    assert motion(lab(photos["astronaut"]), np.full((64, 64, 3), 50.0), ALL).agreement < 0.05


def test_moved_back_is_the_true_view_again(photos):
    true = lab(photos["coffee"])
    back = moved_back(np.roll(true, 5, axis=1), np.stack([0 * ALL, 5 * ALL]))
    np.testing.assert_allclose(back[:, :58], true[:, :58], atol=1e-9)
