"""What a revisit's target keeps, measured here on the finished paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.study.words import AWAY, RETURN_FRAMES
from echo.world.camera import overlap, rotation_matrices
from echo.world.curves import NoClearPath
from echo.world.paths import trajectory
from echo.world.revisits import BANDS, UNSEEN, revisit

START = np.array([3.0, 3.0, 1.25, 0, 0, 25.0])
T = 8
kinds, seeds = st.sampled_from(sorted(AWAY)), st.integers(0, 200)


def room(points):
    return (points[:, :2] > 0.35).all(1) & (points[:, :2] < 6.15).all(1)


def make(kind, seed, frames=T):
    return trajectory(kind, START, frames, generator(seed, "path"), room)


def off(poses, target):
    """Degrees between viewing directions, by their cosines, and metres."""
    forward = rotation_matrices(poses)[:, :, 0]
    aim = rotation_matrices(target[None])[0, :, 0]
    return np.rad2deg(np.arccos(np.clip(forward @ aim, -1, 1))), np.linalg.norm(poses[:, :3] - target[:3], axis=1)


@pytest.mark.parametrize("frames", [4, 8])
@given(kind=kinds, seed=seeds)
@settings(max_examples=25, deadline=None)
def test_the_best_past_poses_are_in_the_band_and_in_the_middle_of_the_way_out(frames, kind, seed):
    poses = make(kind, seed, frames)
    band = BANDS["far" if kind == "revisit_far" else "near"]
    past, target = poses[:-frames], poses[-1]
    turned, apart = off(past, target)
    assert not ((turned < band.angle[0] - 1e-6) & (apart < band.distance[0] - 1e-9)).any()
    for best in (apart[: 2 * frames + 1].argmin(), overlap(target[None], past, 75.0)[0].argmax()):
        assert band.angle[0] - 1e-6 <= turned[best] <= band.angle[1] + 1e-6
        assert band.distance[0] - 1e-9 <= apart[best] <= band.distance[1] + 1e-9
        assert frames // 2 <= best <= 3 * frames // 2


@given(kind=kinds, seed=seeds)
@settings(max_examples=25, deadline=None)
def test_neither_the_first_nor_the_last_given_frame_nor_one_while_away_shows_the_target(kind, seed):
    poses = make(kind, seed)
    shown = overlap(poses[-1:], poses[:-T], 75.0)[0]
    assert shown[0] <= UNSEEN and shown[-1] <= UNSEEN
    assert len(shown[2 * T :]) == 1 + AWAY[kind] * T and (shown[2 * T :] <= UNSEEN).all()
    assert shown[T // 2 : 3 * T // 2 + 1].max() > 0.5


@given(kind=kinds, seed=seeds)
@settings(max_examples=25, deadline=None)
def test_the_last_frames_stand_at_the_target_bitwise_and_the_way_back_is_no_dash(kind, seed):
    poses = make(kind, seed)
    assert (poses[-RETURN_FRAMES:] == poses[-1]).all() and not (poses[:-RETURN_FRAMES] == poses[-1]).all(1).any()
    back = np.diff(poses[-T - 1 :], axis=0)
    assert np.abs(back[:, 5]).max() < 35 and np.linalg.norm(back[:, :2], axis=1).max() < 0.7


def test_a_closed_room_has_no_revisit():
    def nowhere(points):
        return np.linalg.norm(points[:, :2] - START[:2], axis=1) < 0.01

    with pytest.raises(NoClearPath, match="no revisit fits around"):
        revisit(START, T, BANDS["near"], generator(0, "path"), nowhere, 75.0, attempts=5)
