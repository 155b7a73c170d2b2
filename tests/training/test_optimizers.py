"""What is trained, by which optimizer, and at which rate."""

import pytest

from echo.model.row import Row
from echo.training.optimizers import TrainableError, base_rates, build_optimizers, freeze, matrices, rate
from tests.conftest import tiny_study
from tests.training.runs import assert_same, trainer, weights


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


RELEASED = "backbone.transformer.blocks.*"  # Wan's blocks; cameras and recurrences stand outside of them


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_frozen_parameters_neither_move_nor_have_an_optimizers_state(tmp_path, optimizer):
    study = tiny_study(train={"frozen": (RELEASED,), "optimizer": optimizer, "clip_norm": None, "loss_weight": "bell"})
    one = trainer(tmp_path, study, "ssm_hybrid")
    before = {name: value.clone() for name, value in one.row.state_dict().items()}
    one.run()
    held = {id(weight) for kind in one.optimizers.values() for group in kind.param_groups for weight in group["params"]}
    for name, weight in one.row.named_parameters():
        frozen = name.startswith(RELEASED[:-1])
        assert (id(weight) in held) != frozen and weight.requires_grad != frozen
        assert not frozen or weight.equal(before[name])
    assert any(not v.equal(before[name]) for name, v in one.row.state_dict().items() if name.startswith("memory."))


def test_a_frozen_training_goes_on_to_the_same_bits(tmp_path):
    study = tiny_study(train={"frozen": (RELEASED,), "clip_norm": None, "steps": 4})
    whole, cut = trainer(tmp_path / "whole", study, "spatial"), trainer(tmp_path / "cut", study, "spatial", steps=4)
    whole.run()
    checkpoint = cut._checkpoint
    cut._checkpoint = lambda: (checkpoint(), (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        cut.run()
    again = trainer(tmp_path / "cut", study, "spatial")
    again.run()
    assert_same(weights(again), weights(whole))


def test_without_clipping_a_gradient_keeps_its_norm(tmp_path):
    norms = {}
    for limit in (None, 1e-3, 1e6):
        one = trainer(tmp_path / str(limit), tiny_study(train={"clip_norm": limit, "steps": 1}), "i2v")
        one.run()
        grads = [weight.grad for weight in one.row.parameters() if weight.grad is not None]
        norms[limit] = sum(grad.square().sum().item() for grad in grads) ** 0.5
    assert norms[None] == norms[1e6] and norms[None] > 2e-3 and norms[1e-3] == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize(
    ("trainable", "frozen", "message"),
    [
        (("*",), ("memory.typo",), "train.frozen: 'memory.typo' fits no parameter of spatial"),
        (("memory.*",), ("memory.*",), r"without train.frozen = \['memory.\*'\] leaves nothing of spatial"),
    ],
)
def test_a_pattern_that_freezes_nothing_or_all_is_named(trainable, frozen, message):
    with pytest.raises(TrainableError, match=message):
        freeze(row_of("spatial"), trainable, frozen)


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
