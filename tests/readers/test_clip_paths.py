"""The frames a clip plays, and the rules for turning away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.camera import overlap, rotation_matrices
from echo.readers.clip_paths import OUT, disjoint, offsets, qualifies, turns
from echo.seeding import generator
from echo.trajectories import SEGMENTS, trajectory


@given(st.sampled_from(sorted(SEGMENTS)), st.integers(2, 90), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_clips_have_the_length_and_the_repeats_of_rendered_paths(kind, frames, stride):
    steps = offsets(kind, frames, stride)
    assert len(steps) == 1 + SEGMENTS[kind] * frames and steps[0] == 0 and steps.min() == 0
    path = trajectory(kind, [0, 0, 1, 0, 0, 30], frames, generator(0, kind))
    assert len(path) == len(steps)
    if kind == "loop":
        assert np.array_equal(steps, steps[::-1]) and np.array_equal(path, path[::-1])
    if kind.startswith("return"):
        assert (steps[-2:] == 0).all() and (path[-2:] == path[0]).all()
    if kind in OUT:
        far = OUT[kind] * frames
        assert steps.argmax() == far and steps[far] == far * stride
        assert set(np.diff(steps[: far + 1])) == {stride} and (np.diff(steps[far:]) <= 0).all()
        # The rendered path turns farthest at the same frame.
        assert np.abs(path[:, 5] - path[0, 5]).argmax() == far
    else:
        assert set(np.diff(steps)) == {stride}


def test_a_turn_is_signed_and_needs_no_upright_world():
    a = np.array([[0, 0, 0, 0, 0, 170.0], [0, 0, 0, 0, 0, 0]])
    b = np.array([[5, 5, 5, 0, 0, -170.0], [0, 0, 0, 0, 0, -45]])
    np.testing.assert_allclose(turns(a, b), [20, -45])
    on_its_side = np.array([[0, 0, 0, 90.0, 0, 0]]), np.array([[0, 0, 0, 90.0, 30, 0]])
    np.testing.assert_allclose(np.abs(turns(*on_its_side)), 30, atol=1e-9)


coordinate = st.floats(-4, 4)
camera = st.tuples(coordinate, coordinate, coordinate, st.floats(-30, 30), st.floats(-50, 50), st.floats(-180, 180))


@given(camera, camera, st.sampled_from([40.0, 60.0, 75.0]), st.sampled_from([0.55, 1.0]))
@settings(max_examples=300, deadline=None)
def test_disjoint_views_share_no_point(a, b, view, aspect):
    """Against sampling points of one view, near and far, and asking whether the other sees them."""
    a, b = np.array(a), np.array(b)
    if not disjoint(a, b, view, aspect):
        return
    depths = (0.05, 0.5, 2.0, 10.0, 100.0, 1e4)
    assert overlap(a[None], b[None], view, depths, aspect).max() == 0
    assert overlap(b[None], a[None], view, depths, aspect).max() == 0


def test_level_views_that_look_apart_are_disjoint_and_overlapping_ones_not():
    a = np.zeros(6)
    assert disjoint(a, np.array([0, 0, 0, 0, 0, 100.0]), 75, 1.0)
    assert disjoint(a, np.array([-3, 0, 0, 5, 10, 150.0]), 60, 0.55)
    assert not disjoint(a, np.array([0, 0, 0, 0, 0, 60.0]), 75, 1.0)
    assert not disjoint(a, np.array([8, 0, 0, 0, 0, 180.0]), 60, 1.0)  # face to face
    assert not disjoint(a, np.array([0, 0, 0, 0, 80, 120.0]), 60, 1.0)  # looks over its own back


@pytest.mark.parametrize(("kind", "inside", "outside"), [("loop", 95, 60), ("return_45", -40, 80),
                                                         ("return_strict", 120, 50)])  # fmt: skip
def test_each_kind_asks_for_its_turn(kind, inside, outside):
    first = np.zeros((2, 6))
    far = np.array([[0, 0, 0, 0, 0, inside], [0, 0, 0, 0, 0, outside]], float)
    assert qualifies(kind, first, far, 60.0, 1.0).tolist() == [True, False]
    assert np.linalg.det(rotation_matrices(far)[0]) != 0
