"""Clips: a batch is what the cache holds under the chosen numbers."""

import numpy as np
import torch

from tests.conftest import Setting


def test_chosen_clips_are_those_of_the_cache(study):
    setting = Setting(study, clips=4)
    picked = setting.clips.pick(study, np.array([2, 0, 2]))
    assert picked.segments.videos == ["clip_2", "clip_0", "clip_2"]
    assert torch.equal(picked.latents, setting.latents[[2, 0, 2]])
    assert torch.equal(picked.text, setting.text[[2, 0, 2]])
    assert picked.targets is None
    assert np.array_equal(picked.segments.poses, setting.poses[[2, 0, 2]])
