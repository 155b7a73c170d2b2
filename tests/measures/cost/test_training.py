"""What a training is planned to cost: Muon's products, and the base's training."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from echo.measures.cost.report import text
from echo.measures.cost.row import RowPlan
from echo.measures.cost.study import plan
from echo.measures.cost.training import base_training, muon_flops, training
from echo.training.optimizers import matrices
from tests.measures.cost.steps import small

RECIPE = {"source": "trained", "rooms": 4, "shard_rooms": 2, "steps": 10, "batch": 4}


def by_hand(rows: int, columns: int) -> int:
    """FLOPs of five iterations for one matrix: on x itself, or for long ones on its Gram matrix and once on x."""
    short, long = sorted((rows, columns))
    product, square = 2 * short**2 * long, 2 * short**3  # of the short side's square with x, and with itself
    if long <= 1.5 * short:
        return 5 * (product + square + product)  # the Gram matrix, its square, the polynomial times x
    return product + square + 4 * 4 * square + product  # Gram; p; then p g p, the next p, and their product; times x


def test_muons_products_are_counted_as_its_iteration_makes_them():
    planned = RowPlan(*small("i2v"))
    shapes = Counter(tuple(weight.shape) for weight in matrices(planned.row))
    assert len(shapes) == 3  # square ones of attention, and the feed-forward layer's two
    assert muon_flops(planned.row) == sum(count * by_hand(*shape) for shape, count in shapes.items())
    frozen = RowPlan(*small("i2v", train={"frozen": ["backbone.transformer.blocks.*.attn?.*"]}))
    assert muon_flops(frozen.row) == sum(n * by_hand(*shape) for shape, n in shapes.items() if shape[0] != shape[1])


def test_muon_takes_time_in_single_precision_whatever_the_rows_have():
    adamw, muon = (small(train={"optimizer": name, "precision": "bf16"}) for name in ("adamw", "muon"))
    planned = plan(muon, ["i2v"])
    (without,), (of_muon,) = plan(adamw, ["i2v"]).rows, planned.rows
    assert without.muon_flops == 0 and without.train_flops == of_muon.train_flops
    assert of_muon.muon_flops == muon.train.steps * muon_flops(RowPlan(muon, muon.profiles["i2v"]).row)
    single = of_muon.muon_flops / planned.gpu.fp32 / 3600
    assert planned.row_hours(of_muon) == planned.hours(of_muon.train_flops) + single


def test_the_base_is_planned_where_the_study_trains_one():
    without = plan(small(), ["i2v"])
    assert base_training(small()) is None and without.base_hours == 0
    study = small(base=RECIPE)
    planned, longer = plan(study, ["i2v"]), base_training(small(base=RECIPE | {"steps": 20}))
    row = training(RowPlan(study.base_study, study.profiles["i2v"]), 10)  # i2v has no memory either
    assert planned.base == row and longer.flops == 2 * row.flops
    total = planned.total()
    parts = [total[f"{name}_hours"] for name in ("encode", "base", "train", "rollout")]
    assert total["base_hours"] == planned.base_hours > 0 and total["gpu_hours"] == sum(parts)
    assert "training the base (CPU core)" in text(planned) and "training the base" not in text(without)
    assert total["rendered_frames"] == without.rendered + 4 * (1 + 4 * study.segment.frames)


def test_a_base_in_bfloat16_and_micro_batches_takes_less_time_and_memory():
    on_gpu = {"device": "cuda"}
    plain, lean = (
        plan(small(base=RECIPE | more, compute=on_gpu), ["i2v"])
        for more in ({}, {"precision": "bf16", "accumulate": 4})
    )
    # The clean timestep is embedded once a micro-batch, whatever its size.
    assert lean.base.flops == pytest.approx(plain.base.flops, rel=2e-3) and lean.base_hours < plain.base_hours
    assert lean.base.memory["activations"] < plain.base.memory["activations"]
    cramped = replace(lean, gpu=replace(lean.gpu, memory=2**31))
    assert cramped.warnings()[0].startswith("the base: a training step needs 2.0 GiB, but A100-80GB (compute.gpu)")
