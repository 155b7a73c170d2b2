"""What survives is counted whole: the state where it is carried, and every frame that is searched."""

import pytest
import torch

from echo.rollout.kept import Kept
from echo.rollout.sampler import CaseBatch, Sampler
from tests.conftest import Setting, tiny_study
from tests.rollout.cases_of_tests import moved_row

STUDIES = {name: tiny_study(evidence={"policy": name}) for name in ("matched", "streaming")}
FRAME = STUDIES["matched"].numbers_per_frame


def kept(policy: str, name: str) -> list[dict[str, int]]:
    study = STUDIES[policy]
    made = Setting(study, clips=1, kind="loop")
    batch = CaseBatch("loop", made.videos, made.segments, made.latents, made.text)
    return Sampler(study, moved_row(name, study)).kept(batch)


def test_a_state_that_is_written_anew_does_not_survive():
    state, frame = {"a": torch.zeros(1, 7), "index": torch.zeros(1, 3).long()}, torch.zeros(2, 3, 3)
    assert Kept.of(2, state, False, 0, frame) == Kept(2, 0, 0, 7, 28)
    assert Kept.of(2, state, True, 5, frame) == Kept(2, 7 + 5 * 24, 28 + 5 * (72 + 48), 7, 28)


@pytest.mark.parametrize("name", ["context_k5", "spatial", "ssm_blockwise"])
def test_a_matched_row_keeps_all_of_history(name):
    """Frames 0 to 4 (s - 1), with their poses; beside them what a recurrence carries."""
    for segment, here in enumerate(kept("matched", name), 1):
        history = (1 + 4 * (segment - 1)) * (FRAME + 6)
        assert here["segment"] == segment
        assert here["numbers"] == history + (here["state_numbers"] if name == "ssm_blockwise" else 0)


def test_a_stream_keeps_its_state_and_nothing_else():
    for name in ("i2v", "context_k5", "compress_hybrid_r2", "spatial", "ssm_blockwise"):
        for here in kept("streaming", name):
            assert (here["numbers"], here["bytes"]) == (here["state_numbers"], here["state_bytes"])
    assert [here["numbers"] for here in kept("streaming", "context_k5")] == [n * (FRAME + 6) for n in (1, 5, 5, 5)]
    assert {here["numbers"] for policy in STUDIES for here in kept(policy, "i2v")} == {0}


def held(policy: str, name: str) -> tuple[list[list[int]], dict[str, torch.Tensor]]:
    """What ``held`` says of two cases, and the state at the last segment."""
    study = STUDIES[policy]
    made = Setting(study, clips=2, kind="loop")
    batch = CaseBatch("loop", made.videos, made.segments, made.latents, made.text)
    sampler = Sampler(study, moved_row(name, study))
    return sampler.held(batch), sampler.remember(batch, made.latents, 4)


@pytest.mark.parametrize(("policy", "count"), [("matched", 4), ("streaming", 5)])
def test_the_frames_that_a_row_holds_are_known_by_their_numbers(policy, count):
    """Of 13 past frames; in a stream the newest waits and is one more."""
    numbers, state = held(policy, "context_k5")
    for case, own in enumerate(numbers):
        assert len(own) == count and own == sorted(set(own)) and set(own) <= set(range(13))
        made = Setting(STUDIES[policy], clips=2, kind="loop")
        kept = torch.cat([state[name][case] for name in ("latents", "waiting_latents") if name in state])
        assert all(any(torch.equal(frame, made.latents[case, number]) for number in own) for frame in kept)


@pytest.mark.parametrize("name", ["i2v", "spatial", "ssm_blockwise"])
def test_a_row_that_keeps_no_frames_holds_none(name):
    assert held("streaming", name)[0] == [[], []]
