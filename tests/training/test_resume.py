"""The state of a run, stored and loaded into another."""

import torch

from echo.io.tensors import open_tensors, save_tensors
from echo.training.resume import collect_state, restore_state
from tests.conftest import tiny_study
from tests.training.runs import assert_same, trainer


def test_a_restored_run_has_every_tensor_of_the_stored_one(tmp_path):
    study = tiny_study(train={"ema": 0.5, "steps": 3, "checkpoint_every": 1000})
    one, two = (trainer(tmp_path / name, study, "spatial_cross_attn", seed=seed) for seed, name in enumerate("ab"))
    one.run()
    stored = collect_state(one.row, one.average, one.optimizers)
    kinds = {name.split(".")[0] for name in stored}
    assert kinds == {"row", "average", "muon", "adamw"}
    save_tensors(tmp_path / "state.safetensors", stored)
    with open_tensors(tmp_path / "state.safetensors") as file:
        restore_state(file, two.row, two.average, two.optimizers)
    assert_same(collect_state(two.row, two.average, two.optimizers), stored)


def test_what_is_restored_is_the_runs_own_afterwards(tmp_path):
    """Training goes on in the restored tensors: one step more moves both runs alike."""
    study = tiny_study(train={"steps": 3, "checkpoint_every": 1000})
    one, two = trainer(tmp_path / "a", study), trainer(tmp_path / "b", study)
    one.run()
    save_tensors(tmp_path / "state.safetensors", collect_state(one.row, one.average, one.optimizers))
    with open_tensors(tmp_path / "state.safetensors") as file:
        restore_state(file, two.row, two.average, two.optimizers)
    two.step = one.step = 2
    two.log.restore(one.log.state())
    before = {name: value.clone() for name, value in two.row.state_dict().items()}
    for run in (one, two):
        run._one_step()
    assert any(not torch.equal(value, before[name]) for name, value in two.row.state_dict().items())
    assert_same(one.row.state_dict(), two.row.state_dict())
