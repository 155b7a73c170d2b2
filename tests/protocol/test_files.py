"""Frames as files: PNG gives every pixel back."""

from __future__ import annotations

import numpy as np

from echo.protocol.files import write_frames, write_mask
from echo.world.images import read_images


def test_frames_come_back(tmp_path):
    rows, columns = np.mgrid[:32, :48]
    frames = np.stack([np.stack([rows * 5 + 10 * k, columns * 4, rows + columns], -1) for k in range(5)]).astype(
        np.uint8
    )
    write_frames(tmp_path / "f", frames, range(7, 12))
    assert np.array_equal(read_images([tmp_path / "f" / f"{n:05d}.png" for n in range(7, 12)], "f"), frames)
    write_mask(tmp_path / "m.png", rows > columns)
    assert np.array_equal(read_images([tmp_path / "m.png"], "m")[0, ..., 0] > 127, rows > columns)
