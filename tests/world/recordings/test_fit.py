"""Fitting frames: the crop by its geometry, the resize by its values."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from echo.world.recordings import RecordingError
from echo.world.recordings.fit import crop_box, fit


@given(
    st.tuples(st.integers(20, 400), st.integers(20, 400)),
    st.floats(30, 120),
    st.tuples(st.integers(8, 64), st.integers(8, 64)),
    st.floats(20, 110),
)
@settings(max_examples=200, deadline=None)
def test_the_crop_has_the_studys_view_and_shape(recorded, source, size, wanted):
    try:
        left, top, right, bottom = crop_box(recorded, source, size, wanted)
    except RecordingError:
        # Refused only where the frame really shows less, across or (by the shape) down.
        focal = recorded[1] / 2 / np.tan(np.deg2rad(source) / 2)
        across = 2 * focal * np.tan(np.deg2rad(wanted) / 2)
        assert across > recorded[1] or across * size[0] / size[1] > recorded[0]
        return
    assert min(left, top) >= -1e-6 and right <= recorded[1] + 1e-6 and bottom <= recorded[0] + 1e-6
    np.testing.assert_allclose([left + right, top + bottom], [recorded[1], recorded[0]])
    np.testing.assert_allclose((bottom - top) / (right - left), size[0] / size[1])
    assume(right - left > 20)
    seen = (right - left) / recorded[1] * np.tan(np.deg2rad(source) / 2)
    np.testing.assert_allclose(seen, np.tan(np.deg2rad(wanted) / 2), rtol=0.6 / (right - left))


def test_an_unknown_field_of_view_gives_the_largest_crop_of_the_shape():
    assert crop_box((352, 640), None, (64, 64), 75.0) == (144, 0, 496, 352)
    assert crop_box((480, 640), None, (352, 640), 75.0) == (0, 64, 640, 416)


def test_too_narrow_a_recording_is_named():
    with pytest.raises(RecordingError, match=r"walk: .*640 x 360.*60.0 degrees.*asks for 75; lower it") as error:
        crop_box((360, 640), 60.0, (352, 640), 75.0, "walk")
    assert "\n" not in str(error.value)


def test_halving_averages_and_equal_sizes_change_nothing():
    frames = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)
    assert fit(frames, None, (16, 24), 75.0) is frames
    stripes = np.zeros((1, 32, 32, 3), np.uint8)
    stripes[:, :, ::2] = 200  # finer than the small grid can show: antialiasing makes them even
    small = fit(stripes, 90.0, (8, 8), 90.0)
    assert small.shape == (1, 8, 8, 3) and np.abs(small.astype(int) - 100).max() <= 20


def test_the_centre_of_the_view_stays_the_centre():
    frame = np.zeros((1, 60, 100, 3), np.uint8)
    frame[:, 28:32, 48:52] = 255
    small = fit(frame, 100.0, (24, 24), 50.0)[0, :, :, 0].astype(float)
    rows, columns = np.mgrid[:24, :24]
    np.testing.assert_allclose([(small * rows).sum() / small.sum(), (small * columns).sum() / small.sum()], 11.5)
