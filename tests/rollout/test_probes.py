"""Probes: rows that remember move, rows that are inert do not, and the others are named."""

import numpy as np
import pandas as pd
import pytest
import torch

from echo.rollout.probes import MemoryProbeError, SceneError, other_scene, probe, verdict
from echo.rollout.sampler import Sampler
from tests.rollout.cases_of_tests import STUDY, batch_of, moved_row, setting_for


def frames_of(latents: torch.Tensor) -> np.ndarray:
    """Pictures in which the smallest change of a latent shows: untrained rows move by little."""
    return latents[-2:, :3].permute(0, 2, 3, 1).mul(1e4).remainder(256).to(torch.uint8).numpy()


def probed(name: str) -> pd.DataFrame:
    made, sampler = setting_for("recall", clips=4), Sampler(STUDY, moved_row(name))
    truth = np.zeros((4, 2, 2, 2, 3), np.uint8)
    return probe(sampler, batch_of("recall", made), ["a", "a", "b", "b"], frames_of, truth)


@pytest.mark.parametrize("name", ["i2v", "spatial_inject_none", "ssm_blockwise_v1"])
def test_inert_rows_do_not_move_by_one_grey_level(name):
    table = probed(name)
    assert (table.change == 0).all()
    verdict(STUDY.profiles[name], table, STUDY)


@pytest.mark.parametrize("name", ["context_k5", "compress_hybrid_r4", "ssm_blockwise"])
def test_remembering_rows_move(name):
    table = probed(name)
    assert set(table.probe) == {"erase", "swap"} and len(table) == 8
    assert (table.groupby("probe").change.mean() > 0).all()


def test_a_memory_that_does_nothing_fails_with_its_name():
    """A row that claims to remember, whose read-out is cut off."""
    row = moved_row("context_k5")
    blind = moved_row("i2v").memory
    row.memory.read = lambda state, *rest, **named: blind.read(_none(state), *rest, **named)
    made = setting_for("recall", clips=4)
    truth = np.zeros((4, 2, 2, 2, 3), np.uint8)
    table = probe(Sampler(STUDY, row), batch_of("recall", made), ["a", "a", "b", "b"], frames_of, truth)
    with pytest.raises(MemoryProbeError, match="context_k5: this memory does nothing: .* erase 0.000, swap 0.000"):
        verdict(STUDY.profiles["context_k5"], table, STUDY)


def _none(state):
    return {key: value[:, :0] for key, value in state.items()}


def test_an_inert_row_that_moves_fails_with_its_name():
    table = pd.DataFrame({"probe": ["erase", "swap"], "case": ["x", "y"], "change": [0.0, 0.25], "psnr_drop": 0.0})
    with pytest.raises(MemoryProbeError, match="i2v: inert by design, yet probe swap changes y by 0.2500"):
        verdict(STUDY.profiles["i2v"], table, STUDY)


def test_swap_takes_another_scene():
    assert other_scene(["a", "a", "b", "b"]) == [2, 2, 0, 0]
    with pytest.raises(SceneError, match="at least two scenes, all 2 are of 'a'"):
        other_scene(["a", "a"])
