"""Matched evidence is what it was before there was another policy, to the bit."""

import pytest
import torch

from echo.evidence.policy import policy_of
from echo.evidence.segments import Ranking
from echo.model.row import Row
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.words import first_target
from tests.conftest import Setting, of_each_kind, tiny_study
from tests.rollout.cases_of_tests import moved_row

STUDY = tiny_study()


@pytest.mark.parametrize("name", of_each_kind())
def test_a_rollout_is_that_of_the_plain_loop_over_evidence(name):
    """The loop as the paper's Algorithm 1 has it: rank, write, read, sample; to the bit."""
    made, row = Setting(STUDY, kind="return_strict"), moved_row(name)
    batch = CaseBatch("return_strict", made.videos, made.segments, made.latents, made.text)
    sampler = Sampler(STUDY, row)
    found, _ = sampler.rollout(batch)
    latents, state = torch.zeros_like(made.latents), None
    latents[:, 0] = made.latents[:, 0]
    with torch.no_grad():
        for segment in (1, 2, 3):
            evidence = made.segments.evidence(latents, segment, torch.Generator())
            before = state if row.memory.carries else None
            state = row.memory.write(before, evidence, made.text, row.backbone)
            target = made.segments.target(torch.zeros_like(latents[:, :4]), segment)
            x = sampler._noise(batch, segment, target.latents.shape[1:])
            times = torch.linspace(1, 0, STUDY.sampler.steps + 1, dtype=x.dtype)
            shift = row.profile.timestep_shift or STUDY.train.timestep_shift
            times = shift * times / (1 + (shift - 1) * times)
            for now, then in zip(times[:-1], times[1:], strict=True):
                velocity = row(target.with_latents(x), now.expand(2), evidence.span(0, 1), made.text, state)
                x = x + (then - now) * velocity
            start = first_target(segment, 4)
            latents[:, start : start + 4] = x
            assert torch.equal(found[:, segment - 1], x)


def test_the_ranking_is_of_all_segments():
    made = Setting(STUDY)
    poses = dict(zip(made.videos, made.poses, strict=True))
    ranked, expected = policy_of(STUDY).rank(STUDY, poses), Ranking.of(STUDY, poses)
    assert all((ranked.order[video] == expected.order[video]).all() for video in made.videos)


def test_all_of_history_is_searched_for_whoever_reads_more_than_the_anchor():
    policy = policy_of(STUDY)
    k5, i2v, recurrent = (Row(STUDY, STUDY.profiles[name]).memory for name in ("context_k5", "i2v", "ssm_blockwise"))
    assert [policy.searched(segment, 4, k5) for segment in (1, 2, 4)] == [1, 5, 13]
    assert policy.searched(4, 4, i2v) == 0 and policy.searched(4, 4, recurrent) == 13
    assert policy.keeps_state(recurrent) and not policy.keeps_state(k5)
