"""What all recordings have in common: order, repeats, ranges, and problems that are collected."""

from __future__ import annotations

import numpy as np
import pytest

from echo.world.errors import PoolError, RecordingError
from echo.world.recordings import open_recordings
from echo.world.recordings.base import Problems
from tests.world.recordings.samples import number_of


def test_problems_are_collected_and_other_errors_are_not():
    problems = Problems()
    assert problems.first is None
    for error in (PoolError("one"), RecordingError("two")):
        with problems.collected():
            raise error
    assert problems == ["one", "two"] and problems.first == "one"
    with pytest.raises(ZeroDivisionError), problems.collected():
        1 / 0  # noqa: B018


def test_frames_come_in_the_order_asked_for_and_each_is_read_once(pool, monkeypatch):
    recordings = open_recordings("context_as_memory", pool, pool.parent / "index.safetensors")
    read, asked = type(recordings)._read, []
    monkeypatch.setattr(type(recordings), "_read", lambda self, video, indices: asked.append(indices.tolist())
                        or read(self, video, indices))  # fmt: skip
    assert [number_of(frame) for frame in recordings.frames("Town_2", [5, 1, 5, 0])] == [5, 1, 5, 0]
    assert asked == [[0, 1, 5]]


def test_the_nearest_caption_is_taken(pool):
    lines = "Town_2/2_3.mp4\tearly\nTown_2/8_9.mp4\tlate\n"
    (pool / "captions.txt").write_text(lines + "Castle_0/0_11.mp4\tx\nForest_1/0_11.mp4\ty\n")
    recordings = open_recordings("context_as_memory", pool, pool.parent / "index.safetensors")
    captions = [recordings.caption("Town_2", frame) for frame in range(12)]
    assert captions == ["early"] * 6 + ["late"] * 6
    assert np.array_equal(recordings.present("Town_2"), np.ones(12, bool))
