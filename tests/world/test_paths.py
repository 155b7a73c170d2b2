import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.world.camera import overlap
from echo.world.curves import NoClearPath
from echo.world.paths import SEGMENTS, trajectory
from echo.world.revisits import BANDS

START = np.array([3.0, 3.0, 1.25, 0, 0, 25.0])
kinds, seeds, lengths = st.sampled_from(list(SEGMENTS)), st.integers(0, 500), st.sampled_from([4, 8])


def room(points):
    return (points[:, :2] > 0.3).all(1) & (points[:, :2] < 6.2).all(1)


def make(kind, seed=0, frames=8, clear=room):
    return trajectory(kind, START, frames, generator(seed, "path"), clear)


@given(kinds, seeds, lengths)
@settings(max_examples=60, deadline=None)
def test_paths_have_their_length_start_at_the_first_pose_and_stay_clear(kind, seed, frames):
    poses = make(kind, seed, frames)
    assert poses.shape == (1 + SEGMENTS[kind] * frames, 6)
    assert np.array_equal(poses[0], START)
    assert room(poses).all()
    assert (poses[:, 2] == START[2]).all() and not poses[:, 3:5].any()


@given(kinds, seeds)
@settings(max_examples=30, deadline=None)
def test_a_path_is_its_generators_alone(kind, seed):
    assert np.array_equal(make(kind, seed), make(kind, seed))


@given(kinds, seeds)
@settings(max_examples=60, deadline=None)
def test_no_step_is_a_jump(kind, seed):
    steps = np.diff(make(kind, seed), axis=0)
    assert np.linalg.norm(steps[:, :3], axis=1).max() < 1.0
    assert np.abs(steps[:, 5]).max() < 40


def test_the_loop_goes_back_along_bitwise_the_same_poses():
    poses = make("loop")
    assert np.array_equal(poses, poses[::-1])
    assert poses[8, 5] - poses[0, 5] == pytest.approx(45) and poses[16, 5] - poses[0, 5] == pytest.approx(90)


@pytest.mark.parametrize("kind", ["return_45", "return_strict"])
@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_returns_end_with_two_frames_at_exactly_the_first_pose(kind, seed):
    poses = make(kind, seed)
    assert np.array_equal(poses[-1], START) and np.array_equal(poses[-2], START)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_strict_return_leaves_the_first_view_completely(seed):
    poses = make("return_strict", seed)
    far = poses[16]
    assert overlap(poses[:1], far[None], 75.0)[0, 0] == 0
    assert abs(far[5] - START[5]) >= 119.99


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_strict_return_comes_back_another_way(seed):
    poses = make("return_strict", seed)
    out, back = poses[1:16], poses[17:-2]
    assert min(np.abs(a - b).max() for a in out for b in back) > 1e-6


def test_training_clips_leave_and_come_back_within_a_segment():
    """What the evaluation asks is in the training distribution: far away, then back at the first view."""
    returned = 0
    for seed in range(60):
        poses = make("train", seed)
        turned = np.abs(poses[:, 5] - START[5])
        for segment in (2, 3, 4):
            last, away = poses[segment * 8], turned[(segment - 1) * 8]
            returned += np.allclose(last, START, atol=1e-9) and away > 60
    assert returned >= 8


def test_training_clips_have_near_and_far_revisits_of_views_out_of_sight():
    """A revisit is found by its last segment back: still at the end, beside a pose of the middle, off the first."""
    found = dict.fromkeys(BANDS, 0)
    for seed in range(100):
        poses = make("train", seed)
        for end in (3 * 8, 4 * 8):
            target, out = poses[end], poses[:17]
            apart = np.linalg.norm(out[:, :2] - target[:2], axis=1)
            turned = np.abs((out[:, 5] - target[5] + 180) % 360 - 180)[apart.argmin()]
            still = np.array_equal(poses[end - 1], target)
            if still and 4 <= apart.argmin() <= 12 and overlap(target[None], out[[0, -1]], 75.0).max() <= 0.05:
                for grade, band in BANDS.items():
                    found[grade] += bool(band.holds(np.array([turned]), apart.min())[0])
    assert 10 <= found["near"] <= 30 and 10 <= found["far"] <= 30


@pytest.mark.parametrize("segments", [2, 3, 4, 6])
@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_training_clips_of_any_length_have_it(segments, seed):
    poses = trajectory("train", START, 4, generator(seed, "path"), room, segments=segments)
    assert poses.shape == (1 + 4 * segments, 6) and room(poses).all()


def test_no_room_to_move_is_said():
    def nowhere(points):
        return np.linalg.norm(points[:, :2] - START[:2], axis=1) < 0.01

    with pytest.raises(NoClearPath, match="no strict return fits around"):
        make("return_strict", clear=nowhere)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("spiral", START, 8), "unknown kind 'spiral', expected one of train, replay"),
        (("train", START, 1), "at least 2 frames, got 1"),
        (("train", START + [0, 0, 0, 0, 5, 0], 8), "must be level"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        trajectory(*arguments, generator(0, "path"))
