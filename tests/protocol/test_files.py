"""Frames as files: PNG gives every pixel back, mp4 all but every pixel, at its rate."""

from __future__ import annotations

import numpy as np

from echo.protocol.files import write_frames, write_mask, write_video
from echo.world.images import read_images
from echo.world.recordings.video import read_at, time_stamps


def test_frames_come_back(tmp_path):
    rows, columns = np.mgrid[:32, :48]
    frames = np.stack([np.stack([rows * 5 + 10 * k, columns * 4, rows + columns], -1) for k in range(5)]).astype(
        np.uint8
    )
    write_frames(tmp_path / "f", frames, range(7, 12))
    assert np.array_equal(read_images([tmp_path / "f" / f"{n:05d}.png" for n in range(7, 12)], "f"), frames)
    write_video(tmp_path / "v.mp4", frames, 12.5)
    stamps, unit, size = time_stamps(tmp_path / "v.mp4", "v")
    assert size == (32, 48) and np.allclose(np.diff(stamps) * unit, 0.08)
    assert np.abs(read_at(tmp_path / "v.mp4", "v", stamps).astype(int) - frames).mean() < 4
    write_mask(tmp_path / "m.png", rows > columns)
    assert np.array_equal(read_images([tmp_path / "m.png"], "m")[0, ..., 0] > 127, rows > columns)
