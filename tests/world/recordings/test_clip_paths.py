"""The frames a clip plays, and the rules for turning away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.study.words import AWAY, SEGMENTS
from echo.world.camera import rotation_matrices
from echo.world.paths import trajectory
from echo.world.recordings.clip_paths import OUT, RECORDED, disjoint, offsets, qualifies, turns

KINDS = sorted(kind for kinds in RECORDED.values() for kind in kinds)


@given(st.sampled_from(KINDS), st.integers(2, 90), st.integers(1, 9))
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


@pytest.mark.parametrize("kind", AWAY)
def test_recordings_have_no_revisits(kind):
    assert kind not in KINDS
    with pytest.raises(ValueError, match=f"no recorded clip of kind '{kind}'"):
        offsets(kind, 8, 1)


def test_a_turn_is_signed_and_needs_no_upright_world():
    a = np.array([[0, 0, 0, 0, 0, 170.0], [0, 0, 0, 0, 0, 0]])
    b = np.array([[5, 5, 5, 0, 0, -170.0], [0, 0, 0, 0, 0, -45]])
    np.testing.assert_allclose(turns(a, b), [20, -45])
    on_its_side = np.array([[0, 0, 0, 90.0, 0, 0]]), np.array([[0, 0, 0, 90.0, 30, 0]])
    np.testing.assert_allclose(np.abs(turns(*on_its_side)), 30, atol=1e-9)


coordinate = st.floats(-4, 4)
camera = st.tuples(coordinate, coordinate, coordinate, st.floats(-30, 30), st.floats(-50, 50), st.floats(-180, 180))


@given(camera, camera, st.sampled_from([40.0, 60.0, 75.0]), st.sampled_from([0.55, 1.0]))
@settings(max_examples=200, deadline=None)
def test_views_that_are_apart_share_next_to_nothing(a, b, view, aspect):
    """Against random points of one view, at random depths: nearly none may be in the other (edges finer than the
    grid of ``overlap`` go unseen)."""
    a, b = np.array(a), np.array(b)
    if not disjoint(a, b, view, aspect):
        return
    draw, reach = np.random.default_rng(0), np.tan(np.deg2rad(view) / 2)
    for one, other in ((a, b), (b, a)):
        depth = np.exp(draw.uniform(0, np.log(1000), 4000))
        rays = np.stack([np.ones(4000), *draw.uniform(-reach, reach, (2, 4000))], -1) * (1, 1, aspect)
        points = (depth[:, None] * rays) @ rotation_matrices(one[None])[0].T + one[:3]
        ahead, across, up = ((points - other[:3]) @ rotation_matrices(other[None])[0]).T
        seen = (ahead > 0) & (np.abs(across) < reach * ahead) & (np.abs(up) < reach * aspect * ahead)
        assert seen.mean() < 0.06


def test_views_that_look_apart_are_apart_and_overlapping_ones_not():
    a = np.zeros(6)
    assert disjoint(a, np.array([0, 0, 0, 0, 0, 100.0]), 75.0, 1.0)
    assert disjoint(a, np.array([-3, 0, 0, 5, 10, 150.0]), 60.0, 0.55)
    assert disjoint(a, np.array([0.1, 0, 0, 0, 0, 100.0]), 75.0, 1.0)  # a small step ahead
    assert not disjoint(a, np.array([3.0, 0, 0, 0, 0, 100.0]), 75.0, 1.0)  # a walk into the first view
    assert not disjoint(a, np.array([0, 0, 0, 0, 0, 60.0]), 75.0, 1.0)
    assert not disjoint(a, np.array([8, 0, 0, 0, 0, 180.0]), 60.0, 1.0)  # face to face


@pytest.mark.parametrize(("kind", "inside", "outside"), [("loop", 95, 60), ("return_45", -40, 80),
                                                         ("return_strict", 120, 50)])  # fmt: skip
def test_each_kind_asks_for_its_turn(kind, inside, outside):
    first = np.zeros((2, 6))
    far = np.array([[0, 0, 0, 0, 0, inside], [0, 0, 0, 0, 0, outside]], float)
    assert qualifies(kind, first, far, 60.0, 1.0).tolist() == [True, False]
    assert np.linalg.det(rotation_matrices(far)[0]) != 0
