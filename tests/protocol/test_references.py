"""Reference rows in pixels: copies are given frames to the last bit, and true depth tells more than they do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echo.protocol.references import Pixels
from echo.protocol.rows import reference_sources


def test_the_codec_of_pixels_does_nothing():
    frames = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(1, 16, 16, 3).contiguous()
    codec = Pixels()
    assert torch.equal(codec.decode(codec.encode(frames)), frames)


def test_reprojection_is_nearer_to_the_truth_than_copies(cases):
    entry = cases.set.entry("revisit_near_000")
    truth = cases.frames(entry.name, range(17, 25)).astype(float)
    error = {name: np.square(draw(entry) - truth).mean() for name, (_, draw) in reference_sources(cases).items()}
    assert error["truth"] == 0 < error["reprojection"] < error["copy_best"] < error["copy_first"]


@pytest.mark.parametrize("name", ["copy_first", "copy_best", "mean_colour"])
def test_copies_are_of_pixels(cases, name):
    """No codec stands between: a copy is a given frame, to the last bit."""
    entry = cases.set.entry("revisit_near_000")
    drawn, given = reference_sources(cases)[name][1](entry), cases.of(entry.name).given_frames
    if name == "mean_colour":
        assert np.array_equal(drawn[0, 0, 0], np.rint(given.reshape(-1, 3).mean(0)))
    else:
        assert all(any(np.array_equal(frame, one) for one in given) for frame in drawn)
