"""Probes: rows that remember move, rows that are inert do not, and the others are named."""

import numpy as np
import pytest
import torch

from echo.measures.probed import Probed
from echo.measures.probes import MemoryProbeError, check_probed, probe
from echo.measures.verdict import GATE, PROBES
from echo.rollout.sampler import Sampler
from tests.conftest import tiny_study
from tests.rollout.cases_of_tests import STUDY, batch_of, moved_row, setting_for


def frames_of(latents: torch.Tensor) -> np.ndarray:
    """Pictures in which the smallest change of a latent shows: untrained rows move by little."""
    return latents[-2:, :3].permute(0, 2, 3, 1).mul(1e4).remainder(256).to(torch.uint8).numpy()


def probed(name: str, row=None, study=STUDY) -> Probed:
    made, sampler = setting_for("recall", clips=4), Sampler(study, row or moved_row(name))
    return probe(sampler, batch_of("recall", made), ["a", "a", "b", "b"], frames_of)


@pytest.mark.parametrize("name", ["i2v", "spatial_inject_none", "ssm_blockwise_v1", "spatial_cross_attn_released"])
def test_inert_rows_do_not_move_by_one_grey_level_whatever_is_done(name):
    found = probed(name)
    assert set(found.changes) == set(PROBES) and not any(values.any() for values in found.changes.values())
    check_probed(STUDY.profiles[name], found, STUDY)


def test_no_more_cases_are_generated_at_once_than_the_study_says(monkeypatch):
    """At the paper's scale all sixteen together would need most of a card."""
    sizes, generate = [], Sampler.generate

    def watched(self, batch, *rest):
        sizes.append(len(batch.videos))
        return generate(self, batch, *rest)

    monkeypatch.setattr(Sampler, "generate", watched)
    together = probed("context_k5")
    assert STUDY.evaluate.batch == 2 and sizes == [2] * (2 * (1 + len(PROBES)))
    monkeypatch.setattr(Sampler, "generate", generate)
    alone = probed("context_k5", study=tiny_study(evaluate={"batch": 1}))
    for name, frames in together.frames.items():
        gap = (frames.astype(int) - alone.frames[name] + 128) % 256 - 128  # of the last bits of sums
        assert np.abs(gap).max() <= 1, name


@pytest.mark.parametrize("name", ["context_k5", "compress_hybrid_r4", "ssm_blockwise", "ssm_blockwise_released"])
def test_remembering_rows_move(name):
    found = probed(name)
    assert all(found.changes[name].mean() > 0 for name in GATE)
    assert {frames.shape for frames in found.frames.values()} == {(4, 2, 2, 2, 3)}
    check_probed(STUDY.profiles[name], found, STUDY)


def test_a_memory_that_does_nothing_fails_with_its_name():
    """A row that claims to remember, whose read-out is cut off."""
    row = moved_row("context_k5")
    blind = moved_row("i2v").memory
    row.memory.read = lambda state, *rest, **named: blind.read(_none(state), *rest, **named)
    with pytest.raises(MemoryProbeError, match="context_k5: this memory does nothing: .* erase 0.000, swap 0.000"):
        check_probed(STUDY.profiles["context_k5"], probed("context_k5", row), STUDY)


def _none(state):
    return {key: value[:, :0] for key, value in state.items()}


def test_an_inert_row_that_moves_fails_with_its_name():
    still = np.zeros((2, 1, 2, 2, 3), np.uint8)
    moved = still.copy()
    moved[1, 0, 0, 0] = 1
    frames = dict.fromkeys(("intact", *PROBES), still) | {"shuffle": moved}
    with pytest.raises(MemoryProbeError, match="i2v: inert by design, yet probe shuffle changes y by 0.2500"):
        check_probed(STUDY.profiles["i2v"], Probed(frames, ["x", "y"]), STUDY)
