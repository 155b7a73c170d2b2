"""Clips cut from video files: right frames, fitted to the study, through both formats that have them."""

import numpy as np
import pytest

from echo.world.pool import open_pool
from echo.world.recordings import RecordingError, open_recordings
from echo.world.recordings.clips import cut_pool
from tests.world.recordings.samples import clip_study, number_of, write_cameras, write_clip, write_video

FRAMES = 140


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """Six films of 140 frames; the camera of each begins at frame 5 and turns by two degrees a frame."""
    folder = tmp_path_factory.mktemp("houses") / "films"
    for number in range(6):
        write_cameras(folder / f"house_{number}.txt", [round(i * 1e6 / 30) for i in range(5, FRAMES)], 0.01, aspect=0.5)
        write_video(folder / f"house_{number}.mp4", FRAMES)
    return open_recordings("realestate10k", folder, folder.parent / "index.safetensors")


def study(source: str, **world):
    return clip_study(source=source, size=[16, 32], train_rooms=4, in_domain_rooms=4, **world)


@pytest.mark.parametrize("split", ["train", "in_domain", "open_domain"])
def test_each_frame_of_a_clip_is_the_films_own(houses, tmp_path, split):
    cut_pool(study("realestate10k"), split, tmp_path, houses)
    pool = open_pool(tmp_path)
    for video in pool.videos:
        recording, numbers = pool.recorded(video)
        frames = pool.frames(video)
        assert frames.shape == (len(numbers), 16, 32, 3)
        assert [number_of(frame) for frame in frames] == (numbers + 5).tolist()
        away = (pool.poses(video)[:, 5] - 2 * numbers + 180) % 360 - 180
        np.testing.assert_allclose(away, 0, atol=1e-6)
        assert pool.caption(video) == ""


def test_too_narrow_a_film_is_named_before_anything_is_written(houses, tmp_path):
    with pytest.raises(RecordingError, match=r"films: house_\d: frames of 96 x 48 .* 64.0 degrees .* asks for 90"):
        cut_pool(study("realestate10k", field_of_view=90.0), "train", tmp_path, houses)
    assert not list(tmp_path.iterdir())


def test_clips_of_spatialvid_stay_within_the_posed_frames(tmp_path):
    for number in range(3):
        write_clip(tmp_path / "films", f"group_0001/clip_{number}", frames=70, indexes=[9, 20, 60])
    recordings = open_recordings("spatialvid", tmp_path / "films", tmp_path / "index.safetensors")
    cut_pool(study("spatialvid", held_out_videos=1), "train", tmp_path / "train", recordings)
    pool = open_pool(tmp_path / "train")
    for video in pool.videos:
        assert video.split("__")[1].startswith("group_0001-clip_")
        numbers = pool.recorded(video)[1]
        assert numbers.min() >= 9 and numbers.max() <= 60
        assert [number_of(frame) for frame in pool.frames(video, [0, 32])] == numbers[[0, 32]].tolist()
        np.testing.assert_allclose(pool.poses(video)[:, 5], numbers, atol=1e-6)
