"""Windows: each once before any twice, each the segment that it says, and steps that depend on nothing before them."""

import numpy as np
import pytest
import torch

from echo.encoding.text import embed
from echo.io.seeding import generator
from echo.training.windows import Windows
from tests.conftest import tiny_study

STUDY = tiny_study().base_study


class Held:
    """Three clips of four segments of 4 frames, in the interface of ``BaseClips``."""

    def __init__(self):
        draw = generator(0, "clips")
        self.poses = draw.normal(size=(3, 17, 6))
        self.all = draw.normal(size=(3, 17, 5, 2, 2)).astype(np.float16)
        self.captions = ["a red room", "a blue room, with two boxes", ""]

    def __len__(self):
        return 3

    def latents(self, clip, start, stop):
        return self.all[clip, start:stop]


def chosen(windows, steps, size):
    return [windows.choose(generator(0, "unused"), step, size) for step in steps]


@pytest.mark.parametrize("size", [1, 3, 5, 12, 30])
def test_every_window_is_used_once_before_any_is_used_twice(size):
    windows = Windows(STUDY, Held())
    assert len(windows) == 12
    numbers = np.concatenate(chosen(windows, range(60 // size), size))
    for epoch in range(len(numbers) // 12):
        assert sorted(numbers[12 * epoch : 12 * (epoch + 1)]) == list(range(12))
    if len(numbers) >= 24:
        assert list(numbers[:12]) != list(numbers[12:24])


def test_a_step_sees_the_same_windows_whatever_was_drawn_before():
    forwards, backwards = Windows(STUDY, Held()), Windows(STUDY, Held())
    np.testing.assert_array_equal(chosen(forwards, range(9), 5), chosen(backwards, reversed(range(9)), 5)[::-1])


def test_a_window_is_a_segment_and_the_frame_before_it():
    held = Held()
    windows = Windows(STUDY, held)
    picked = windows.pick(STUDY, np.array([0, 6, 11]))
    for place, (clip, first) in enumerate([(0, 0), (1, 8), (2, 12)]):
        expected = torch.from_numpy(held.all[clip, first : first + 5]).float()
        assert torch.equal(picked.latents[place], expected)
        np.testing.assert_array_equal(picked.segments.poses[place], held.poses[clip, first : first + 5])
        (tokens,) = embed(STUDY.text, [held.captions[clip]])
        assert torch.equal(picked.text[place][: len(tokens)], tokens) and not picked.text[place][len(tokens) :].any()
    evidence = picked.segments.evidence(picked.latents, 1, torch.Generator())
    assert torch.equal(evidence.latents, picked.latents[:, :1])  # the anchor alone
    target = picked.segments.target(picked.segments.own(picked.latents, None, 1), 1)
    assert torch.equal(target.latents, picked.latents[:, 1:])


def test_clips_are_whole_segments():
    held = Held()
    held.poses = held.poses[:, :15]
    with pytest.raises(ValueError, match=r"15 frames is not 1 \+ n x 4"):
        Windows(STUDY, held)
