import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.world.curves import curve, everywhere, is_clear, offset, roamed, turn_between, wander

HERE = np.array([3.0, 3.0, 1.25, 0, 0, 25.0])


@given(st.floats(-170, 170), st.integers(1, 20), st.floats(-0.9, 0.9))
def test_a_curve_ends_at_the_last_position_after_the_whole_turn_and_keeps_height_and_level(turn, count, skew):
    there = HERE + [1.0, -0.5, 0, 0, 0, 99]
    poses = curve(HERE, there, turn, count, (0.3, 0.2), skew)
    assert poses.shape == (count, 6)
    assert poses[-1, :2] == pytest.approx(there[:2]) and poses[-1, 5] == pytest.approx(HERE[5] + turn)
    assert (poses[:, 2:5] == HERE[2:5]).all()


def test_a_bent_curve_leaves_the_straight_line_by_half_of_its_bend_in_the_middle():
    straight, bent = (curve(HERE, HERE + [2.0, 0, 0, 0, 0, 0], 0.0, 4, bend) for bend in ((0, 0), (0, 0.4)))
    assert (bent - straight)[1, :2] == pytest.approx([0, 0.2]) and bent[-1] == pytest.approx(straight[-1])


@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_the_shorter_turn_leads_to_the_same_direction(a, b):
    turn = float(turn_between(a, b))
    assert -180 <= turn < 180
    assert np.cos(np.deg2rad(a + turn)) == pytest.approx(np.cos(np.deg2rad(b)), abs=1e-9)
    assert np.sin(np.deg2rad(a + turn)) == pytest.approx(np.sin(np.deg2rad(b)), abs=1e-9)


def test_a_wall_between_two_poses_is_no_free_way():
    steps = np.stack([HERE, HERE + [1.0, 0, 0, 0, 0, 0]])
    assert is_clear(steps, everywhere)
    assert not is_clear(steps, lambda points: np.abs(points[:, 0] - 3.5) > 0.1)


@given(st.integers(0, 300))
def test_offsets_and_roaming_keep_their_bounds(seed):
    draw = generator(seed, "offset")
    step = offset(draw, 0.3, 0.7, bearing=90.0)
    assert 0.3 <= np.hypot(*step) <= 0.7 and step[1] > 0.149
    assert np.abs(roamed(HERE, 6, draw)[:, 5] - HERE[5]).max() <= 60.0001


def test_wandering_stands_and_looks_about_where_there_is_no_room():
    poses = wander(HERE, 5, generator(0, "w"), lambda points: np.linalg.norm(points[:, :2] - HERE[:2], axis=1) < 1e-6)
    assert (poses[:, :2] == HERE[:2]).all()
