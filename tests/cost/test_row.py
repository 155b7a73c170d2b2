"""A planned row against the row itself: sizes, how often steps are drawn, what several GPUs hold."""

from __future__ import annotations

import pytest
import torch

from echo.cost.row import RowPlan, rollout_segments
from echo.memory.base import state_size
from tests.conftest import of_each_kind
from tests.cost.steps import real_step, small


@pytest.mark.parametrize("name", of_each_kind())
def test_sizes_are_those_of_the_row_itself(name):
    planned = RowPlan(*small(name))
    row, batch = real_step(planned, 8, 1)
    with torch.no_grad():
        state = row.write(None, batch.evidence, batch.text)
        read = row.read(state, batch.target, batch.evidence.span(0, 1))
    cells = planned.study.grid[0] * planned.study.grid[1]
    assert planned.state[0] == state_size(state)
    assert planned.tokens.read == (read.frames.count * cells if read.frames is not None else 0)
    assert planned.parameters["trainable"] == sum(weight.numel() for weight in row.parameters())
    assert planned.parameters["memory"] == sum(weight.numel() for weight in row.memory.parameters())
    assert (planned.tokens.clean > 0) == row.memory.carries or name == "ssm_blockwise_v1"


def test_steps_are_weighed_by_how_often_training_draws_them():
    study, profile = small("context_k5")
    situations = RowPlan(study, profile).situations()
    assert sum(share for share, _ in situations) == pytest.approx(1)
    assert {chain for _, chain in situations[:2]} == {(1,)}  # segment 1
    assert sum(share for share, chain in situations if chain[-1] > 1) == pytest.approx(0.95 * 0.9)


def test_a_stream_is_planned_offer_by_offer():
    study, profile = small("context_k5", evidence={"policy": "streaming"})
    planned = RowPlan(study, profile)
    assert [planned.chain(segment) for segment in (1, 2, 4)] == [(1,), (1, 4), (1, 4, 4, 4)]
    assert planned.chain(3, anchor_only=True) == (1,)
    assert planned.state == (5 * (study.numbers_per_frame + 6), 5 * (4 * study.numbers_per_frame + 48))
    cells = study.grid[0] * study.grid[1]
    assert (planned.tokens.read, planned.tokens.clean) == (4 * cells, 0)
    recurrent = RowPlan(study, study.profiles["ssm_blockwise"])
    assert recurrent.tokens.clean == 4 * cells
    alone, carried = (recurrent.step(4, memory=False, earlier=earlier).tally for earlier in ((), (1, 4)))
    written = sum(recurrent.write_flops(frames, recurrent.micro_batch) for frames in (1, 4))
    assert carried.forward - alone.forward == written > 0


def test_a_carried_state_is_written_for_every_segment():
    study = small()
    generated, written = rollout_segments(study, carries=False)
    assert generated == written
    again, carried = rollout_segments(study, carries=True)
    assert again == generated
    recalls = study.evaluate.cases + 6 * study.evaluate.probe_cases  # intact, and after five interventions
    revisits = study.evaluate.cases * (2 + 2 + 10 + 18)  # segments before their last
    assert carried.total() - written.total() == 2 * recalls + revisits
    assert generated.total() == study.evaluate.cases * (3 + 4 + 2 + 3 + 4) + recalls


def test_sharding_and_the_average_change_what_a_gpu_holds():
    alone = RowPlan(*small("i2v", train={"batch": 8, "optimizer": "adamw"})).weight_bytes()
    weights = alone["weights"]
    assert alone == {"weights": weights, "gradients": weights, "optimizer": 2 * weights, "ema": 0, "exchange": 0}
    eight = small(train={"batch": 8, "optimizer": "adamw", "ema": 0.99}, compute={"processes": 8})
    copied = RowPlan(eight, eight.profiles["i2v"]).weight_bytes()
    assert copied["ema"] == copied["exchange"] == weights
    sharded = eight.model_copy(update={"train": eight.train.model_copy(update={"sharding": "fsdp"})})
    shares = RowPlan(sharded, eight.profiles["i2v"]).weight_bytes()
    assert shares["optimizer"] == pytest.approx(2 * weights / 8, abs=8)
    assert 0 < shares["exchange"] < weights
    muon = RowPlan(*small("i2v", train={"batch": 8})).weight_bytes()
    assert weights < muon["optimizer"] < 2 * weights
