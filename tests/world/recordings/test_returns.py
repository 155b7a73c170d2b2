"""Clips that come back, on recordings whose turns are known."""

import numpy as np
import pytest

from echo.world.camera import overlap
from echo.world.errors import RecordingError
from echo.world.pool import open_pool
from echo.world.recordings import open_recordings
from echo.world.recordings.clips import cut_pool
from echo.world.recordings.returns import AWAY, SEEN, returning
from tests.world.recordings.samples import clip_study, write_scene


def swinging(frames: int, there: int, back: int) -> np.ndarray:
    """A camera that looks ahead, is turned away from frame ``there`` on, and looks ahead again from ``back`` on."""
    poses = np.zeros((frames, 6))
    poses[:, 2] = 1.5
    poses[there:back, 5] = 150
    return poses


def slowly(start: int, poses: np.ndarray, segment: int, segments: int) -> bool:
    """Whether a clip comes back, frame by frame."""
    views = overlap(poses, poses, 60.0)
    end = start + segments * segment
    return any(
        views[last, first] >= SEEN and views[last, first:last].min() <= AWAY
        for last in range(end - segment + 1, end + 1)
        for first in range(start, last - segment + 1)
    )


def test_clips_come_back_that_end_where_they_had_been():
    poses, starts = swinging(90, 40, 60), np.arange(0, 90 - 32)
    found = returning(starts, poses, np.ones(90, bool), 8, 4, 60.0, 1.0)
    expected = np.array([slowly(start, poses, 8, 4) for start in starts])
    assert 0 < expected.sum() < len(starts)
    assert not (found & ~expected).any() and found.sum() >= expected.sum() - 4  # sampled every second frame


def test_a_camera_that_stands_still_or_never_returns_has_none():
    starts = np.arange(20)
    still, leaving = swinging(60, 60, 60), swinging(60, 20, 60)
    for poses in (still, leaving):
        assert not returning(starts, poses, np.ones(60, bool), 8, 4, 60.0, 1.0).any()


def test_missing_frames_are_left_out():
    poses, starts, usable = swinging(90, 40, 60), np.arange(0, 58), np.ones(90, bool)
    usable[70:], poses[70:] = False, np.nan
    found = returning(starts, poses, usable, 8, 4, 60.0, 1.0)
    assert found.any() and not found[starts + 24 >= 70].any()


@pytest.fixture
def recordings(tmp_path):
    for number in range(6):
        write_scene(tmp_path / "pool", f"Scene_{number}", swinging(150, 40 + number, 60 + number))
    return open_recordings("context_as_memory", tmp_path / "pool", tmp_path / "index.safetensors")


def coming_back(pool) -> list[bool]:
    return [slowly(0, pool.poses(video), 8, 4) for video in pool.videos]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_training_clips_comes_back(recordings, tmp_path, share):
    study = clip_study(returning=share, train_rooms=12)
    record = cut_pool(study, "train", tmp_path / "train", recordings)
    found = coming_back(open_pool(tmp_path / "train"))
    assert len(found) == 12 and sum(found) >= 12 * share and record["clips"] == {"train": 12}
    if share == 0:
        assert sum(found) < 6  # cut at random, few return


def test_too_few_of_them_are_said(recordings, tmp_path):
    study = clip_study(returning=1.0, train_rooms=1000)
    with pytest.raises(RecordingError, match=r"train clips that come back: \d+ of 1000 \(33 frames"):
        cut_pool(study, "train", tmp_path / "train", recordings)
