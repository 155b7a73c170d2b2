"""Arithmetic against torch's FLOP counter and a formula, activations against what the allocator records."""

from __future__ import annotations

import pytest

from echo.measures.cost.row import RowPlan
from tests.measured import peak_bytes
from tests.measures.cost.steps import counted, real_step, small

RECOMPUTED = {"train": {"gradient_checkpointing": True}, "backbone": {"camera": "attention"}}
ONE_OF_EACH_READ_OUT = (
    "i2v", "context_k5", "compress_hybrid_r4", "spatial", "spatial_concat_text", "spatial_cross_attn", "ssm_hybrid",
    "ssm_blockwise", "spatial_cross_attn_released", "ssm_hybrid_released",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes"),
    [(name, changes) for name in ONE_OF_EACH_READ_OUT for changes in ({}, RECOMPUTED)],
)
def test_flops_of_a_step_are_those_that_torch_counts(name, changes):
    planned = RowPlan(*small(name, **changes))
    tally = planned.step(8).tally
    assert tally.total == pytest.approx(counted(*real_step(planned, 8, planned.micro_batch)), rel=0.02)
    assert (tally.recomputed > 0) == ("train" in changes)


@pytest.mark.parametrize("trainable", [["memory.*"], ["*.actions.*", "*.rays.*"], ["*.ffn.*"]])
def test_what_is_frozen_costs_no_gradients(trainable):
    changes = {"train": {"trainable": trainable}, "backbone": {"ray_frequencies": 1}}
    planned = RowPlan(*small("spatial_cross_attn", **changes))
    tally = planned.step(8).tally
    assert tally.total == pytest.approx(counted(*real_step(planned, 8, planned.micro_batch)), rel=0.02)
    assert tally.backward < 1.95 * tally.forward


def test_a_transformer_costs_what_its_formula_says():
    """2 FLOPs for each weight of a linear layer and token, 4 S L D for S tokens that attend to L; backward twice that.

    In the last block only the target's tokens ask; all are asked.
    """
    study, profile = small("context_k5", train={"batch": 1})
    config, read = study.backbone, 4
    width, cells = config.heads * config.head_dim, study.grid[0] * study.grid[1]
    length, words = cells * (read + 1 + study.segment.frames), study.text.tokens
    patch = study.codec.channels
    target = cells * study.segment.frames

    def block(asking: int) -> int:
        attention = (2 * asking + 2 * length) * width**2 * 2 + 4 * asking * length * width
        across = 2 * (2 * asking + 2 * words) * width**2 + 4 * asking * words * width
        return attention + across + 2 * 2 * asking * width * config.ffn_dim

    blocks = (config.layers - 1) * block(length) + block(target)
    actions = 2 * (read + 1 + study.segment.frames) * 12 * width
    times = 2 * 2 * (64 * width + width**2 + 6 * width**2)
    outside = 2 * length * patch * width + 2 * study.segment.frames * cells * width * patch
    outside += 2 * words * (study.text.dim * width + width**2) + times
    tally = RowPlan(study, profile).step(5).tally
    assert tally.forward == pytest.approx(blocks + config.layers * actions + outside, rel=1e-6)
    assert tally.backward == pytest.approx(2 * tally.forward, rel=0.02)


@pytest.mark.parametrize(
    ("name", "earlier", "precision", "checkpointing"),
    # Writes before the last run without gradients; weights that they cast must leave no casts to the step.
    [("i2v", (), "bf16", True), ("spatial_cross_attn", (), "bf16", True), ("spatial_cross_attn", (), "fp32", False),
     ("ssm_blockwise", (), "fp32", False), ("ssm_blockwise", (4,), "bf16", True), ("ssm_hybrid", (4,), "bf16", True)],
)  # fmt: skip
def test_activations_are_what_a_step_allocates(name, earlier, precision, checkpointing):
    changes = {"train": {"precision": precision, "gradient_checkpointing": checkpointing, "batch": 2},
               "segment": {"frames": 8}, "backbone": {"heads": 2, "head_dim": 32, "ffn_dim": 256}}  # fmt: skip
    planned = RowPlan(*small(name, **changes))
    row, batch = real_step(planned, 8, planned.micro_batch, earlier=earlier)
    measured = peak_bytes(row, batch, bf16=precision == "bf16")
    assert planned.step(8, earlier=earlier).activations == pytest.approx(measured, rel=0.15)
