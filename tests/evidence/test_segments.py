"""Segments: which frames are evidence, anchor and target, and from where they are seen."""

import numpy as np
import torch

from echo.evidence.segments import Ranking
from tests.conftest import Setting, tiny_study


def test_evidence_is_the_ranked_frames_of_history_and_the_target_follows(setting):
    for segment in (1, 2, 3, 4):
        start = 1 + 4 * (segment - 1)
        evidence, target = setting.evidence(segment), setting.target(segment)
        assert (evidence.index[:, 0] == start - 1).all() and (evidence.index < start).all()
        assert target.index.tolist() == [list(range(start, start + 4))] * 2
        for clip in range(2):
            assert torch.equal(evidence.latents[clip], setting.latents[clip, evidence.index[clip]])
            assert torch.equal(target.latents[clip], setting.latents[clip, start : start + 4])


def test_the_first_target_frame_is_the_origin(setting):
    actions = setting.target(2).actions
    identity = np.eye(3, 4).ravel()
    same = np.allclose(actions[:, 0], identity, atol=1e-5) or np.allclose(actions[:, 0], actions[:1, 0], atol=1e-5)
    assert same and not torch.allclose(actions[:, 0], actions[:, -1])


def test_a_ranking_is_read_as_it_was_written(tmp_path, setting):
    setting.ranking.save(tmp_path / "ranking.safetensors")
    again = Ranking.load(tmp_path / "ranking.safetensors")
    assert again.order.keys() == setting.ranking.order.keys()
    for segment in (1, 4):
        both = (ranking.of_segment(setting.videos, segment) for ranking in (again, setting.ranking))
        assert np.array_equal(*both)


def test_context_noise_is_mixed_into_the_evidence_alone():
    noisy = Setting(tiny_study(train={"context_noise": 0.25}))
    draw = torch.Generator().manual_seed(5)
    found = noisy.segments.evidence(noisy.latents, 3, draw)
    clean = Setting(tiny_study()).evidence(3)
    drawn = (found.latents - 0.75 * clean.latents) / 0.25
    assert abs(drawn.mean()) < 0.2 and 0.8 < drawn.std() < 1.2
    assert torch.equal(found.index, clean.index) and torch.equal(found.rays, clean.rays)
