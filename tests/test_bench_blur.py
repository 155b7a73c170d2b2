"""The benchmark of blur: its columns on frames whose quality is known, and bases of other sizes than the study's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from bench.blur import Judge, base
from echo.model.base import BASE
from echo.model.row import Row
from tests.conftest import tiny_study

ROOMS = 6


class Luminance:
    """A distance between frames: of their pixels."""

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.abs(one.astype(float) - other).mean((1, 2, 3)) / 255


class Edges:
    """Features of frames: how much neighbouring pixels differ, in a few places."""

    def embed(self, frames: np.ndarray, size: int) -> np.ndarray:
        steps = np.abs(np.diff(frames.astype(np.float32), axis=2))
        return steps.reshape(len(frames), 4, -1).mean(2) / 16


@pytest.fixture(scope="module")
def judge() -> Judge:
    drawn = np.random.default_rng(0).integers(0, 256, (ROOMS, 8, 32, 32, 3))
    return Judge(gaussian_filter(drawn.astype(np.uint8), (0, 0, 1, 1, 0)), list("abcdef"), Luminance(), Edges())


def test_true_frames_are_as_sharp_as_true_ones_and_at_no_distance(judge):
    found = judge.columns(judge.true)
    assert found["LPIPS"] == 0 and found["sharpness"] == 1 and found["kernel distance"] == 0
    assert found["first three"] == np.inf


def test_blurred_frames_are_less_sharp_and_farther(judge):
    blurred = gaussian_filter(judge.true, (0, 0, 2, 2, 0))
    found = judge.columns(blurred)
    assert found["sharpness"] < 0.5 and found["LPIPS"] > 0 and found["kernel distance"] > 0


def test_the_first_frames_are_the_first_three_alone(judge):
    made = judge.true // 2
    before = judge.columns(made)["first three"]
    made[:, 3:] = 0
    assert judge.columns(made)["first three"] == before
    made[:, 2] = 0
    assert judge.columns(made)["first three"] < before


@pytest.mark.parametrize("layers", [1, 3])
def test_a_base_is_read_with_the_layers_and_the_shift_that_it_was_trained_with(tmp_path, layers):
    study = tiny_study()
    backbone = study.base_study.backbone.model_copy(update={"layers": layers})
    train = study.base_study.train.model_copy(update={"timestep_shift": 2.5})
    row = Row(study.base_study.model_copy(update={"backbone": backbone, "train": train}), BASE)
    row.save(tmp_path / "base.safetensors")
    read, shift = base(study, tmp_path / "base.safetensors")
    assert shift == read.timestep_shift == 2.5 and read.study.backbone.layers == layers
    for name, value in row.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value)
