"""What is trained, by which optimizer, and at which rate."""

import pytest

from echo.model.row import Row
from echo.training.optimizers import TrainableError, base_rates, build_optimizers, freeze, matrices, rate
from tests.conftest import tiny_study
from tests.training.runs import trainer


def row_of(name: str, study=None) -> Row:
    study = study or tiny_study()
    return Row(study, study.profiles[name])


def test_rates_warm_up_and_cool_down():
    rates = [rate(step, 100, 10, 0.5) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 11) and rates[10:51] == [1.0] * 41
    assert rates[75] == pytest.approx(0.5) and rates[99] == pytest.approx(0.02)
    assert [rate(step, 4, 0, 0.0) for step in range(4)] == [1.0] * 4


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_every_parameter_has_one_optimizer(optimizer):
    study = tiny_study(train={"optimizer": optimizer})
    row = row_of("spatial_cross_attn", study)
    optimizers = build_optimizers(row, study.train, base_rates(study.train, "spatial_cross_attn"))
    held = {kind: [id(p) for group in one.param_groups for p in group["params"]] for kind, one in optimizers.items()}
    assert sorted(sum(held.values(), [])) == sorted(id(p) for p in row.parameters())
    assert {weight.ndim for weight in matrices(row)} == {2}
    assert held.get("muon", []) == ([id(weight) for weight in matrices(row)] if optimizer == "muon" else [])


def test_a_row_has_its_own_learning_rate():
    train = tiny_study(train={"row_lr": {"i2v": 1e-5}}).train
    assert base_rates(train, "i2v") == {"muon": train.muon_lr, "adamw": 1e-5}
    assert base_rates(train, "context_k5") == {"muon": train.muon_lr, "adamw": train.adamw_lr}
    optimizers = build_optimizers(row_of("i2v"), train, base_rates(train, "i2v"))
    assert {group["lr"] for group in optimizers["adamw"].param_groups} == {1e-5}


def test_only_trainable_parameters_move(tmp_path):
    study = tiny_study(train={"trainable": ("memory.*", "*.actions.*"), "ema": 0.5, "optimizer": "adamw"})
    one = trainer(tmp_path, study, "spatial_cross_attn")
    before = {name: value.clone() for name, value in one.row.state_dict().items()}
    one.run()
    moved = {name for name, value in one.row.state_dict().items() if not value.equal(before[name])}
    assert moved and all(name.startswith("memory.") or ".actions." in name for name in moved)
    assert any(name.startswith("memory.") for name in moved) and any(".actions." in name for name in moved)
    assert one.average.keys() == {name for name in before if name.startswith("memory.") or ".actions." in name}


@pytest.mark.parametrize(
    ("name", "patterns", "message"),
    [
        ("spatial", ("*", "memory.typo"), "'memory.typo' fits no parameter of spatial"),
        ("i2v", ("memory.*",), "leaves nothing of i2v"),
    ],
)
def test_a_pattern_that_trains_nothing_is_named(name, patterns, message):
    with pytest.raises(TrainableError, match=message):
        freeze(row_of(name), patterns)


def test_a_row_without_memory_parameters_may_be_asked_for_them():
    row = row_of("i2v")
    freeze(row, ("memory.*", "*.actions.*"))
    assert all((".actions." in name) == weight.requires_grad for name, weight in row.named_parameters())
