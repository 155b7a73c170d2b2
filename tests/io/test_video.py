"""An mp4 gives all but every pixel back, at its rate."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from echo.io.video import write_video
from echo.world.recordings.video import read_at, time_stamps


@pytest.mark.parametrize(("quality", "off"), [(14, 4), (40, 30)])
def test_a_video_comes_back_at_its_rate(tmp_path, quality, off):
    rows, columns = np.mgrid[:32, :48]
    frames = np.stack([np.stack([rows * 5 + 10 * k, columns * 4, rows + columns], -1) for k in range(5)])
    write_video(tmp_path / "v.mp4", frames.astype(np.uint8), 12.5, quality)
    stamps, unit, size = time_stamps(tmp_path / "v.mp4", "v")
    assert size == (32, 48) and np.allclose(np.diff(stamps) * unit, 0.08)
    assert np.abs(read_at(tmp_path / "v.mp4", "v", stamps).astype(int) - frames).mean() < off


def test_equal_frames_give_equal_bytes_and_a_video_that_fails_leaves_nothing(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    for name in ("one", "two"):
        write_video(tmp_path / f"{name}.mp4", frames, 5)
        time.sleep(1.1)  # a second more, as such files hold the time in seconds
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    with pytest.raises(av.error.FFmpegError):
        write_video(tmp_path / "odd.mp4", frames[:, :31, :31], 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.mp4", "two.mp4"]
