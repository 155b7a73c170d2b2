"""Training: what a step draws, what is rejected, and a run killed at any moment that ends with the same bits."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from echo.io.tensors import TensorFileError
from echo.model.row import CheckpointError, Row
from echo.training.health import TrainingError
from echo.training.resume import RESUME
from echo.training.trainer import Trainer
from tests.conftest import tiny_study
from tests.killed import killed
from tests.training.runs import assert_same, long_run, trainer, weights


def test_training_lowers_the_loss(tmp_path):
    study = tiny_study(train={"steps": 60, "batch": 5})
    one = trainer(tmp_path, study, "context_k5")
    before = np.mean([one.loss(step).item() for step in range(20)])
    one.run()
    after = np.mean([one.loss(step).item() for step in range(20)])
    assert after < 0.97 * before


def test_the_same_seed_gives_the_same_bits(tmp_path):
    first, second = trainer(tmp_path / "a"), trainer(tmp_path / "b")
    first.run()
    second.run()
    assert_same(weights(first), weights(second))
    other = trainer(tmp_path / "c", seed=1)
    other.run()
    assert any(not torch.equal(weights(first)[name], value) for name, value in weights(other).items())


@pytest.mark.parametrize(
    ("name", "policy"),
    [("i2v", "matched"), ("ssm_blockwise", "matched"), ("spatial_cross_attn", "matched"),
     ("ssm_blockwise", "streaming"), ("context_k5", "streaming")],
)  # fmt: skip
def test_resume_equals_no_interruption(tmp_path, name, policy):
    study = tiny_study(evidence={"policy": policy})
    whole = trainer(tmp_path / "whole", study, name)
    whole.run()
    broken = trainer(tmp_path / "broken", study, name)
    calls = iter(range(100))
    step = broken._one_step

    def fails_at_the_fifth():
        if next(calls) == 4:
            raise KeyboardInterrupt
        return step()

    broken._one_step = fails_at_the_fifth
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    resumed = trainer(tmp_path / "broken", study, name)
    resumed.run()
    assert resumed.accepted == whole.accepted and resumed.mean == whole.mean
    assert_same(weights(resumed), weights(whole))


def test_kill_9_equals_no_interruption(tmp_path):
    """A process killed with SIGKILL between two of its checkpoints, started again, writes the same weights."""
    killed(long_run, tmp_path / "killed", once=(tmp_path / "killed" / RESUME).is_file, after=0.2)
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    for folder in ("killed", "whole"):
        long_run(tmp_path / folder)
    a, b = (tmp_path / folder / "model.safetensors" for folder in ("killed", "whole"))
    assert_same(load_file(a), load_file(b))
    assert a.read_bytes() == b.read_bytes()  # headers too


def test_a_resume_file_of_another_run_is_ignored(tmp_path, capsys):
    first = trainer(tmp_path)
    first.run()
    other = trainer(tmp_path, seed=1)
    other._resume()
    assert other.step == 0
    assert "of another configuration or code" in capsys.readouterr().out


def test_a_spike_is_skipped_and_counted(tmp_path):
    one = trainer(tmp_path, tiny_study(train={"steps": 16}), "i2v")
    honest = one.loss
    one.loss = lambda step, part: honest(step, part) * (1000 if step == 12 else 1)
    seen = {}
    step = one._one_step

    def watched():
        before = weights(one)
        result = step()
        seen[one.step - 1] = any(not torch.equal(before[name], value) for name, value in weights(one).items())
        return result

    one._one_step = watched
    one.run()
    assert one.rejected == 1 and one.accepted == 15
    assert [number for number, moved in seen.items() if not moved] == [12]


def test_a_loss_that_is_not_finite_never_reaches_the_weights(tmp_path):
    one = trainer(tmp_path, name="i2v")
    honest = one.loss
    one.loss = lambda step, part: honest(step, part) * (float("nan") if step == 2 else 1)
    one.run()
    assert one.rejected == 1
    assert all(value.isfinite().all() for value in weights(one).values())


def test_rows_of_one_stream_see_the_same_batches(tmp_path):
    """`spatial_inject_none` is trained as `i2v` is, to the last bit: its memory is stored and never read."""
    runs = [trainer(tmp_path / name, name=name) for name in ("i2v", "spatial_inject_none")]
    for one in runs:
        one.run()
    assert_same(*({k: v for k, v in weights(one).items() if k.startswith("backbone.")} for one in runs))


def test_a_checkpoint_of_another_row_is_refused_and_both_are_named(tmp_path):
    study = tiny_study()
    Row(study, study.profiles["context_k5"]).save(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r'profile has .*"context_k5".*asks for .*"i2v"'):
        Row(study, study.profiles["i2v"]).load(tmp_path / "model.safetensors")
    other = tiny_study(evidence={"rule": "recent"})
    with pytest.raises(CheckpointError, match=r'rig has .*"fov_cover".*asks for .*"recent"'):
        Row(other, other.profiles["context_k5"]).load(tmp_path / "model.safetensors")


def test_a_checkpoint_without_a_profile_is_refused(tmp_path):
    study = tiny_study()
    row = Row(study, study.profiles["i2v"])
    save_file(row.state_dict(), tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match="profile has none"):
        row.load(tmp_path / "bare.safetensors")
    row.save(tmp_path / "model.safetensors", base_sha256="abc")
    assert row.load(tmp_path / "model.safetensors")["base_sha256"] == "abc"
    assert_same(load_file(tmp_path / "model.safetensors"), row.state_dict())


# Trainings that learn nothing, or whose numbers are not finite, end with the reason and leave no file that looks done.


def unchecked(**train):
    """A study with settings that the configuration itself refuses."""
    study = tiny_study()
    return study.model_copy(update={"train": study.train.model_copy(update=train)})


def assert_ends(one, folder, message):
    with pytest.raises(TrainingError, match=message):
        one.run()
        one.finish(folder / "model.safetensors")
    assert not list(folder.rglob("*.safetensors"))


def test_noise_levels_that_are_not_finite_end_the_first_step(tmp_path):
    one = trainer(tmp_path, unchecked(timestep_shift=float("inf")), "i2v")
    assert_ends(one, tmp_path, "i2v: step 0 of 6: of the batch, level is not finite .*; check train.timestep_shift")


@pytest.mark.parametrize("key", ["adamw_lr", "muon_lr"])
def test_an_infinite_learning_rate_ends_the_run(tmp_path, key):
    one = trainer(tmp_path, unchecked(**{key: float("inf"), "checkpoint_every": 1}), "i2v")
    assert_ends(one, tmp_path, "i2v: step 1 of 6: of the weights, .* is not finite .*; lower the learning rates")


def test_weights_that_the_last_step_breaks_are_not_saved(tmp_path):
    one = trainer(tmp_path, unchecked(adamw_lr=float("inf"), steps=1), "i2v")
    assert_ends(one, tmp_path, "step 1 of 1: of the trained weights, .* is not finite")
    with pytest.raises(TrainingError, match="of the weights to be saved, .* is not finite"):
        one.finish(tmp_path / "model.safetensors")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_latents_that_are_not_finite_are_named(tmp_path):
    one = trainer(tmp_path, name="context_k5")
    one.clips.cache._latents[:] = float("nan")
    assert_ends(one, tmp_path, "of the batch, latents of the target is not finite .*; make the latents and the text")


def test_starting_weights_that_are_not_finite_are_refused(tmp_path):
    study = tiny_study()
    row = Row(study, study.profiles["i2v"])
    with torch.no_grad():
        row.backbone.transformer.proj_out.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match="i2v: of the starting weights, .*proj_out.weight is not finite"):
        Trainer(study.train, row, None, tmp_path, 0, 6, "fingerprint")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_run_most_of_whose_steps_are_rejected_ends(tmp_path, value):
    one = trainer(tmp_path, tiny_study(train={"steps": 400, "checkpoint_every": 1000}), "i2v")
    honest = one.loss
    one.loss = lambda step, part: honest(step, part) * (value if step >= 2 else 1)
    assert_ends(one, tmp_path, "i2v: 48 of the last 50 steps were rejected .48 x loss not finite. at step 50 of 400")


def test_a_run_too_many_of_whose_steps_are_rejected_is_not_finished(tmp_path):
    one = trainer(tmp_path, tiny_study(train={"steps": 8, "checkpoint_every": 1000}), "i2v")
    honest = one.loss
    one.loss = lambda step, part: honest(step, part) * (float("nan") if step in (2, 5) else 1)
    assert_ends(one, tmp_path, "2 of all 8 steps were rejected .2 x loss not finite. .* more than the limit of 20%")


def test_rejected_steps_are_counted_across_an_interruption(tmp_path):
    """The resume file holds the log of steps, so that the limit is that of the whole run."""
    study, seen = tiny_study(train={"steps": 8, "checkpoint_every": 4}), []
    for stop in (5, None):
        one = trainer(tmp_path, study, "i2v")
        honest = one.loss

        def loss(step, part, honest=honest, stop=stop):
            if step == stop:
                raise KeyboardInterrupt
            return honest(step, part) * (float("nan") if step in (2, 6) else 1)

        one.loss = loss
        with pytest.raises((KeyboardInterrupt, TrainingError)) as error:
            one.run()
        seen.append(str(error.value))
    assert one.rejected == 2 and "2 of all 8 steps were rejected" in seen[1]


def test_a_damaged_resume_file_is_refused(tmp_path):
    one = trainer(tmp_path, name="i2v")
    one.run()
    path = tmp_path / RESUME
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(TensorFileError, match="resume.safetensors: damaged"):
        trainer(tmp_path, name="i2v").run()
