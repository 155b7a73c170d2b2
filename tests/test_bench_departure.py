"""The benchmark of departure: its clips are what they are called, and its table is that of a loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from bench.departure import HALF, OTHER, accuracy, clips, measured
from tests.measures.turned import FOV, clip

YAW = 60 * np.sin(np.pi * np.arange(13) / 12)


class Codec:
    """Frames as latents."""

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        return frames

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return latents


@pytest.fixture(scope="module")
def shown() -> np.ndarray:
    return clip(YAW)


@pytest.mark.parametrize("first", [1, 6])
def test_clips_turn_as_they_say(shown, first):
    """Halves are of branches that begin at the first frame alone; no other room goes before the first one."""
    made = clips(shown, YAW, first, clip(YAW / 2), None, Codec())
    assert (HALF in made) == (first == 1) and OTHER not in made
    for name, (frames, own) in made.items():
        assert len(frames) == len(own) == 13 - first
        one = measured(shown[:first], frames, YAW, own, FOV)
        assert one["estimate"] == pytest.approx(one["own"], abs=2.5), name
        assert one["followed"] == 1 and one["last"] < 2.5
    assert OTHER in clips(shown, YAW, first, shown, shown[first:], Codec())


def test_the_table_counts_what_is_not_followed_as_not_departed():
    lines = pd.DataFrame({
        "branch": "loop", "clip": "true", "true": 90.0, "own": 90.0, "estimate": [90.0, 60.0, 30.0, np.nan],
        "last": [0.0, 1.0, 2.0, np.nan], "followed": [1.0, 1.0, 1.0, 0.0],
    })  # fmt: skip
    (line,) = accuracy(lines).to_dict("records")
    assert line["clips"] == 4 and line["departed"] == 0.5 and line["followed"] == 0.75
    assert line["error_median"] == 30 and line["last_median"] == 1 and line["share_median"] == pytest.approx(0.5)
