"""A camera that turns away has departed, one that stands still has not, wherever it stands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.measures.departed import DEPARTED
from echo.measures.departure import covered, departure
from tests.measures.turned import FOV, clip, poses_of

OUT = 45 * np.sin(np.pi * np.arange(17) / 16)  # away by 45 degrees and back


@pytest.fixture(scope="module")
def away() -> np.ndarray:
    return clip(OUT)


def of(given_frames, generated, yaw=OUT):
    return departure(given_frames, generated, poses_of(yaw), FOV)


def test_the_true_frames_depart_by_the_true_angle(away):
    found = of(away[:1], away[1:])
    assert found["departure"] == pytest.approx(45, abs=1) and found["departed"] == 1
    assert found["departure_share"] == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("factor", "departed"), [(0.5, None), (0.3, 0), (0.8, 1)])
def test_a_camera_that_turns_by_a_part_has_that_share(away, factor, departed):
    found = of(away[:1], clip(factor * OUT)[1:])
    assert found["departure_share"] == pytest.approx(factor, abs=0.03)
    assert found["departed"] == (found["departure_share"] >= DEPARTED if departed is None else departed)


def test_copies_of_a_given_frame_do_not_depart_wherever_they_stand(away):
    """Given the way out: the first frame for ever, and the last given one."""
    for place in (0, 7):
        found = of(away[:8], np.repeat(away[[place]], 9, 0))
        assert found["departure"] == pytest.approx(0, abs=0.1) and found["departed"] == 0


def test_one_colour_cannot_be_followed_and_has_not_departed(away):
    found = of(away[:1], np.full_like(away[1:], 120))
    assert np.isnan(found["departure"]) and np.isnan(found["departure_share"]) and found["departed"] == 0


def test_a_row_that_draws_another_place_at_once_can_leave_that(away):
    elsewhere = clip(OUT, room=2)
    turned, still = (of(away[:8], frames) for frames in (elsewhere[8:], np.repeat(elsewhere[8:9], 9, 0)))
    assert turned["departure_share"] == pytest.approx(1, abs=0.05) and turned["departed"] == 1
    assert still["departure"] == pytest.approx(0, abs=0.1) and still["departed"] == 0


def test_where_true_cameras_stay_there_is_nothing_to_leave(away):
    found = of(away[:1], away[1:], yaw=OUT / 10)
    assert found["departure"] == pytest.approx(45, abs=1)
    assert np.isnan(found["departure_share"]) and found["departed"] == 1


def test_a_tilted_world_changes_nothing(away):
    """Recordings need not stand upright: the true angle is taken about the first camera's own axis."""
    poses = poses_of(OUT)
    upside_down = poses.copy()
    upside_down[:, 3], upside_down[:, 5] = 180.0, -poses[:, 5]
    assert departure(away[:1], away[1:], upside_down, FOV) == departure(away[:1], away[1:], poses, FOV)


@given(st.lists(st.floats(-400, 400) | st.just(np.nan), max_size=6), st.floats(-360, 360))
def test_the_covered_angle_is_the_largest_between_two_directions(yaw, turn):
    known = [one for one in yaw if not np.isnan(one)]
    pairs = [abs((a - b + 180) % 360 - 180) for a in known for b in known]
    found = covered(np.array(yaw, float))
    if len(known) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(max(pairs)) and 0 <= found <= 180
        assert covered(np.array(yaw) + turn) == pytest.approx(found, abs=1e-6)
