"""What a step draws, and its loss against a slow one in the paper's words."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
import torch

from echo.io.draws import BatchSlice
from echo.io.seeding import torch_generator
from echo.model import flow
from echo.model.row import Row
from echo.study.config import Study
from echo.training.objective import Objective, TrainingBatch, draw
from tests.conftest import Setting, tiny_study

CPU = torch.device("cpu")
STUDY = tiny_study(train={"batch": 4, "context_noise": 0.3})


def drawn(name: str, step: int = 0, part: BatchSlice | None = None, study=STUDY, seed: int = 0) -> TrainingBatch:
    return next(draws(name, [step], part or BatchSlice(4, 0, 4), study, seed))


def draws(name: str, steps: Iterable[int], part: BatchSlice, study: Study, seed: int = 0) -> Iterator[TrainingBatch]:
    row, clips = Row(study, study.profiles[name]), Setting(study, clips=6).clips
    return (draw(row, clips, seed, step, part, CPU) for step in steps)


def assert_equal(a: dict, b: dict) -> None:
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_parts_of_a_batch_see_the_draws_of_their_samples():
    def drawn(part):
        noise = torch_generator(0, "test")
        count = part.stop - part.start
        return part.uniform(noise), part.normal(torch.Size([count, 3, 2]), noise)

    whole = drawn(BatchSlice(6, 0, 6))
    for start, stop in ((0, 3), (3, 6), (2, 4)):
        for value, of_all in zip(drawn(BatchSlice(6, start, stop)), whole, strict=True):
            assert torch.equal(value, of_all[start:stop])


@pytest.mark.parametrize("name", ["context_k5", "ssm_blockwise"])
def test_slices_together_are_the_batch(name):
    for step in range(4):
        whole = {**drawn(name, step).tensors(), "noise": drawn(name, step).noise}
        slices = [drawn(name, step, BatchSlice(4, start, stop)) for start, stop in ((0, 1), (1, 4))]
        parts = [{**one.tensors(), "noise": one.noise} for one in slices]
        assert_equal({key: torch.cat([part[key] for part in parts]) for key in whole}, whole)


def test_a_batch_is_that_of_its_step_and_training_seed_alone():
    assert_equal(drawn("i2v", 3).tensors(), drawn("i2v", 3).tensors())
    for other in (drawn("i2v", 4), drawn("i2v", 3, seed=1)):
        assert not torch.equal(other.level, drawn("i2v", 3).level)


def test_rows_of_one_stream_see_the_same_targets():
    for step in range(3):
        one, two = drawn("i2v", step), drawn("spatial_inject_none", step)
        assert torch.equal(one.target.latents, two.target.latents) and torch.equal(one.noise, two.noise)


def test_segments_are_drawn_as_often_as_their_weights_say():
    study = tiny_study(segment={"history_weights": (0.0, 1.0, 3.0, 0.0)})
    counts = np.zeros(4)
    for batch in draws("i2v", range(200), BatchSlice(4, 0, 1), study):
        first = int(batch.target.index[0, 0])
        counts[(first - 1) // study.segment.frames] += 1
    assert counts[0] == counts[3] == 0 and counts[2] / counts.sum() == pytest.approx(0.75, abs=0.1)


def test_evidence_is_dropped_to_the_anchor_as_often_as_the_study_says():
    study = tiny_study(evidence={"drop": 0.5}, segment={"history_weights": (0.0, 0.0, 1.0, 0.0)})
    alone = [batch.evidence.count == 1 for batch in draws("i2v", range(100), BatchSlice(4, 0, 1), study)]
    assert 0.3 < np.mean(alone) < 0.7


def test_memories_that_carry_see_every_segment_in_turn():
    for step in range(6):
        batch = drawn("ssm_blockwise", step)
        anchors = [int(frames.index[0, 0]) for frames in (*batch.earlier, batch.evidence)]
        target = int(batch.target.index[0, 0])
        assert anchors == list(range(0, target, STUDY.segment.frames)) and anchors[-1] == target - 1
        assert drawn("context_k5", step).earlier == []


def test_the_loss_is_the_velocitys_error_on_the_target_alone():
    row = Row(STUDY, STUDY.profiles["context_k5"])
    batch = drawn("context_k5", 2)
    level = batch.level[:, None, None, None, None]
    noisy = batch.target.with_latents((1 - level) * batch.target.latents + level * batch.noise)
    state = row.write(None, batch.evidence, batch.text)
    predicted = row(noisy, batch.level, batch.evidence.span(0, 1), batch.text, state)
    assert predicted.shape[1] == STUDY.segment.frames
    expected = ((predicted - (batch.noise - batch.target.latents)) ** 2).mean()
    torch.testing.assert_close(Objective(row)(batch), expected)


def test_gradients_stop_between_segments():
    row = Row(STUDY, STUDY.profiles["ssm_blockwise"])
    step = next(step for step in range(20) if len(drawn("ssm_blockwise", step).earlier) > 1)
    batch, seen = drawn("ssm_blockwise", step), []
    write = row.write
    row.write = lambda state, evidence, text: seen.append(torch.is_grad_enabled()) or write(state, evidence, text)
    Objective(row)(batch).backward()
    assert seen == [False] * len(batch.earlier) + [True]


def test_levels_are_shifted_and_spread_over_the_batch():
    level = drawn("i2v").level
    shift = STUDY.train.timestep_shift
    uniform = level / (shift - (shift - 1) * level)
    torch.testing.assert_close(flow.shift(uniform, shift), level)
    assert (uniform * 4).long().tolist() == [0, 1, 2, 3]


def test_the_bell_weighs_a_samples_loss_by_its_level():
    plain, bell = STUDY, tiny_study(train={"batch": 4, "context_noise": 0.3, "loss_weight": "bell"})
    batch = drawn("i2v")
    losses = []
    for study in (plain, bell):
        row = Row(study, study.profiles["i2v"])
        losses.append([Objective(row)(drawn("i2v", 0, BatchSlice(4, i, i + 1), study)).item() for i in range(4)])
    weights = flow.bell(batch.level, STUDY.train.timestep_shift).tolist()
    assert losses[1] == pytest.approx([w * loss for w, loss in zip(weights, losses[0], strict=True)], rel=1e-5)


def test_a_row_may_have_a_shift_of_its_own():
    study, own = STUDY.train.timestep_shift, STUDY.profiles["context_k20_released"].timestep_shift
    assert (study, own) == (7.0, 5.0)
    one, other = drawn("context_k20").level, drawn("context_k20_released").level
    torch.testing.assert_close(other, flow.shift(one / (study - (study - 1) * one), own))
